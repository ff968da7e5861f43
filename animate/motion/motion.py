"""Poses over time: built-in motions, and tables of poses.

Every built-in motion loops without a seam: it is periodic over its own length.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from contract.easing import smoothstep
from contract.errors import InputError
from contract.files import read_file
from contract.pose import AXES, AXIS_NAMES, Pose, pose_from_vector

F64 = npt.NDArray[np.float64]

NEUTRAL = Pose(mouth=0.0)
"""How a character looks when nothing is said: eyes open, mouth closed, head straight."""

MAX_FRAMES = 100_000
_MAX_CSV_BYTES = 16 << 20
_CLOSING, _CLOSED, _OPENING = 0.07, 0.05, 0.13  # seconds of a blink
BLINK_SECONDS = _CLOSING + _CLOSED + _OPENING
"""From open eyes to open eyes."""


@dataclass(frozen=True)
class Motion:
    """``poses``: (frames, 6) in the order of ``contract.pose.AXIS_NAMES``, each in its range.

    ``notes``: what a person should know of how it was made (clamped angles, say).
    """

    fps: float
    poses: F64
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.fps <= 1000:
            raise InputError(f"motion: {self.fps:g} frames a second; give 1 to 1000")
        if not 0 < len(self.poses) <= MAX_FRAMES:
            raise InputError(f"motion: {len(self.poses)} frames; it may have 1 to {MAX_FRAMES}")

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return len(self.poses) / self.fps

    def pose(self, frame: int) -> Pose:
        """The pose of a frame."""
        return pose_from_vector(self.poses[frame])


def cut(motion: Motion, seconds: float) -> Motion:
    """The first ``seconds`` of a motion; all of it for 0 and where it is shorter."""
    frames = round(min(seconds * motion.fps, MAX_FRAMES)) or len(motion.poses)
    return replace(motion, poses=motion.poses[:frames])


def built_in(name: str, seconds: float, fps: float, seed: int = 0) -> Motion:
    """One of ``MOTIONS``, ``seconds`` long (0: as long as it should be).

    Raises:
        InputError: no such motion, or no such length.
    """
    if name not in MOTIONS:
        raise InputError(f"motion {name}: unknown; choose {', '.join(MOTIONS)}")
    make, usual = MOTIONS[name]
    seconds = seconds or usual
    frames = max(1, round(min(seconds * fps, MAX_FRAMES + 1.0)))
    time = np.arange(frames) / fps
    tracks = make(time, frames / fps, np.random.default_rng(seed))
    return Motion(fps, poses_of_tracks(frames, tracks))


def poses_of_tracks(frames: int, tracks: Mapping[str, F64]) -> F64:
    """(frames, 6) of the given axes, the others neutral; all clamped to their ranges."""
    poses = np.tile(NEUTRAL.to_vector().astype(np.float64), (frames, 1))
    for name, values in tracks.items():
        poses[:, AXIS_NAMES.index(name)] = values
    low, high = (np.array([getattr(axis, end) for axis in AXES]) for end in ("low", "high"))
    clamped: F64 = np.clip(poses, low, high)
    return clamped


Tracks = Mapping[str, F64]


def _wave(time: F64, period: float, cycles: float, phase: float = 0.0) -> F64:
    """A sine that goes through a whole number of cycles (at least one) in a period."""
    whole = max(1, round(cycles))
    wave: F64 = np.sin(2 * math.pi * (whole * time / period + phase))
    return wave


def blinks(time: F64, period: float, starts: list[float]) -> F64:
    """Closedness of eyes that blink at these seconds, (frames,) in [0, 1]; wraps around.

    time: (frames,) seconds, growing, in [0, period).
    """
    closed = np.zeros(len(time))
    for start in starts:
        for begin in (start % period, start % period - period):
            first, last = np.searchsorted(time, (begin, begin + BLINK_SECONDS))
            since = time[first:last] - begin
            falling = np.clip(since / _CLOSING, 0, 1)
            rising = np.clip((since - _CLOSING - _CLOSED) / _OPENING, 0, 1)
            shut = smoothstep(falling) * (1 - smoothstep(rising))
            closed[first:last] = np.maximum(closed[first:last], shut)
    return closed


def _both_eyes(closed: F64) -> dict[str, F64]:
    return {"left_eye": closed, "right_eye": closed}


def _blink(time: F64, period: float, _rng: np.random.Generator) -> Tracks:
    return _both_eyes(blinks(time, period, [period / 2]))


def _nod(time: F64, period: float, _rng: np.random.Generator) -> Tracks:
    # Down and up, twice, from the straight head: a nod never looks at the ceiling.
    return {"head_x": -0.8 * (0.5 - 0.5 * np.cos(2 * math.pi * 2 * time / period))}


def _shake(time: F64, period: float, _rng: np.random.Generator) -> Tracks:
    strength = np.sin(math.pi * time / period) ** 0.5
    return {"head_y": 0.9 * strength * np.sin(2 * math.pi * 2 * time / period)}


def _sway(time: F64, period: float, _rng: np.random.Generator) -> Tracks:
    return {
        "neck_z": 0.8 * _wave(time, period, 1),
        "head_y": 0.5 * _wave(time, period, 1, 0.2),
        "head_x": 0.15 * _wave(time, period, 2),
    }


def _talk(time: F64, period: float, rng: np.random.Generator) -> Tracks:
    """Syllables, about five a second, of random openness, in phrases with pauses between."""
    count = max(2, round(5 * period))
    openness = rng.uniform(0.25, 0.9, count) * (rng.random(count) > 0.15)
    openness[-1] = 0.0
    place = time / period * count
    syllable = place.astype(int) % count
    mouth = openness[syllable] * np.sin(math.pi * (place % 1)) ** 0.8
    closed = blinks(time, period, [0.4 * period])
    nods = {
        "head_x": 0.2 * _wave(time, period, period / 1.4),
        "head_y": 0.25 * _wave(time, period, period / 3),
    }
    return {"mouth": mouth, **nods, **_both_eyes(closed)}


def _idle(time: F64, period: float, rng: np.random.Generator) -> Tracks:
    """Breath, a slow sway of the head, irregular blinks, now and then two at once."""
    phases = rng.random(6)
    head_y = 0.28 * _wave(time, period, period / 6.5, phases[0])
    head_y += 0.14 * _wave(time, period, period / 3.1, phases[1])
    neck_z = 0.22 * _wave(time, period, period / 8, phases[2])
    neck_z += 0.07 * _wave(time, period, period / 2.7, phases[3])
    breath = _wave(time, period, period / 3.6, phases[4])
    head_x = 0.1 * breath + 0.12 * _wave(time, period, period / 5.2, phases[5])
    closed = blinks(time, period, blink_starts(period, rng))
    mouth = 0.04 * (1 + breath)
    tracks = {"head_x": head_x, "head_y": head_y, "neck_z": neck_z, "mouth": mouth}
    return {**tracks, **_both_eyes(closed)}


def blink_starts(seconds: float, rng: np.random.Generator) -> list[float]:
    """When eyes blink in that time: irregularly, now and then twice."""
    starts, at = [], rng.uniform(0.6, 1.6)
    while at < seconds - 0.5:
        starts.append(at)
        if rng.random() < 0.2:
            starts.append(at + 0.32)
        at += rng.uniform(1.6, 4.5)
    return starts


MOTIONS: Mapping[str, tuple[Callable[[F64, float, np.random.Generator], Tracks], float]] = {
    "idle": (_idle, 8.0),
    "blink": (_blink, 1.5),
    "nod": (_nod, 2.0),
    "shake": (_shake, 2.0),
    "sway": (_sway, 4.0),
    "talk": (_talk, 4.0),
}
"""Built-in motions and their usual seconds."""


def read_csv(path: Path, fps: float) -> Motion:
    """A table of poses with a header: columns named by axis, and ``time`` (seconds) or none.

    Axes without a column stay neutral. With ``time`` the poses are interpolated to ``fps``;
    without, each row is a frame.

    Raises:
        InputError: it is no such table; the row is named.
    """
    rows = _rows(path)
    names = [name for name in rows[0] if name in AXIS_NAMES]
    values = np.array([_numbers(path, n, row, names) for n, row in enumerate(rows, 2)])
    _require_ranges(path, names, values)
    if "time" not in rows[0]:
        return Motion(fps, poses_of_tracks(len(values), dict(zip(names, values.T, strict=True))))
    at = np.array([_numbers(path, n, row, ["time"])[0] for n, row in enumerate(rows, 2)])
    if (np.diff(at) <= 0).any():
        first = int(np.flatnonzero(np.diff(at) <= 0)[0]) + 3
        raise InputError(f"{path}: line {first}: time does not go on; sort the rows by time")
    length = (at[-1] - at[0]) * fps
    frames = round(min(length, float(MAX_FRAMES))) + 1
    time = at[0] + np.arange(frames) / fps
    tracks = {
        name: np.interp(time, at, column) for name, column in zip(names, values.T, strict=True)
    }
    return Motion(fps, poses_of_tracks(frames, tracks))


def _rows(path: Path) -> list[dict[str, str]]:
    data = read_file(path, _MAX_CSV_BYTES)
    try:
        text = data.decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text), restval="", strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: is no CSV table ({error!s:.80})") from error
    if not rows or not set(rows[0]) & set(AXIS_NAMES):
        raise InputError(
            f"{path}: no rows, or no column of an axis; the first line names the columns: "
            f"time and any of {', '.join(AXIS_NAMES)}"
        )
    return rows


def _numbers(path: Path, line: int, row: Mapping[str, str], names: list[str]) -> list[float]:
    try:
        values = [float(row[name]) for name in names]
    except ValueError as error:
        raise InputError(f"{path}: line {line}: {error}; write numbers") from error
    if not all(map(math.isfinite, values)):
        raise InputError(f"{path}: line {line}: a number is not finite")
    return values


def _require_ranges(path: Path, names: list[str], values: F64) -> None:
    for name, column in zip(names, values.T, strict=True):
        axis = AXES[AXIS_NAMES.index(name)]
        outside = np.flatnonzero((column < axis.low) | (column > axis.high))
        if len(outside):
            raise InputError(
                f"{path}: line {outside[0] + 2}: {name} is {column[outside[0]]:g}; it must lie in "
                f"[{axis.low:g}, {axis.high:g}]"
            )


def write_csv(motion: Motion) -> str:
    """The table of a motion: ``time`` and the six axes."""
    lines = [",".join(("time", *AXIS_NAMES))]
    for frame, pose in enumerate(motion.poses):
        lines.append(",".join([f"{frame / motion.fps:.4f}", *(f"{value:.4f}" for value in pose)]))
    return "\n".join(lines) + "\n"
