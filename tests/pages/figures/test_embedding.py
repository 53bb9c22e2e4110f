"""The picture of an embedding shows what it is given, and a click leaves it as it is."""

from dataclasses import replace

import numpy as np
import plotly.io
import pytest

from pages.ui.figures import embedding
from pages.ui.figures.cloud import Cloud, Points, Regions, span


def cloud(dimensions: int = 2) -> Cloud:
    chance = np.random.default_rng(0)

    def points(kind: str, count: int) -> Points:
        at = chance.normal(size=(count, dimensions)).astype(np.float32)
        labels = [n % 3 for n in range(count)]
        names = [f"{kind} {n}" for n in range(count)]
        return Points(at, labels, names, names)

    return Cloud(
        support=points("support", 6),
        query=points("query", 9),
        wrong=[2, 7],
        mislabelled=[1],
        explained=[0.5, 0.25, 0.125][:dimensions],
        paths=chance.normal(size=(2, 3, dimensions)).astype(np.float32),
        regions=Regions((-9, 9), (-9, 9), np.arange(16).reshape(4, 4) % 3),
    )


def trace(figure: object, name: str) -> object:
    (found,) = [one for one in figure.data if one.name == name]  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("dimensions", [2, 3])
def test_axes_say_how_much_they_explain(dimensions: int) -> None:
    figure = embedding.draw(cloud(dimensions), "light")
    text = plotly.io.to_json(figure)
    assert "50%" in text
    assert "25%" in text
    assert ("12%" in text) == (dimensions == 3)


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_wrong_answers_are_ringed(dimensions: int, theme: embedding.Theme) -> None:
    given = cloud(dimensions)
    rings = trace(embedding.draw(given, theme), "answered wrongly")
    np.testing.assert_array_equal(rings.x, given.query.at[[2, 7], 0])  # type: ignore[attr-defined]
    none = embedding.draw(replace(given, wrong=[]), theme)
    assert "answered wrongly" not in {one.name for one in none.data}


def test_points_can_be_told_apart_when_clicked() -> None:
    figure = embedding.draw(cloud(), "light", selected="query 4")
    queries = trace(figure, "query")
    assert list(queries.customdata)[4] == "query 4"  # type: ignore[attr-defined]
    assert list(queries.selectedpoints) == [4]  # type: ignore[attr-defined]
    assert trace(figure, "support").selectedpoints is None  # type: ignore[attr-defined]


def test_the_same_scene_is_the_same_figure() -> None:
    one, other = (plotly.io.to_json(embedding.draw(cloud(), "light")) for _ in range(2))
    assert one == other


def test_prototypes_stand_at_the_end_of_their_ways() -> None:
    given = cloud()
    stars = trace(embedding.draw(given, "light"), "prototype")
    assert given.paths is not None
    np.testing.assert_array_equal(stars.x, given.paths[-1, :, 0])  # type: ignore[attr-defined]


def test_drawings_stand_where_their_marks_would() -> None:
    given = cloud()
    names = [*given.support.names, *given.query.names]
    figure = embedding.draw(given, "dark", pictures={name: f"data:{name}" for name in names})
    places = {image.source: (image.x, image.y) for image in figure.layout.images}
    assert len(places) == 15
    assert places["data:query 3"] == pytest.approx(tuple(given.query.at[3]))


def test_everything_is_in_view_even_where_all_is_one_point() -> None:
    (left, right), (low, high) = span(np.zeros((3, 2), np.float32))
    assert left < 0 < right
    assert low < 0 < high


def test_an_arrow_leads_from_where_a_prototype_was_to_where_it_is() -> None:
    given = cloud()
    assert given.paths is not None
    old = given.paths[-1].copy()
    old[1] += (1.0, 0.5)
    figure = embedding.draw(replace(given, moved_from=old), "light")
    (arrow,) = [one for one in figure.layout.annotations if one.showarrow]
    assert (arrow.ax, arrow.ay) == pytest.approx(tuple(old[1]))
    assert (arrow.x, arrow.y) == pytest.approx(tuple(given.paths[-1, 1]))
    assert not [one for one in embedding.draw(given, "light").layout.annotations if one.showarrow]


def test_a_class_has_one_symbol_on_the_plane_and_in_space() -> None:
    plane, space = (
        trace(embedding.draw(cloud(dimensions), "light"), "support").marker.symbol
        for dimensions in (2, 3)
    )
    assert list(plane) == list(space)
