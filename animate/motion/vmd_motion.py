"""MMD's motion files as motions of the six axes.

首 and 頭 are sampled as MMD does (spherical interpolation along the keyframe's Bezier curve) and
their product is taken apart in the order in which the axes turn: neck_z, then head_y, then head_x.
Bones below the neck (上半身, 上半身2) are left out: they turn the shoulders too, which the pictures
have not. Morphs go by their standard names; a morph of weight 0 is an open eye or a closed mouth.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from animate.motion.motion import F64, MAX_FRAMES, NEUTRAL, Motion
from contract.errors import InputError
from contract.pose import AXES, AXIS_NAMES, JOINT_AXES, JOINT_RADIANS_AT_ONE
from renderer.formats.vmd import FRAMES_PER_SECOND, Records, Vmd, read_vmd, rotation_curves

NECK, HEAD = "首", "頭"
_IGNORED_BONES = ("上半身", "上半身2")
_BOTH_EYES = ("まばたき", "笑い")
EYES: Mapping[str, tuple[str, ...]] = {
    "left_eye": (*_BOTH_EYES, "ウィンク", "ウィンク２"),
    "right_eye": (*_BOTH_EYES, "ウィンク右", "ウィンク２右", "ｳｨﾝｸ２右"),
}
"""Morphs that close an eye; the one that closes it most counts, for a shut eye shuts no further."""
MOUTH: Mapping[str, float] = {
    "あ": 1.0,
    "ワ": 0.8,
    "お": 0.6,
    "え": 0.5,
    "い": 0.25,
    "う": 0.25,
}
"""How far morphs open the mouth, beside あ; they add up, as MMD adds their offsets."""


def read_motion(path: Path, fps: float) -> Motion:
    """A VMD file's motion at ``fps`` frames a second; notes say what was clamped or left out.

    Raises:
        FormatError: the file is unreadable, cut short, no VMD, or what moves the axes has numbers
            that are not finite.
        InputError: it moves neither 首 nor 頭 nor any morph of eyes or mouth, or is too long.
    """
    motion = read_vmd(path)
    used = {NECK, HEAD, *MOUTH, *EYES["left_eye"], *EYES["right_eye"]}
    if unusable := used & motion.broken.keys():
        raise motion.broken[min(unusable)]
    morphs = (used - {NECK, HEAD}) & set(motion.morphs)
    if not morphs and not {NECK, HEAD} & set(motion.bones):
        raise InputError(
            f"{path}: moves neither {NECK} nor {HEAD} nor a morph of eyes or mouth "
            f"({len(motion.bones)} other bones, {len(motion.morphs)} other morphs); "
            "give a motion of a whole figure or of a face"
        )
    frames = round(motion.last_frame / FRAMES_PER_SECOND * fps) + 1
    if frames > MAX_FRAMES:
        raise InputError(f"{path}: {frames} frames; at most {MAX_FRAMES} are made: lower --fps")
    at = np.arange(frames, dtype=np.float64) * (FRAMES_PER_SECOND / fps)
    poses = np.tile(NEUTRAL.to_vector().astype(np.float64), (frames, 1))
    poses[:, [AXIS_NAMES.index(axis) for axis in JOINT_AXES]] = joint_values(motion, at)
    for axis, names in EYES.items():
        closed = [_sampled_weight(motion, name, at) for name in names]
        poses[:, AXIS_NAMES.index(axis)] = np.max(closed, axis=0)
    opened = [share * _sampled_weight(motion, name, at) for name, share in MOUTH.items()]
    poses[:, AXIS_NAMES.index("mouth")] = np.sum(opened, axis=0)
    low, high = (np.array([getattr(axis, end) for axis in AXES]) for end in ("low", "high"))
    notes = (
        *([f"{path}: {motion.note}; the rest is used"] if motion.note else []),
        *_clamped(path, poses, low, high),
        *_left_out(path, motion),
        *_unmoved(path, poses),
    )
    return Motion(fps, np.clip(poses, low, high), notes)


def joint_values(motion: Vmd, at: F64) -> F64:
    """head_x, head_y, neck_z, not clamped, (frames, 3), at these times in VMD frames."""
    neck = _sampled_rotation(motion.bones.get(NECK), at)
    head = _sampled_rotation(motion.bones.get(HEAD), at)
    return joints_of(_product(neck, head))


def joints_of(rotations: F64) -> F64:
    """head_x, head_y, neck_z, (n, 3), of quaternions (n, 4): q = neck_z * head_y * head_x.

    In MMD's numbers, where the axes' positive turns are the quaternions' own.
    """
    x, y, z, w = rotations.T
    head_x = np.arctan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
    head_y = np.arcsin(np.clip(2 * (w * y - x * z), -1, 1))
    neck_z = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    return np.stack([head_x, head_y, neck_z], axis=1) / JOINT_RADIANS_AT_ONE


def _sampled_rotation(track: Records | None, at: F64) -> F64:
    """Quaternions (frames, 4) of a bone; before the first and after the last keyframe it rests."""
    if track is None:
        return np.tile([0.0, 0.0, 0.0, 1.0], (len(at), 1))
    after = np.clip(np.searchsorted(track["frame"], at, side="right"), 0, len(track) - 1)
    before = np.maximum(after - 1, 0)
    start = track["frame"][before].astype(np.float64)
    length = track["frame"][after] - start
    share = np.clip((at - start) / np.where(length > 0, length, 1.0), 0, 1)
    eased = _bezier(rotation_curves(track[after]), share)
    return _slerp(_unit(track["rotation"][before]), _unit(track["rotation"][after]), eased)


def _bezier(curves: F64, x: F64) -> F64:
    """y at ``x`` (n,) of Bezier curves from (0, 0) to (1, 1) with inner points x1 y1 x2 y2."""
    x1, y1, x2, y2 = curves.T
    low, high = np.zeros_like(x), np.ones_like(x)
    # x grows with the parameter, for all inner points lie in the unit square.
    for _ in range(24):
        middle = (low + high) / 2
        is_left = _cubic(x1, x2, middle) < x
        low, high = np.where(is_left, middle, low), np.where(is_left, high, middle)
    return _cubic(y1, y2, (low + high) / 2)


def _cubic(first: F64, second: F64, t: F64) -> F64:
    return 3 * (1 - t) ** 2 * t * first + 3 * (1 - t) * t**2 * second + t**3


def _unit(rotations: Records) -> F64:
    """At unit length; no rotation where there is no length."""
    q = rotations.astype(np.float64)
    length = np.linalg.norm(q, axis=1, keepdims=True)
    return np.where(length > 1e-12, q / np.maximum(length, 1e-12), [0.0, 0.0, 0.0, 1.0])


def _slerp(a: F64, b: F64, share: F64) -> F64:
    """The short way from a to b (n, 4)."""
    cosine = (a * b).sum(axis=1)
    b = np.where(cosine[:, None] < 0, -b, b)
    angle = np.arccos(np.clip(np.abs(cosine), 0, 1))
    sine = np.sin(angle)
    is_short = sine < 1e-6
    divisor = np.where(is_short, 1.0, sine)
    of_a = np.where(is_short, 1 - share, np.sin((1 - share) * angle) / divisor)
    of_b = np.where(is_short, share, np.sin(share * angle) / divisor)
    return of_a[:, None] * a + of_b[:, None] * b


def _product(a: F64, b: F64) -> F64:
    """Hamilton products (n, 4): b turns first, then a."""
    va, vb = a[:, :3], b[:, :3]
    wa, wb = a[:, 3:], b[:, 3:]
    vector = wa * vb + wb * va + np.cross(va, vb)
    return np.hstack([vector, wa * wb - (va * vb).sum(axis=1, keepdims=True)])


def _sampled_weight(motion: Vmd, name: str, at: F64) -> F64:
    """(frames,), linear between keyframes; 0 where the file has no such morph."""
    track = motion.morphs.get(name)
    if track is None:
        return np.zeros(len(at))
    weights: F64 = np.interp(at, track["frame"], track["weight"])
    return weights


def _clamped(path: Path, poses: F64, low: F64, high: F64) -> list[str]:
    """A line for each axis that goes beyond what the networks know; float noise does not count."""
    notes: list[str] = []
    for axis, values, least, most in zip(AXES, poses.T, low, high, strict=True):
        beyond = np.maximum(values - most, least - values)
        count = int((beyond > 1e-4).sum())
        if not count:
            continue
        extreme = float(values[np.argmax(beyond)])
        in_degrees = f"{np.degrees(extreme * JOINT_RADIANS_AT_ONE):.1f} degrees"
        reached = in_degrees if axis.name in JOINT_AXES else f"{extreme:.2f}"
        notes.append(
            f"{path}: {axis.name} clamped in {count} of {len(values)} frames (up to {reached})"
        )
    return notes


def _left_out(path: Path, motion: Vmd) -> list[str]:
    names = [name for name in _IGNORED_BONES if name in motion.bones and _turns(motion.bones[name])]
    if not names:
        return []
    return [f"{path}: {' and '.join(names)} not used: they turn the shoulders with the head"]


def _unmoved(path: Path, poses: F64) -> list[str]:
    if np.abs(poses - NEUTRAL.to_vector()).max() > 0.01:
        return []
    return [f"{path}: moves neither head, eyes nor mouth; what it moves, the six axes cannot show"]


def _turns(track: Records) -> bool:
    return bool((np.abs(track["rotation"][:, :3]) > 1e-3).any())
