"""What a person does, in a real browser: from the first choice to the last deletion."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import metacore as mc
from tests.browser.serving import free_port, serving

SLOW = 90_000  # milliseconds: two busy cores may need them


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 1000}, accept_downloads=True)
    context.set_default_timeout(30_000)
    opened = context.new_page()
    yield opened
    context.close()


def go(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("heading", level=1).first.wait_for(timeout=SLOW)
    settled(page)


def settled(page: Page) -> None:
    """Until the server has nothing more to say."""
    state = re.compile("notRunning")
    expect(page.locator(".stApp")).to_have_attribute("data-test-script-state", state, timeout=SLOW)


def no_error(page: Page) -> None:
    assert page.locator(".stException, [data-testid=stAlertContentError]").count() == 0


def begin(page: Page, server: str, name: str, *, level: str | None = None) -> str:
    """Starts MAML on sine waves from the form; the run's id, from the address."""
    go(page, f"{server}/train")
    page.get_by_role("radio", name="Sine waves").click()
    expect(page.get_by_label("Points", exact=True)).to_be_visible()
    if level:
        page.get_by_role("radio", name=level).click()
    page.get_by_text("Name, seed, device").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Name", exact=True).press("Enter")
    button = page.get_by_role("button", name="Start training")
    expect(button).to_be_enabled()
    button.click()
    page.wait_for_url(re.compile("run="), timeout=SLOW)
    found = re.search("run=([^&]+)", page.url)
    assert found
    return found[1]


def share(page: Page) -> float:
    """How far the run in view is, as its progress bar says."""
    bar = card(page).get_by_role("progressbar")
    return float(bar.get_attribute("aria-valuenow") or 0)


def card(page: Page) -> Locator:
    return page.locator(".stMain [class*='st-key-run-']").first


def status(page: Page, word: str) -> None:
    badge = card(page).locator(".stMarkdownBadge").filter(has_text=word)
    expect(badge).to_be_visible(timeout=SLOW)


def test_choose_train_watch_compare_and_clean_up(page: Page, server: str, tmp_path: Path) -> None:
    run = begin(page, server, "journey")

    status(page, "running")
    expect(page.get_by_text(re.compile(r"steps/s"))).not_to_have_count(0, timeout=SLOW)
    first = share(page)
    page.wait_for_timeout(4000)
    assert share(page) > first, "the bar moves by itself"
    expect(page.get_by_text("How it adapts to one fixed task").first).to_be_visible(timeout=SLOW)

    page.reload()
    expect(page.get_by_text("journey", exact=True).first).to_be_visible(timeout=SLOW)
    status(page, "running")

    card(page).get_by_role("button", name="Cancel").click()
    status(page, "cancelled")
    stopped_at = share(page)
    assert stopped_at < 100
    card(page).get_by_role("button", name="Resume").click()
    status(page, "running")
    status(page, "finished")
    no_error(page)

    adapt(page)
    compare(page, server, run)
    export_import_delete(page, server, run, tmp_path)


def adapt(page: Page) -> None:
    """The slider moves the film on the client, without asking the server."""
    card(page).get_by_role("link", name="Adapt").click()
    player = page.locator(".player").first
    expect(player).to_be_visible(timeout=SLOW)
    slider = player.get_by_role("slider")
    last = int(slider.get_attribute("max") or 0)
    assert last >= 5
    slider.focus()
    slider.press("Home")
    curve = player.locator("path.line:not(.truth)").first
    before = curve.get_attribute("d")
    slider.press("End")
    expect(player).to_have_attribute("data-step", str(last))
    assert curve.get_attribute("d") != before
    no_error(page)


def compare(page: Page, server: str, run: str) -> None:
    go(page, f"{server}/compare?run={run}&run=scratch-sinusoid")
    expect(page.locator(".player").first).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Evaluate on 600 episodes").click()
    expect(
        page.get_by_text(re.compile("better than .* by|no difference shown")).first
    ).to_be_visible(timeout=SLOW)
    page.reload()  # what was measured is found again from the address
    expect(
        page.get_by_text(re.compile("better than .* by|no difference shown")).first
    ).to_be_visible(timeout=SLOW)
    no_error(page)


def export_import_delete(page: Page, server: str, run: str, folder: Path) -> None:
    go(page, f"{server}/runs?run={run}")
    with page.expect_download(timeout=SLOW) as waiting:
        page.get_by_role("button", name="Export").click()
    file = folder / waiting.value.suggested_filename
    waiting.value.save_as(file)
    delete(page)

    page.get_by_role("button", name="Import").click()
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("Imported from a file.").first).to_be_visible(timeout=SLOW)
    page.keyboard.press("Escape")
    assert run not in page.url
    delete(page)


def delete(page: Page) -> None:
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("1 run deleted.")).to_be_visible(timeout=SLOW)
    no_error(page)


def test_prototypes_answer_a_click(page: Page, server: str) -> None:
    go(page, f"{server}/prototypes")
    plot = page.locator(".js-plotly-plot").first
    expect(plot).to_be_visible(timeout=SLOW)
    expect(page.get_by_text(re.compile("answer .* of 25 queries")).first).to_be_visible()
    no_error(page)


def test_two_people_choose_for_themselves_and_share_the_runs(
    chromium: Browser, server: str
) -> None:
    contexts = [chromium.new_context(viewport={"width": 1280, "height": 900}) for _ in range(2)]
    one, other = (context.new_page() for context in contexts)
    try:
        go(one, f"{server}/adapt")
        go(other, f"{server}/adapt")
        expect(one.locator(".player").first).to_be_visible(timeout=SLOW)
        expect(other.locator(".player").first).to_be_visible(timeout=SLOW)
        one.get_by_label("Episode", exact=True).fill("5")
        one.get_by_label("Episode", exact=True).press("Enter")
        expect(one).to_have_url(re.compile("seed=5"))
        assert "seed=5" not in other.url
        expect(other.get_by_label("Episode", exact=True)).to_have_value("0")
        run = begin(one, server, "shared")
        expect(other.locator("section.stSidebar").get_by_text("shared")).to_be_visible(timeout=SLOW)
        other.get_by_role("button", name=re.compile("close")).first.click()
        status(one, "cancelled")
        assert run in one.url
    finally:
        for context in contexts:
            context.close()


def test_a_server_that_dies_takes_no_run_with_it(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("METACORE_HOME", str(tmp_path))
    with serving(tmp_path, port) as server:
        run = begin(page, server, "survivor")
        status(page, "running")
    assert mc.Store().get(run).alive(), "the worker has a session of its own"
    with serving(tmp_path, port) as server:
        go(page, f"{server}/train?run={run}")
        status(page, "finished")
    no_error(page)
    assert mc.Store().get(run).status == "finished"


def test_a_run_deleted_in_another_tab_is_a_sentence(
    page: Page, server: str, chromium: Browser
) -> None:
    run = begin(page, server, "doomed")
    status(page, "running")
    other = chromium.new_page()
    try:
        go(other, f"{server}/train?run={run}")
        card(other).get_by_role("button", name="Cancel").click()
        status(other, "cancelled")
        go(other, f"{server}/runs?run={run}")
        delete(other)
    finally:
        other.close()
    page.reload()
    expect(page.get_by_text("not among the runs")).to_be_visible(timeout=SLOW)
    no_error(page)
