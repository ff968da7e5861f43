"""The head that goes with a pair of eyes: mouth, chin, and the top of the skull.

All lengths are in distances between the eyes. What is usual was read off 23 models and holds for
drawings alike: lips stand at two thirds of the way from the eyes to the chin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animate.drawing.eye_pair import EyePair, darkness

F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_LIPS, _LIPS_DEVIATION, _LIPS_ROWS = 0.7, 0.13, (0.42, 0.95)  # below the eyes
_LIPS_SHARE, _USUAL_CHIN, _LIPS_WORTH = 0.67, 1.03, 0.7
_FAINT = 0.03  # a mouth that is less dark than this tells nothing
_CHIN_DEVIATION, _CHIN_ROWS, _BELOW_LIPS = 0.12, (0.72, 1.6), 0.12
_JAW_HALF_WIDTH, _LIPS_HALF_WIDTH = 0.2, 0.13
_LINE = 0.3  # of darkness about a chin's outline
_TOP_AT_EYES, _TOP_BY_CHIN = 1.44, 0.47  # above the eyes
_HEAD_HALF_WIDTH, _HEAD_WIDTH, _DOME_RISE = 1.3, 1.0, 0.04
_TOPS_APART, _CHINS_APART = 0.28, 0.18  # beyond which one of two is wrong


@dataclass(frozen=True)
class EyesHead:
    """Rows of skull top and chin, the middle column (pixels); ``agree``: all signs do."""

    skull_top: float
    chin: float
    centre_x: float
    agree: bool


def head_by_eyes(light: F64, figure: Flags, pair: EyePair) -> EyesHead:
    """The head about a pair of eyes; ``light`` (H, W) is 0..1, ``figure`` marks the character."""
    filled = np.where(figure, light, 0.0)
    rows: F64 = (np.arange(len(light), dtype=np.float64) + 0.5 - pair.y) / pair.spacing
    lips = _lips(filled, pair, rows)
    likely = _USUAL_CHIN
    if lips is not None:
        likely += _LIPS_WORTH * (lips / _LIPS_SHARE - _USUAL_CHIN)
    chin = _chin(filled, pair, rows, likely, lips or _LIPS)
    expected = -(_TOP_AT_EYES + _TOP_BY_CHIN * chin)
    top = _top(figure, pair)
    agree = top is not None and abs(top - expected) < _TOPS_APART
    agree &= abs(chin - likely) < _CHINS_APART
    if top is None or abs(top - expected) > 2 * _TOPS_APART:
        top = expected
    skull_top, chin_row = (max(pair.y + at * pair.spacing, 0.0) for at in (top, chin))
    return EyesHead(skull_top, chin_row, pair.x, agree)


def _lips(light: F64, pair: EyePair, rows: F64) -> float | None:
    """How far below the eyes what is dark in the middle of the lower face lies; None: nothing."""
    columns = _columns(pair, _LIPS_HALF_WIDTH)
    dark = _smoothed(darkness(light, pair.spacing)[:, columns].mean(axis=1), 0.08 * pair.spacing)
    low, high = _LIPS_ROWS
    likely = np.exp(-(((rows - _LIPS) / _LIPS_DEVIATION) ** 2) / 2)
    scores = np.where((rows >= low) & (rows <= high), dark * likely, 0.0)
    row = int(scores.argmax())
    return float(rows[row]) if dark[row] >= _FAINT and scores[row] > 0 else None


def _chin(light: F64, pair: EyePair, rows: F64, likely: float, lips: float) -> float:
    """How far below the eyes the likeliest line or step of light lies; ``likely`` without any."""
    columns = _columns(pair, _JAW_HALF_WIDTH)
    reach = max(1, round(0.06 * pair.spacing))
    part = light[:, columns]
    strength = 1.5 * darkness(light, _LINE * pair.spacing)[:, columns].mean(axis=1)
    strength[reach:-reach] += np.abs(part[2 * reach :] - part[: -2 * reach]).mean(axis=1)
    strength *= np.exp(-(((rows - likely) / _CHIN_DEVIATION) ** 2) / 2)
    low, high = max(_CHIN_ROWS[0], lips + _BELOW_LIPS), _CHIN_ROWS[1]
    strength[(rows < low) | (rows > high)] = 0
    row = int(strength.argmax())
    return float(rows[row]) if strength[row] > 0 else likely


def _top(figure: Flags, pair: EyePair) -> float | None:
    """How far below the eyes (so negative) the figure becomes as wide as a head."""
    widths = figure[:, _columns(pair, _HEAD_HALF_WIDTH)].sum(axis=1)
    wide = np.flatnonzero(widths >= _HEAD_WIDTH * pair.spacing)
    return float((wide[0] - pair.y) / pair.spacing - _DOME_RISE) if len(wide) else None


def _columns(pair: EyePair, half_width: float) -> slice:
    first = max(0, round(pair.x - half_width * pair.spacing))
    return slice(first, max(first, round(pair.x + half_width * pair.spacing)) + 1)


def _smoothed(values: F64, size: float) -> F64:
    cells = max(1, round(size))
    return np.convolve(values, np.ones(cells) / cells, "same")
