"""What a person's face is like at rest and at its widest, and poses measured against that."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from animate.track.face_measures import F64, MEASURES, Measures
from contract.errors import InputError
from contract.files import read_file, write_bytes
from contract.pose import AXES, FACE, JOINTS
from contract.records import decode_json

_MOST_BYTES = 1 << 20
_USUAL_SHUT_OF_OPEN = 0.3  # of lids that never shut while the calibration was made
_LEAST_OPEN = 0.05  # of lids: whoever begins with shut eyes has open ones too
_RELAXED = 0.9  # lids a little lower than usual are open
_LEAST_MOUTH = 0.12  # of the face's height: whoever hardly speaks still does not gape
_MIRROR_SIGNS = np.array([1.0, -1.0, -1.0, 1.0, 1.0, 1.0])
_MIRROR_ORDER = [0, 1, 2, 4, 3, 5]


@dataclass(frozen=True)
class Calibration:
    """Of one person before one camera, in the units of ``Measures``."""

    head_x: float
    head_y: float
    neck_z: float
    left_shut: float
    left_open: float
    right_shut: float
    right_open: float
    mouth_shut: float
    mouth_open: float


def calibrate(measures: Measures, seconds: float) -> Calibration:
    """From the frames with a face among the first ``seconds``; percentiles, so outliers are free.

    Raises:
        InputError: there is no face in them.
    """
    chosen = measures.values[measures.has_face & (measures.seconds <= seconds)]
    if not len(chosen):
        raise InputError(
            f"no face in the first {seconds:g} seconds; calibrate with one, or for longer"
        )
    head = np.median(chosen[:, JOINTS], axis=0)
    left, right = (_lids(chosen[:, MEASURES.index(name)]) for name in ("left_open", "right_open"))
    mouth = chosen[:, MEASURES.index("mouth_open")]
    shut = float(np.percentile(mouth, 10))
    wide = max(float(np.percentile(mouth, 97)), shut + _LEAST_MOUTH)
    head_x, head_y, neck_z = map(float, head)
    return Calibration(head_x, head_y, neck_z, *left, *right, shut, wide)


def _lids(openness: F64) -> tuple[float, float]:
    """Shut and open: the least seen where that was a blink, and the usual."""
    usual = max(float(np.median(openness)), _LEAST_OPEN)
    least = float(np.percentile(openness, 1))
    return min(least, usual * _USUAL_SHUT_OF_OPEN), usual


def poses(measures: Measures, calibration: Calibration, *, mirrored: bool) -> F64:
    """(frames, 6) poses in the order of the axes, in their ranges; NaN without a face.

    ``mirrored``: as in a mirror: eyes change sides, turns and leans their signs.
    """
    c = calibration
    head = measures.values[:, JOINTS] - (c.head_x, c.head_y, c.neck_z)
    left, right, mouth = measures.values[:, FACE].T
    values = np.column_stack(
        [
            head,
            _closed(left, c.left_shut, c.left_open),
            _closed(right, c.right_shut, c.right_open),
            (mouth - c.mouth_shut) / (c.mouth_open - c.mouth_shut),
        ]
    )
    if mirrored:
        values = (values * _MIRROR_SIGNS)[:, _MIRROR_ORDER]
    clipped: F64 = np.clip(values, [axis.low for axis in AXES], [axis.high for axis in AXES])
    return clipped


def _closed(openness: F64, shut: float, usual: float) -> F64:
    relaxed = shut + _RELAXED * (usual - shut)
    return (relaxed - openness) / (relaxed - shut)


def save(calibration: Calibration, path: Path) -> None:
    """Write it as JSON; ``InputError`` when that cannot be."""
    write_bytes(path, (json.dumps(asdict(calibration), indent=1) + "\n").encode())


def load(path: Path) -> Calibration:
    """Read what ``save`` wrote; ``InputError`` where it is no calibration."""
    data = read_file(path, _MOST_BYTES)
    try:
        c = decode_json(Calibration, data)
    except ValueError as error:
        raise InputError(
            f"{path}: no calibration ({error!s:.80}); remove it to make a new one"
        ) from error
    ranges = (
        (c.left_shut, c.left_open),
        (c.right_shut, c.right_open),
        (c.mouth_shut, c.mouth_open),
    )
    if not all(low < high and high > 0 for low, high in ranges):
        raise InputError(f"{path}: no calibration (its numbers); remove it to make a new one")
    return c
