"""Attention as tiles: every share in its place, nothing between the tiles."""

import numpy as np

from pages.ui.figures import attention


def test_every_share_stands_in_its_tile() -> None:
    layers, heads, queries, examples = 3, 2, 4, 5
    seen = np.random.default_rng(0).random((layers, heads, queries, examples), np.float32)
    names = [f"q{n}" for n in range(queries)], [f"s{n}" for n in range(examples)]
    figure = attention.heads(seen, *names, "#1B7F5C", "light")
    table, said = figure.data[0].z, figure.data[0].customdata
    assert table.shape == (layers * 5 - 1, heads * 6 - 1)
    for layer, head, row, column in np.ndindex(*seen.shape):
        place = layer * 5 + row, head * 6 + column
        assert table[place] == seen[layer, head, row, column]
        assert said[place] == f"layer {layer + 1}, head {head + 1}<br>q{row} to s{column}"
    assert np.isnan(table[4]).all()
    assert np.isnan(table[:, 5]).all()
    assert list(figure.layout.yaxis.ticktext) == ["layer 1", "layer 2", "layer 3"]
    assert list(figure.layout.yaxis.tickvals) == [1.5, 6.5, 11.5]
    assert list(figure.layout.xaxis.tickvals) == [2, 8]
