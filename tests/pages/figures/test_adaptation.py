"""The heatmap's rows are the layers, and modes that are not measured have no mark."""

import numpy as np

from pages.ui.figures import adaptation
from pages.ui.figures.adaptation import Effect


def test_a_layer_is_a_row_and_a_step_a_column() -> None:
    norms = {"conv1": np.array([[0.5], [0.1]]), "head": np.array([[2.0], [1.0]])}
    (heatmap,) = adaptation.layers(norms, "#0072B2", "light", most=2.0).data
    assert list(heatmap.y) == ["conv1", "head"]
    assert list(heatmap.x) == [1, 2]
    assert np.allclose(heatmap.z, [[0.5, 0.1], [2.0, 1.0]])


def test_numbers_are_written_only_where_there_is_room() -> None:
    few, many = ({"head": np.ones((steps, 1))} for steps in (3, 40))
    assert adaptation.layers(few, "#0072B2", "dark", most=2.0).data[0].texttemplate
    assert not adaptation.layers(many, "#0072B2", "dark", most=2.0).data[0].texttemplate


def test_only_measured_modes_have_a_mark() -> None:
    effect = Effect("MAML", "#0072B2", "circle", {"support": (0.96, 0.01)})
    made = adaptation.norms([effect], ["transductive", "support"], ["support"], "light")
    assert list(made.data[0].y) == ["support"]
    names = [text.split("<br>")[0] for text in made.layout.yaxis.ticktext]
    assert names == ["transductive", "<b>support</b>"]


def test_a_hair_is_not_drawn_as_a_gap() -> None:
    effect = Effect("MAML", "#0072B2", "circle", {"support": (0.960, 0.001)})
    low, high = adaptation.norms([effect], ["support"], [], "light").layout.xaxis.range
    assert high - low >= adaptation.NARROWEST
    assert low < 0.959 < 0.961 < high


def test_heatmaps_side_by_side_share_the_scale_they_are_given() -> None:
    for moved in (0.1, 2.0):
        made = adaptation.layers({"head": np.full((3, 1), moved)}, "#0072B2", "light", most=2.0)
        assert (made.data[0].zmin, made.data[0].zmax) == (0, 2.0)
