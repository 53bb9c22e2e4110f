"""In a real browser: whatever strangers name, nothing is loaded from outside and nothing leads
there."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request

from metacore import Run, Store
from metacore.runs.execution import Trainings
from pages.ui import words
from tests import strangers
from tests.browser.serving import serving
from tests.browser.test_journey import SLOW, go, settled
from tests.pages.test_words import HOSTILE
from tests.strangers import HOST, LONG, TRICKS

LEADS_OUT = ", ".join(
    f"[{name}*='{HOST}']" for name in ("href", "src", "srcset", "action", "data", "style")
)

AT_ONCE = 8  # runs one address may name


@dataclass
class Home:
    """A dashboard with strangers' runs in it."""

    address: str
    runs: list[Run]
    ended: list[Run]
    compared: str
    trial: str


@pytest.fixture(scope="module")
def home_of_strangers(
    tmp_path_factory: pytest.TempPathFactory, shared_glyphs: Path
) -> Iterator[Home]:
    home = tmp_path_factory.mktemp("strangers")
    (home / "data").mkdir()
    (home / "data" / "glyphs").symlink_to(shared_glyphs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METACORE_HOME", str(home))
        store = Store()
        runs = strangers.trained(store)
        compared = strangers.compared(store, runs[:3]).id
        # It is at work as long as the test is.
        lease = Trainings(store).claim(strangers.waiting(store))
        made = Home("", runs, strangers.ended(store), compared, strangers.kept_trial())
    with serving(home) as made.address:
        yield made
    lease.finish("cancelled", "")


@dataclass
class Watched:
    page: Page
    asked: list[str] = field(default_factory=list)

    def note(self, request: Request) -> None:
        self.asked.append(request.url)

    def harmless(self) -> None:
        settled(self.page)
        self.page.wait_for_timeout(300)
        outside = [url for url in self.asked if _outside(url)]
        assert not outside
        assert self.page.locator(LEADS_OUT).count() == 0


def _outside(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1"


@pytest.fixture
def watched(chromium: Browser) -> Iterator[Watched]:
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(30_000)
    opened = Watched(context.new_page())
    opened.page.on("request", opened.note)
    yield opened
    context.close()


def address(home: Home, page: str, **query: object) -> str:
    return f"{home.address}/{page}?{urlencode(query, doseq=True)}"


def read(page: Page) -> str:
    return page.locator("body").inner_text().replace("\N{WORD JOINER}", "")


def test_names_of_strangers(watched: Watched, home_of_strangers: Home) -> None:
    home, ids = home_of_strangers, [run.id for run in home_of_strangers.runs]
    for page, query in (
        ("runs", {"run": ids[0]}),
        ("runs", {"run": ids[:3]}),
        ("train", {"run": [*ids[:2], *(run.id for run in home.ended)]}),
        ("adapt", {"runs": ids[:3], "run": ids[:1]}),
        ("prototypes", {"run": ids[0]}),
        ("compare", {"runs": ids[:3], "comparison": home.compared, "chart": "Inner steps"}),
        ("trial", {"runs": ids[:3], "trial": home.trial}),
    ):
        go(watched.page, address(home, page, **query))
        if page in ("adapt", "compare"):
            watched.page.locator(".player .panel").first.wait_for(timeout=SLOW)
        watched.harmless()
        watched.page.screenshot(path=f"/tmp/esc_{page}.png", full_page=True)
        assert TRICKS[0] in read(watched.page) or page == "prototypes", page


def test_addresses_of_strangers(watched: Watched, home_of_strangers: Home) -> None:
    names = ("run", "runs", "trial", "comparison", "rivals", "dataset", "classes", "way", "answers")
    query = {name: [*TRICKS, LONG] for name in names}
    for page in ("", "runs", "train", "adapt", "prototypes", "compare", "trial"):
        go(watched.page, address(home_of_strangers, page, **query))
        watched.harmless()


@pytest.mark.parametrize("start", range(0, len(HOSTILE), AT_ONCE))
def test_what_was_typed_is_read(watched: Watched, home_of_strangers: Home, start: int) -> None:
    """What `tests/pages` shows of a model of Streamlit's client, the client itself does."""
    typed = HOSTILE[start : start + AT_ONCE]
    go(watched.page, address(home_of_strangers, "train", run=typed))
    watched.harmless()
    shown = read(watched.page)
    for each in typed:
        assert words.clean(each[:40]) in shown


def test_tooltips_quote_strangers(watched: Watched, home_of_strangers: Home) -> None:
    go(watched.page, home_of_strangers.address)
    watched.page.locator("[data-testid=stSidebar] [class*='st-key-stop'] button").first.hover()
    tooltip = watched.page.get_by_role("tooltip")
    tooltip.wait_for(timeout=SLOW)
    assert TRICKS[0] in tooltip.inner_text().replace("\N{WORD JOINER}", "")
    watched.harmless()


def test_nobody_is_called_even_if_a_picture_were_there(
    watched: Watched, home_of_strangers: Home
) -> None:
    go(watched.page, home_of_strangers.address)
    blocked = """address => new Promise(told => {
        document.addEventListener("securitypolicyviolation", each => told(each.blockedURI));
        setTimeout(() => told("loaded"), 5000);
        new Image().src = address;
    })"""
    assert HOST in watched.page.evaluate(blocked, f"http://{HOST}/a.png")
