"""What a viewer straight ahead sees first: rays along +z against a handful of triangles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

_MAX_PAIRS = 1 << 19  # of rays and triangles at once: a few MiB for each temporary array
_MAX_POINTS = 58  # at once: neighbours, so that few triangles are near them all
_MIN_AREA = 1e-12


@dataclass(frozen=True)
class Hits:
    """The first hit of each of N rays: its triangle (-1 for none), z (inf) and barycentrics."""

    triangles: Index  # (N,)
    z: F64  # (N,)
    weights: F64  # (N, 3)


def first_hits(corners: F64, points: F64, beyond: F64 | None = None) -> Hits:
    """The hits with the least z of rays through ``points`` (N, 2) with triangles (T, 3, 3).

    ``beyond`` (N,): hits whose z is not greater than this do not count.
    """
    hits = Hits(
        np.full(len(points), -1, np.intp),
        np.full(len(points), np.inf),
        np.zeros((len(points), 3)),
    )
    if not len(corners) or not len(points):
        return hits
    a, b, c = (corners[:, k, :2].T for k in range(3))
    least, most = np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    about = np.flatnonzero((most[0] >= x0) & (least[0] <= x1) & (most[1] >= y0) & (least[1] <= y1))
    least, most = least[:, about], most[:, about]
    step = max(1, min(_MAX_POINTS, _MAX_PAIRS // max(1, len(about))))
    for start in range(0, len(points), step):
        chunk = slice(start, start + step)
        (x0, y0), (x1, y1) = points[chunk].min(axis=0), points[chunk].max(axis=0)
        near = np.flatnonzero(
            (most[0] >= x0) & (least[0] <= x1) & (most[1] >= y0) & (least[1] <= y1)
        )
        if len(near):
            near = about[near]
            after = None if beyond is None else beyond[chunk]
            _fill(hits, chunk, corners[near], points[chunk], near, after)
    return hits


def _fill(
    hits: Hits,
    chunk: slice,
    corners: F64,
    points: F64,
    places: Index,
    beyond: F64 | None,
) -> None:
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    ca, cb = a - c, b - c
    area = ca[:, 0] * cb[:, 1] - ca[:, 1] * cb[:, 0]
    facing = np.abs(area) > _MIN_AREA
    if not facing.any():
        return
    ca, cb, c, area, places = ca[facing], cb[facing], c[facing], area[facing], places[facing]
    x, y = points[:, :1] - c[:, 0], points[:, 1:] - c[:, 1]
    u = (x * cb[:, 1] - y * cb[:, 0]) / area
    v = (y * ca[:, 0] - x * ca[:, 1]) / area
    inside = (u >= 0) & (v >= 0) & (u + v <= 1)
    z = np.where(inside, c[:, 2] + u * ca[:, 2] + v * cb[:, 2], np.inf)
    if beyond is not None:
        z = np.where(z > beyond[:, None], z, np.inf)
    nearest = z.argmin(axis=1)
    rows = np.arange(len(points))
    hit = np.isfinite(z[rows, nearest])
    u, v = u[rows, nearest], v[rows, nearest]
    hits.triangles[chunk] = np.where(hit, places[nearest], -1)
    hits.z[chunk] = z[rows, nearest]
    hits.weights[chunk] = np.where(hit[:, None], np.stack([u, v, 1 - u - v], axis=1), 0)
