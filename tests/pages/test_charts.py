"""A chart's picture has a name of its own, and the size of a slide."""

import plotly.graph_objects as go
import pytest

from pages.ui import charts


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("How it learned", "how-it-learned"),
        ("../é & <b>x</b>", "e-b-x-b"),
        ("…", "figure"),
        ("a " * 90, "-".join("a" * 30)),
    ],
)
def test_the_name_of_the_file_is_the_title_in_plain_letters(said: str, name: str) -> None:
    assert charts.slug(said) == name


def test_a_picture_is_a_slide_at_twice_the_size() -> None:
    config = charts.downloads(go.Figure(layout={"height": 300}), "A <title>")
    wanted = config["toImageButtonOptions"]
    assert (wanted["width"], wanted["height"], wanted["scale"]) == (960, 540, 2)
    assert wanted["title"] == "A &lt;title&gt;"
    tall = charts.downloads(go.Figure(layout={"height": 900}), "A title")
    assert tall["toImageButtonOptions"]["height"] == 900
