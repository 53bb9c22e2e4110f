"""Projections against covariances and distances worked out here, and a geometry made by hand."""

import numpy as np
import pytest

from metacore.errors import UserError
from metacore.insight.projection import (
    astray,
    by_prototypes,
    decision_regions,
    in_picture,
    nearest,
    pca,
    separation,
)

CLOUD = np.random.default_rng(0).normal(size=(40, 6)) @ np.diag([5, 3, 1, 0.5, 0.2, 0.1]) + 7


def test_axes_are_the_first_eigenvectors_of_the_covariance() -> None:
    values, vectors = np.linalg.eigh(np.cov(CLOUD.T))
    found = pca(CLOUD)
    for axis, vector in zip(found.axes, vectors.T[::-1][:2], strict=True):
        assert abs(axis @ vector) == pytest.approx(1, abs=1e-5)
        assert axis[np.abs(axis).argmax()] > 0
    assert np.allclose(found.explained, values[::-1][:2] / values.sum(), atol=1e-6)
    assert {part.dtype for part in (found.mean, found.axes, found.explained)} == {
        np.dtype(np.float32)
    }


def test_the_order_of_points_flips_nothing() -> None:
    assert np.allclose(pca(CLOUD).axes, pca(CLOUD[::-1]).axes, atol=1e-5)
    assert np.allclose(pca(CLOUD).axes, pca(2 * CLOUD.mean(0) - CLOUD).axes, atol=1e-5)


def test_lifting_undoes_applying_on_the_plane() -> None:
    plane = pca(CLOUD)
    coordinates = np.array([[0, 0], [3, -2], [-1, 8]], dtype=np.float32)
    assert np.allclose(plane.apply(plane.lift(coordinates)), coordinates, atol=1e-4)
    assert np.allclose(plane.lift([[0, 0]])[0], CLOUD.mean(0), atol=1e-5)
    assert plane.lift(coordinates).dtype == plane.apply(CLOUD).dtype == np.float32


@pytest.mark.parametrize("count", [1, 2, 3])
def test_fewer_points_than_features(count: int) -> None:
    points = CLOUD[:count]
    found = pca(points)
    assert found.apply(points).shape == (count, 2)
    assert found.explained.sum() == pytest.approx(0 if count == 1 else 1, abs=1e-6)
    assert np.allclose(found.lift(found.apply(points)), points, atol=1e-4)  # all on a plane


def test_one_feature_has_one_direction() -> None:
    found = pca([[1.0], [3.0], [8.0]])
    assert found.axes.tolist() == [[1], [0]]
    assert found.explained.tolist() == [1, 0]


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_equal_points_explain_nothing(value: float) -> None:
    found = pca(np.full((7, 4), value))
    assert found.explained.tolist() == [0, 0]
    assert np.allclose(found.apply(np.full((7, 4), value)), 0)


def test_features_that_are_no_numbers_do_no_harm() -> None:
    broken = CLOUD.copy()
    broken[3] = np.nan
    broken[4] = np.inf
    found = pca(broken)
    assert np.isfinite(found.apply(broken)).all()
    assert 0 <= separation(broken, np.arange(40) % 3) <= 1


def test_no_points_are_refused() -> None:
    with pytest.raises(UserError, match="at least one"):
        pca(np.zeros((0, 3)))


def test_two_prototypes_share_the_plane_by_halves() -> None:
    """Prototypes at (-1, 0, 0) and (1, 0, 0): the border is x = 0, whatever y."""
    plane = pca([[-2, -1, 0], [2, 1, 0], [2, -1, 0], [-2, 1, 0]])
    assert plane.axes.tolist() == [[1, 0, 0], [0, 1, 0]]
    decide = by_prototypes([[-1, 0, 0], [1, 0, 0]])
    regions = decision_regions(plane, decide, (-2, 4), (-1, 1), resolution=60)
    x = np.linspace(-2, 4, 60)
    assert regions.shape == (60, 60)
    assert np.array_equal(regions, np.tile(x > 0, (60, 1)))


def test_rows_of_regions_are_values_of_y() -> None:
    plane = pca([[-2, 0], [2, 0], [0, 1], [0, -1]])
    decide = by_prototypes([[0, -1], [0, 1]])
    regions = decision_regions(plane, decide, (-1, 1), (-3, 1), resolution=10)
    assert np.array_equal(regions[:, 0], np.linspace(-3, 1, 10) > 0)


def test_cosine_goes_by_direction_and_euclidean_by_length() -> None:
    prototypes = [[10, 0], [0, 1]]
    query = np.array([[1.5, 1]], dtype=np.float32)
    assert by_prototypes(prototypes, "cosine")(query).tolist() == [0]
    assert by_prototypes(prototypes, "euclidean")(query).tolist() == [1]
    with pytest.raises(UserError, match="euclidean, cosine"):
        by_prototypes(prototypes, "manhattan")


def test_the_decision_is_lost_with_the_dimension_that_decided() -> None:
    """Three of four are decided by x; the fourth by z, which the plane of x and y does not show."""
    plane = pca([[-2, -1, 0], [2, 1, 0], [2, -1, 0], [-2, 1, 0]])
    decide = by_prototypes([[-1, 0, 0], [1, 0, 0], [0, 0, 5]])
    features = [[-1, 0.5, 0.1], [1, 1, 0.2], [2, -1, 0], [1, 0, 5]]
    assert astray(plane, features, decide) == [3]
    assert astray(plane, features[:3], decide) == []
    assert astray(plane, np.zeros((0, 3)), decide) == []


def test_in_the_picture_every_prototype_stands_on_its_own_region() -> None:
    """Of two prototypes, the one far off the plane would lose even its own place on it."""
    plane = pca([[-3, 0, 0], [3, 0, 0], [0, 1, 0], [0, -1, 0]])
    centres = np.array([[0.0, 0, 0], [1, 0, 4]], np.float32)
    places = plane.lift(plane.apply(centres))
    assert by_prototypes(centres)(places).tolist() == [0, 0]
    assert in_picture(plane, centres)(places).tolist() == [0, 1]
    assert astray(plane, centres, by_prototypes(centres), in_picture(plane, centres)) == []


def test_separation_by_hand() -> None:
    """Class means -1 and 1, each point 1 from its mean: half of the variance is between."""
    points, labels = np.array([[-2.0], [0], [0], [2]]), np.array([0, 0, 1, 1])
    assert separation(points, labels) == pytest.approx(0.5)
    assert separation(points, np.array([0, 1, 1, 0])) == pytest.approx(0)
    assert separation([[-1, 3], [-1, 3], [1, 0]], [4, 4, 9]) == pytest.approx(1)


def test_separation_counts_uneven_classes_by_their_size() -> None:
    """Means 0 and 4 around 1 (three to one): between 3 + 9 = 12, within 2, so 12 of 14."""
    assert separation([[-1], [0], [1], [4]], [0, 0, 0, 1]) == pytest.approx(12 / 14)


@pytest.mark.parametrize("points", [np.full((4, 2), 0.1), np.full((4, 2), np.nan), []])
def test_nothing_to_separate(points: np.ndarray) -> None:
    assert separation(points, [0, 0, 1, 1][: len(points)]) == 0


def test_the_nearest_come_first() -> None:
    support = [[3, 4], [0, 2], [6, 0], [0, -1]]
    assert nearest([0, 0], support, 3) == [(3, 1), (1, 2), (0, 5)]
    found = nearest([1, 0], support, 9, "cosine")
    assert [index for index, _ in found] == [2, 0, 1, 3]
    assert [distance for _, distance in found] == pytest.approx([0, 0.4, 1, 1])
