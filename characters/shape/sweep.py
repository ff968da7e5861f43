"""Solid locks: centre lines swept with a lens-shaped cross-section.

All strands of one call are built at once: arrays have a leading axis S (strands) and an axis N
(stations along the strand).
"""

from __future__ import annotations

import numpy as np

from characters.base.curves import F64, ease, unit
from characters.base.surface import I64, Surface

# The section's corners: across in [-1, 1] and out in [-1, 1]. Both edges exist twice, once for the
# outer side and once for the inner one, which has its own (shaded) part of the texture.
_ACROSS = np.array([-1.0, -0.55, 0.0, 0.55, 1.0, 1.0, 0.0, -1.0])
_OUT = np.array([0.0, 0.62, 0.82, 0.62, 0.0, 0.0, -0.55, 0.0])
_INNER = np.array([0, 0, 0, 0, 0, 1, 1, 1])
SECTION = len(_ACROSS)


def taper(stations: int, start: float, full: float, tip: float, power: float = 0.8) -> F64:
    """Relative width (N,) along a strand: ``start`` at the root, 1 from ``full``, 0 at the end.

    The narrowing begins at ``tip`` (a share of the length); ``power`` below 1 keeps it full.
    """
    t = np.linspace(0, 1, stations)
    narrow = np.clip((1 - t) / (1 - tip), 0, 1) ** power
    return (start + (1 - start) * ease(t, 0, full)) * np.maximum(narrow, 0.012)


def sweep(
    centres: F64,
    outward: F64,
    half_width: F64,
    thickness: F64,
    u: tuple[F64, F64],
    v: F64,
    bones: I64,
    weights: F64,
) -> Surface:
    """Strands as one surface.

    ``centres`` (S, N, 3); ``outward`` (S, N, 3) the side that is seen; ``half_width`` and
    ``thickness`` (S, N); texture ``u`` from and to (S,) across, 0..1 (the texture's left half
    holds the outer side, its right half the inner side), ``v`` (S, N) along;
    ``bones`` (S, N, 2) with first shares ``weights`` (S, N).
    """
    tangent = unit(np.gradient(centres, axis=1))
    side = unit(np.cross(tangent, outward))
    out = unit(np.cross(side, tangent))
    across = side[:, :, None] * (_ACROSS[:, None] * half_width[..., None, None])
    lift = out[:, :, None] * (_OUT[:, None] * thickness[..., None, None])
    positions = centres[:, :, None] + across + lift
    flat = half_width / np.maximum(thickness, 1e-9)
    toward_viewer = np.array([0.0, 0.1, -0.45])
    normals = unit(
        toward_viewer * (_INNER == 0)[:, None]
        + out[:, :, None] * np.where(_INNER, -1.0, 1.0)[:, None]
        + side[:, :, None] * (_ACROSS[:, None] * np.minimum(2.2 / flat, 1.1)[..., None, None])
    )
    strands, stations = v.shape
    share = (_ACROSS + 1) / 2
    us = (u[0][:, None, None] + (u[1] - u[0])[:, None, None] * share) / 2 + _INNER / 2
    uv = np.stack(np.broadcast_arrays(us, v[..., None]), -1)
    # Outlines thin out toward the tips, where two sides of a lock would melt into one dark blot.
    t = np.linspace(0, 1, stations)
    line = (0.4 + 0.6 * ease(t, 0.0, 0.3)) * (0.25 + 0.75 * ease(t, 1.0, 0.7))
    return Surface(
        positions=positions.reshape(-1, 3),
        normals=normals.reshape(-1, 3),
        uv=uv.reshape(-1, 2),
        faces=_faces(strands, stations),
        bones=np.repeat(bones.reshape(-1, 2), SECTION, 0),
        weights=np.repeat(weights.reshape(-1), SECTION),
        edge_scales=np.broadcast_to(line[None, :, None], (strands, stations, SECTION)).ravel(),
    )


def _faces(strands: int, stations: int) -> I64:
    index = np.arange(strands * stations * SECTION).reshape(strands, stations, SECTION)
    faces = []
    for k in (0, 1, 2, 3, 5, 6):  # 4 to 5 and 7 to 0 join the doubled edges
        a, b = index[:, :-1, k].ravel(), index[:, :-1, k + 1].ravel()
        c, d = index[:, 1:, k].ravel(), index[:, 1:, k + 1].ravel()
        faces += [np.stack([a, d, c], 1), np.stack([a, b, d], 1)]
    return np.concatenate(faces)
