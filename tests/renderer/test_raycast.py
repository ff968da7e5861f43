"""First hits of rays along +z."""

from __future__ import annotations

import numpy as np
import pytest

from renderer.fit import raycast
from renderer.fit.raycast import first_hits

NEAR = [[-1, -1, 1], [1, -1, 1], [0, 1, 3]]
FAR = [[-2, -2, 5], [2, -2, 5], [0, 4, 5]]


def test_the_nearest_triangle_is_hit_at_its_depth() -> None:
    corners = np.array([FAR, NEAR], np.float64)
    hits = first_hits(corners, np.array([[0.0, 0.0], [0.0, 2.0], [9.0, 9.0]]))
    assert hits.triangles.tolist() == [1, 0, -1]
    assert hits.z[:2].tolist() == [2, 5] and np.isinf(hits.z[2])
    np.testing.assert_allclose(hits.weights[0], [0.25, 0.25, 0.5])
    assert hits.weights[2].tolist() == [0, 0, 0]


def test_the_winding_does_not_matter_and_edge_on_triangles_are_not_hit() -> None:
    flipped = np.array([NEAR[::-1]], np.float64)
    assert first_hits(flipped, np.zeros((1, 2))).triangles.tolist() == [0]
    edge_on = np.array([[[0, -1, 0], [0, 1, 0], [0, 0, 5]]], np.float64)
    assert first_hits(edge_on, np.zeros((1, 2))).triangles.tolist() == [-1]


def test_nothing_is_hit_without_triangles() -> None:
    assert first_hits(np.empty((0, 3, 3)), np.zeros((2, 2))).triangles.tolist() == [-1, -1]
    assert first_hits(np.array([NEAR], np.float64), np.empty((0, 2))).z.shape == (0,)


def test_many_rays_go_in_several_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    corners = rng.uniform(-1, 1, (40, 3, 3))
    points = rng.uniform(-1, 1, (300, 2))
    whole = first_hits(corners, points)
    monkeypatch.setattr(raycast, "_MAX_PAIRS", 7 * 40)
    batched = first_hits(corners, points)
    np.testing.assert_array_equal(batched.triangles, whole.triangles)
    np.testing.assert_allclose(batched.z, whole.z)
