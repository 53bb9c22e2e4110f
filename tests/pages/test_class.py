"""Pages of a class: one's own runs have buttons, others' have none, and a teacher has them all."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from metacore import Run, Store
from metacore.runs import comparisons, execute, submit
from metacore.runs.classroom import VARIABLE, Classroom, Limits, Visitor, digest
from metacore.runs.question import Question
from pages.ui import visitor
from pages.ui.browser_key import owner
from pages.ui.runs import imports
from tests.pages.conftest import Visit, words
from tests.training.small import small

KEY = "the teacher's own key"
COOKIES = {"anna": "a" * 43, "bert": "b" * 43, "nobody": None}
ANNA = owner("a" * 43)
LIMITS = Limits(quota=2, seconds=60, iterations=50_000, kept=3)
WAVE = small("maml")
Become = Callable[[str], None]


@pytest.fixture
def become(monkeypatch: pytest.MonkeyPatch, home: Path) -> Become:
    """A class is held (another one in each test); says whose browser looks at the page."""
    room = Classroom(LIMITS, digest("teacher", KEY), (str(home),))
    monkeypatch.setenv(VARIABLE, room.to_json())

    def somebody(name: str) -> None:
        monkeypatch.setattr(visitor, "_cookie", lambda: COOKIES[name])

    somebody("anna")
    return somebody


@pytest.fixture
def store(become: Become) -> Store:
    return Store()


@pytest.fixture
def waiting(store: Store) -> Run:
    """A training that Anna has started."""
    return submit(store.used_by(Visitor(ANNA, LIMITS)), WAVE, "wave")


def labels(app: AppTest) -> list[str]:
    return [button.label or button.proto.icon for button in app.button]


def press(app: AppTest, label: str) -> AppTest:
    (button,) = [found for found in app.button if found.label == label]
    return button.click().run()


def test_only_whoever_started_a_training_can_cancel_it(
    visit: Visit, become: Become, store: Store, waiting: Run
) -> None:
    become("bert")
    seen = visit("lab/train.py", run=waiting.id)
    assert "Cancel" not in labels(seen)
    assert ":material/close:" not in labels(seen), "the sidebar has no button either"
    assert "somebody else's" in words(seen)
    become("anna")
    seen = press(visit("lab/train.py", run=waiting.id), "Cancel")
    assert store.get(waiting.id).status == "cancelled"
    assert "somebody else's" not in words(seen)
    become("bert")
    assert "Resume" not in labels(visit("lab/train.py", run=waiting.id))


def test_on_runs_others_find_nothing_to_change(
    visit: Visit, become: Become, store: Store, waiting: Run
) -> None:
    mine = visit("lab/runs.py", run=waiting.id)
    assert {"Cancel", "Delete for good", "Save"} <= set(labels(mine))
    become("bert")
    theirs = visit("lab/runs.py", run=waiting.id)
    assert not {"Cancel", "Delete for good", "Save"} & set(labels(theirs))
    assert "somebody else's" in words(theirs)


def test_the_quota_is_said_before_it_is_reached_for(
    visit: Visit, store: Store, waiting: Run
) -> None:
    assert "You may have 2" not in words(visit("lab/train.py"))
    submit(store.used_by(Visitor(ANNA, LIMITS)), WAVE)
    app = visit("lab/train.py")
    assert "You may have 2 trainings and comparisons waiting or running at once" in words(app)
    press(app, "Start training")
    assert len(store.runs()) == 2, "pressed all the same"


def test_nothing_of_several_is_queued_where_not_all_may_be(visit: Visit, store: Store) -> None:
    app = visit("lab/train.py", maml="true", reptile="true", anil="true")
    press(app, "Start 3 trainings")
    assert store.runs() == []


def test_a_larger_budget_is_refused_where_it_is_chosen(visit: Visit, become: Become) -> None:
    app = visit("lab/train.py", preset="paper")
    assert "MAML: A training here may have 50,000 meta-steps, not 60,000" in words(app)


def test_a_comparison_is_cancelled_by_whoever_asked(
    visit: Visit, become: Become, store: Store
) -> None:
    runs = [execute(store, store.create(WAVE, here=True)).id for _ in range(2)]
    question = Question(runs=tuple(runs), dataset={"name": "sinusoid"}, shots=5)
    asked = comparisons.ask(store.used_by(Visitor(ANNA, LIMITS)), question)
    become("bert")
    assert ":material/close:" not in labels(visit("learn/start.py"))
    become("anna")
    app = visit("learn/start.py")
    (stop,) = [button for button in app.button if button.proto.icon == ":material/close:"]
    stop.click().run()
    assert comparisons.find(store, asked.id).status == "cancelled"


def test_the_teachers_key_opens_every_run_until_they_leave(
    visit: Visit, become: Become, waiting: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor, "WRONG_SECONDS", 0.0)
    become("bert")
    app = visit("lab/train.py", run=waiting.id)
    app.text_input(key="teachers key").input("not the key")
    app = press(app, "Enter")
    assert "This is not the teacher's key." in words(app)
    assert "Cancel" not in labels(app)
    app.text_input(key="teachers key").input(KEY)
    app = press(app, "Enter")
    assert "You are a teacher" in words(app)
    assert "Cancel" in labels(app)
    app = press(app, "Leave")
    assert "Cancel" not in labels(app)


def test_at_ones_own_computer_there_is_no_class(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    run = submit(Store().used_by(Visitor(ANNA, LIMITS)), WAVE)
    app = visit("lab/train.py", run=run.id)
    assert "Cancel" in labels(app)
    assert "class" not in words(app)


def test_a_browser_without_cookies_keeps_what_it_starts_until_it_leaves(
    visit: Visit, become: Become, store: Store
) -> None:
    become("nobody")
    app = press(visit("lab/train.py"), "Start training")
    (run,) = store.runs()
    assert run.owner == owner(app.session_state["visitor key"])
    assert "Cancel" in labels(app)


def test_where_people_sign_in_nobody_starts_anything_before(
    visit: Visit, become: Become, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor, "sign_in_is_set_up", lambda: True)
    monkeypatch.setattr(visitor, "signed_in", lambda: "")
    app = visit("lab/train.py")
    assert "Sign in first" in words(app)
    assert "Sign in" in labels(app)
    press(app, "Start training")
    assert store.runs() == []


def test_who_has_signed_in_owns_what_they_start_whatever_the_browser(
    visit: Visit, become: Become, store: Store, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setattr(visitor, "sign_in_is_set_up", lambda: True)
    monkeypatch.setattr(visitor, "_listed_teachers", lambda: ())
    monkeypatch.setattr(visitor, "signed_in", lambda: "bob@school.example")
    run = submit(store.used_by(Visitor(digest("person", "bob@school.example"), LIMITS)), WAVE)
    assert "Cancel" in labels(visit("lab/train.py", run=run.id))
    monkeypatch.setattr(visitor, "signed_in", lambda: "eve@school.example")
    assert "Cancel" not in labels(visit("lab/train.py", run=run.id))
    monkeypatch.setattr(visitor, "signed_in", lambda: str(home))  # the listed teacher
    app = visit("lab/train.py", run=run.id)
    assert "Cancel" in labels(app)
    assert "You are a teacher" in words(app)
    assert "Leave" not in labels(app)


def test_without_authlib_it_says_what_to_install(
    visit: Visit, become: Become, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor, "sign_in_is_set_up", lambda: True)
    monkeypatch.setattr(visitor, "signed_in", lambda: "")
    monkeypatch.setattr(visitor, "find_spec", lambda _name: None)
    app = visit("learn/start.py")
    assert "pip install 'metacore[class]'" in words(app)
    assert "Sign in" not in labels(app)


def test_a_long_queue_shows_ones_own_first_and_counts_the_rest(
    visit: Visit, become: Become, store: Store
) -> None:
    for number in range(8):
        submit(store, WAVE, f"other {number}")
    submit(store.used_by(Visitor(ANNA, LIMITS)), WAVE, "mine")
    app = visit("learn/start.py")
    assert "3 more wait." in words(app)
    assert labels(app).count(":material/close:") == 1


def test_an_import_beyond_what_one_may_keep_is_refused_unread(
    visit: Visit, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "import_", lambda *_: pytest.fail("it was read"))
    app = visit("lab/runs.py")
    files = [(f"{number}.metacore", b"x", "application/octet-stream") for number in range(4)]
    app.main.file_uploader[0].set_value(files).run()
    assert "a visitor may keep 3: delete some" in words(app)
    assert store.runs() == []
