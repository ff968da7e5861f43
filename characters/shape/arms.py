"""Arms in their poses, with hands and sleeves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from characters.base.atlas import cell, skin_patch
from characters.base.curves import F64, ease, unit
from characters.base.rigging import BONE, Arm, arm, joints
from characters.base.surface import I64, Surface, tube
from characters.design.spec import Body

Flags = npt.NDArray[np.bool_]
_STATIONS = 21
_FINGERS = ((-0.042, 0.095), (-0.014, 0.120), (0.014, 0.115), (0.040, 0.090))  # across, length


def build_arms(body: Body, cloth: str) -> tuple[list[Surface], list[Surface]]:
    """Arms of skin with hands, and their sleeves."""
    thick = 0.078 + (0.02 if body.male else 0.0)
    skin, sleeves = [], []
    for side, sign in (("左", 1), ("右", -1)):
        posed = arm(body, sign)
        line, t = _line(body, posed, sign)
        upper = t < 1
        chain = np.array([BONE[f"{side}腕"], BONE[f"{side}ひじ"]])
        bones = np.where(upper[:, None], chain, chain[::-1])
        weights = 0.5 + 0.5 * ease(np.abs(t - 1), 0.0, 0.25)
        radius = np.interp(t, [0, 0.3, 1, 2], [thick, thick, thick * 0.8, thick * 0.6])
        skin.append(tube(line, radius, skin_patch(len(t)), bones, weights))
        skin += _hand(posed, side)
        if body.sleeve > 0:
            from_shoulder = 0.42 if body.outfit == "off_shoulder" else 0.0
            keep = (t <= body.sleeve + 1e-6) & (t >= from_shoulder)
            sleeves.append(_sleeve(line, t, radius, keep, bones, weights, cloth))
    return skin, sleeves


def _line(body: Body, posed: Arm, sign: int) -> tuple[F64, F64]:
    """The arm's centre line (N, 3) and t (N,): 0 inside the torso, 1 at the elbow, 2 the wrist."""
    x, y, z = joints(body).shoulder
    knots = np.array(
        [[sign * (x - 0.17), y - 0.015, z], [sign * (x - 0.035), y - 0.040, z], posed.elbow,
         posed.wrist]
    )  # fmt: skip
    t = np.linspace(0, 2, _STATIONS)
    line = np.stack([np.interp(t, [0, 0.24, 1, 2], knots[:, k]) for k in range(3)], 1)
    for _ in range(2):  # round off shoulder and elbow
        line[1:-1] = (line[:-2] + 2 * line[1:-1] + line[2:]) / 4
    return line, t


def _sleeve(
    line: F64,
    t: F64,
    radius: F64,
    keep: npt.NDArray[np.bool_],
    bones: I64,
    weights: F64,
    cloth: str,
) -> Surface:
    puff = 0.022 + 0.012 * ease(t[keep], 0.3, 1.0)
    part = tube(
        line[keep], radius[keep] + puff, cell(cloth, 0.5, t[keep] / 2.2),
        bones[keep], weights[keep],
    )  # fmt: skip
    # No outline where the sleeve comes out of the torso.
    seam = np.repeat(ease(t[keep], 0.25, 0.5), len(part.positions) // int(keep.sum()))
    return replace(part, edge_scales=seam)


def _hand(posed: Arm, side: str) -> list[Surface]:
    """A palm, four fingers and a thumb."""
    wrist, way, palm = np.array(posed.wrist), np.array(posed.way), np.array(posed.palm)
    palm = unit(palm - way * (palm @ way))
    across = np.cross(way, palm) * (1 if side == "左" else -1)
    t = np.array([-0.02, 0.03, 0.08, 0.13, 0.155])
    line = wrist + way * t[:, None]
    flat = _flattened(line, np.array([0.040, 0.052, 0.064, 0.062, 0.040]), palm, 0.55, side)
    parts = [flat]
    for aside, length in _FINGERS:
        start = wrist + way * (0.135 - 6.0 * aside**2) + across * aside
        parts.append(_finger(start, way, palm, length, 0.019, posed.curl, side))
    thumb = unit(way * 0.75 + across * 0.65 + palm * 0.3)
    start = wrist + way * 0.045 + across * 0.045
    parts.append(_finger(start, thumb, palm, 0.10, 0.021, 0.3 * posed.curl, side))
    return parts


def _finger(
    start: F64, way: F64, palm: F64, length: float, radius: float, curl: float, side: str
) -> Surface:
    t = np.linspace(0, 1, 6)
    angle = curl * t
    step = np.cos(angle)[:, None] * way + np.sin(angle)[:, None] * palm
    line = start + np.cumsum(step, 0) * length / len(t)
    return _of_hand(line, radius * np.array([0.9, 1.0, 1.0, 0.95, 0.8, 0.1]), side, 7)


def _flattened(line: F64, radius: F64, normal: F64, share: float, side: str) -> Surface:
    """A tube squeezed along ``normal``."""
    part = _of_hand(line, radius, side, 10)
    out = part.positions - np.repeat(line, 10, 0)
    squeezed = part.positions - (out @ normal)[:, None] * normal * (1 - share)
    return replace(part, positions=squeezed)


def _of_hand(line: F64, radius: F64, side: str, around: int) -> Surface:
    count = len(line)
    bones = np.tile(np.array([BONE[f"{side}手首"], BONE[f"{side}ひじ"]]), (count, 1))
    return tube(line, radius, skin_patch(count), bones, np.ones(count), around)
