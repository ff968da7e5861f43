"""Motions: VMD, tables of poses, calibrations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tests.support.fuzzing.mutation import any_number, anywhere, at_marks, in_json
from tests.support.fuzzing.target import Seed, Target


def _vmd(_folder: Path) -> list[Seed]:
    from tests.support.vmd_bytes import bone, morph, vmd

    turned = (0.1, 0.2, 0.0, 0.97)
    data = vmd(
        [bone("頭", 0), bone("頭", 20, turned), bone("首", 10, turned), bone("上半身", 5)],
        [morph("あ", 0, 0.0), morph("あ", 12, 1.0), morph("まばたき", 7, 1.0)],
    )
    marks = [(50, "I"), (54 + 4 * 111, "I"), (69, "I"), (54 + 111 + 15, "I")]
    return [Seed(data, (at_marks(marks), any_number, anywhere))]


def _read_vmd(path: Path) -> None:
    from animate.motion.vmd_motion import read_motion

    read_motion(path, 30.0)


def _tables(_folder: Path) -> list[Seed]:
    text = "time,head_x,left_eye,mouth\n0,0.5,1,0\n0.5,-0.5,0,1\n1.25,0,0.25,0.5\n"
    return [Seed(text.encode(), (in_table, anywhere))]


def in_table(rng: np.random.Generator, data: bytes) -> bytes:
    """A table with cells changed, doubled or removed."""
    rows = [line.split(b",") for line in data.splitlines()]
    cells = (
        b"nan",
        b"inf",
        b"",
        b'"',
        b"1e999",
        b"-1",
        b"0x1",
        b"time",
        b"\xff",
        b"\0",
        b"9" * 400,
    )
    for _ in range(int(rng.integers(1, 5))):
        row = rows[int(rng.integers(len(rows)))]
        at = int(rng.integers(len(row) + 1))
        row[at : at + int(rng.integers(2))] = [cells[int(rng.integers(len(cells)))]]
    return b"\n".join(b",".join(row) for row in rows) + b"\n"


def _read_table(path: Path) -> None:
    from animate.motion.motion import read_csv

    read_csv(path, 25.0)


def _calibrations(_folder: Path) -> list[Seed]:
    names = "head_x head_y neck_z left_shut left_open right_shut right_open mouth_shut mouth_open"
    values = {name: number / 10 for number, name in enumerate(names.split())}
    return [Seed(json.dumps(values).encode(), (in_json,))]


def _read_calibration(path: Path) -> None:
    from animate.track.calibration import load

    load(path)


TARGETS: Mapping[str, Target] = {
    "vmd": Target("motion.vmd", _vmd, _read_vmd, share=2),
    "pose-tables": Target("poses.csv", _tables, _read_table),
    "calibrations": Target("calibration.json", _calibrations, _read_calibration),
}
