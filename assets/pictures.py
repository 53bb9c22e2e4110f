"""Takes the README's pictures from the running dashboard, light and dark: `make pictures`."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # for the tests' way of starting a server

from tests.browser.serving import launch, serving  # noqa: E402  (found only by the line above)

PICTURES = {
    "start": "",
    "adapt": "adapt",
    "prototypes": "prototypes",
    "compare": "compare",
    "train": "train?run=maml-glyphs",
}
SIZE = {"width": 1280, "height": 860}
SETTLE_SECONDS = 7.0


def take(browser: Browser, address: str, name: str, path: str, scheme: str) -> None:
    page = browser.new_page(viewport=SIZE, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{address}/{path}")
    page.get_by_role("heading", level=1).first.wait_for(timeout=60_000)
    page.wait_for_timeout(1000 * SETTLE_SECONDS)
    file = ROOT / "assets" / "pictures" / f"{name}-{scheme}.jpg"
    page.screenshot(path=file, type="jpeg", quality=82)
    page.close()


def main() -> None:
    (ROOT / "assets" / "pictures").mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        serving(Path(home)) as address,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        for name, path in PICTURES.items():
            for scheme in ("light", "dark"):
                take(browser, address, name, path, scheme)
        browser.close()


if __name__ == "__main__":
    main()
