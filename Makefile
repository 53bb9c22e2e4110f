# make app   opens the dashboard
# make test  checks everything: lint, format, types, tests
# make pretrained  trains the runs that come with Metacore anew: half an hour on two idle cores
# make pictures    takes the README's pictures anew
# They build .venv on first use, bring it up to date when pyproject.toml has changed, and may be
# repeated at will. `make test PYTHON=python3.12` chooses the interpreter .venv is made with.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BROWSERS := chromium chromium-browser google-chrome google-chrome-stable

.PHONY: app test browser pretrained pictures clean

app: $(VENV)/app
	$(BIN)/streamlit run app.py

test: $(VENV)/test browser
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest

pretrained: $(VENV)/app
	$(BIN)/python assets/pretrain.py

pictures: browser
	$(BIN)/python assets/pictures.py

# A Python without ensurepip (Debian's, until python3-venv is installed) lends its own pip.
$(VENV)/made:
	$(PYTHON) -m venv --clear $(VENV) || { \
	    $(PYTHON) -m venv --clear --without-pip $(VENV) && \
	    $(PYTHON) -m pip --python $(BIN)/python install pip; }
	touch $@

$(VENV)/app: $(VENV)/made pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[photos]"
	touch $@

$(VENV)/test: $(VENV)/made pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[test]"
	touch $(VENV)/app $@

# What the browser tests drive: a Chromium that is there, else Debian's, else Playwright's own.
browser: $(VENV)/test
	@for name in $(BROWSERS); do command -v $$name > /dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && grep -qs '^ID=debian' /etc/os-release; then \
	    apt-get update -qq && apt-get install -y -qq chromium > /dev/null && exit 0; \
	fi; \
	$(BIN)/playwright install chromium

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info build dist
