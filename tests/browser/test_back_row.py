"""What is projected is read from the back row, fits its window, and leaves as a slide."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_journey import SLOW, go

PROJECTOR, LAPTOP = {"width": 1920, "height": 1080}, {"width": 1280, "height": 800}
THREE = "adapt?run=maml-glyphs&run=protonet-glyphs&run=reptile-glyphs"
EVERYTHING = """
function* inside(root) {
  for (const e of root.querySelectorAll('*')) {
    yield e;
    if (e.shadowRoot) yield* inside(e.shadowRoot);
  }
}
"""
SMALL = f"""() => {{ {EVERYTHING}
  const small = [];
  for (const e of inside(document.querySelector('.stMain'))) {{
    const texts = [...e.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    const own = texts.map((node) => node.data.trim()).join('');
    const size = parseFloat(getComputedStyle(e).fontSize);
    const icon = e.closest('.katex, style, script, [data-testid=stIconMaterial]');
    if (own && !icon && size < 14 && e.getClientRects().length) small.push(`${{own}}: ${{size}}`);
  }}
  return small;
}}"""
CUT_OFF = """() => {
  const cut = [];
  const controls = '.stMain :is(button, [role=radio], input:not([type=range]))';
  for (const e of document.querySelectorAll(controls)) {
    const box = e.getBoundingClientRect();
    if (!box.width || box.width < 2) continue;
    let right = innerWidth;
    for (let up = e.parentElement; up; up = up.parentElement)
      if (getComputedStyle(up).overflowX !== 'visible')
        right = Math.min(right, up.getBoundingClientRect().right);
    if (box.right > right + 2 || box.left < -2) cut.push(e.outerHTML.slice(0, 200));
  }
  return cut;
}"""
EDGES = """(player) => ({
  curve: player.querySelector('.stack .chart').getBoundingClientRect().bottom,
  player: player.getBoundingClientRect().right,
  panels: Math.max(
    ...[...player.querySelectorAll('.panel')].map((panel) => panel.getBoundingClientRect().right),
  ),
})"""


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    opened = chromium.new_page(viewport=PROJECTOR, reduced_motion="reduce", accept_downloads=True)
    opened.set_default_timeout(30_000)
    yield opened
    opened.close()


def shown(page: Page, address: str) -> None:
    go(page, address)
    expect(page.locator(".player, .js-plotly-plot").first).to_be_visible(timeout=SLOW)


@pytest.mark.parametrize("path", ["", THREE, "prototypes"])
def test_nothing_projected_is_smaller_than_14_pixels(page: Page, server: str, path: str) -> None:
    shown(page, f"{server}/{path}")
    assert page.evaluate(SMALL) == []


@pytest.mark.parametrize("width", [640, 700])
@pytest.mark.parametrize("path", ["adapt", "prototypes", "prototypes?run=maml-glyphs"])
def test_no_control_is_cut_off_when_zoomed(page: Page, server: str, path: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    shown(page, f"{server}/{path}")
    assert page.evaluate(CUT_OFF) == []


@pytest.mark.parametrize("size", [PROJECTOR, LAPTOP], ids=["projector", "laptop"])
def test_the_curve_of_three_runs_is_above_the_fold(
    page: Page, server: str, size: dict[str, int]
) -> None:
    page.set_viewport_size({"width": size["width"], "height": size["height"]})
    shown(page, f"{server}/{THREE}")
    expect(page.locator(".panel.drawings")).to_have_count(3)
    expect(page.locator(".stack .chart svg").first).to_be_visible()
    measured = page.locator(".player").evaluate(EDGES)
    assert measured["curve"] <= size["height"]
    assert measured["panels"] >= measured["player"] - 2, "the width is used"


def test_labels_are_edited_in_sight_of_the_picture(page: Page, server: str) -> None:
    page.set_viewport_size({"width": LAPTOP["width"], "height": LAPTOP["height"]})
    shown(page, f"{server}/prototypes?edits=B1:A")
    expect(page.locator(".annotation-arrow-g").nth(1)).to_be_attached()
    picture = page.locator(".js-plotly-plot").first.bounding_box()
    label = page.locator(".stSelectbox", has=page.get_by_label("Label of B1")).bounding_box()
    assert picture
    assert label
    assert label["y"] + label["height"] - picture["y"] <= LAPTOP["height"]
    assert label["y"] < picture["y"] + picture["height"]
    expect(page.get_by_text("Prototype moved by")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_chart_leaves_as_a_slide_with_title_and_ground(
    page: Page, server: str, tmp_path: Path, scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    shown(page, f"{server}/prototypes")
    page.locator(".js-plotly-plot").first.hover()
    with page.expect_download() as waiting:
        page.locator(".modebar-btn[data-title^=Download]").first.click()
    assert waiting.value.suggested_filename.startswith("metacore-where-the-drawings-lie")
    waiting.value.save_as(tmp_path / "slide.png")
    slide = Image.open(tmp_path / "slide.png").convert("RGBA")
    assert slide.width == 1920
    ground = slide.getpixel((4, 4))
    assert isinstance(ground, tuple)
    assert ground[3] == 255
    assert (max(ground[:3]) < 60) == (scheme == "dark")
    heading = slide.crop((0, 20, 1200, 110)).convert("L")
    low, high = heading.getextrema()
    assert high - low > 150, "the title stands there"  # type: ignore[operator]
    assert page.locator(".js-plotly-plot .gtitle").count() == 0, "the page's heading is the title"
