"""Two eyes in a drawing, and the head that goes with them: mouth, chin, the top of the skull.

Eyes are dark on light: a pair of dark spots at one height, with smooth light cheeks below them, a
smooth bridge of the nose between them, a mouth farther down and the top of the figure as far above
as a skull is high; that holds in colour and in grey alike.

All lengths are in distances between the eyes. What is usual was read off 23 models and holds for
drawings alike: lips stand at two thirds of the way from the eyes to the chin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.intp]

_LIPS, _LIPS_DEVIATION, _LIPS_ROWS = 0.7, 0.13, (0.42, 0.95)  # below the eyes
_LIPS_SHARE, _USUAL_CHIN, _LIPS_WORTH = 0.67, 1.03, 0.7
_FAINT = 0.03  # a mouth that is less dark than this tells nothing
_CHIN_DEVIATION, _CHIN_ROWS, _BELOW_LIPS = 0.12, (0.72, 1.6), 0.12
_JAW_HALF_WIDTH, _LIPS_HALF_WIDTH = 0.2, 0.13
_LINE = 0.3  # of darkness about a chin's outline
_TOP_AT_EYES, _TOP_BY_CHIN = 1.44, 0.47  # above the eyes
_HEAD_HALF_WIDTH, _HEAD_WIDTH, _DOME_RISE = 1.3, 1.0, 0.04
_TOPS_APART, _CHINS_APART = 0.28, 0.18  # beyond which one of two is wrong

_SPACINGS = np.geomspace(8, 64, 22)  # pixels
_DARK_SPOT = 0.5  # what is darker than all about it within this counts as dark
_EYE = (0.3, 0.36)  # height and width of the windows that are looked at
_BRIDGE, _CHEEK, _FACE = (0.3, 0.24), (0.22, 0.42), (1.3, 1.2)
_CHEEK_AT, _MOUTH_AT, _FACE_AT = (0.46, 0.44), 0.64, 0.25
_BRIDGE_COST, _CHEEK_COST, _MOUTH_WORTH = 0.6, 0.7, 0.35
_UNEVEN_COST, _EVEN = 0.6, 0.06
_TOP, _TOP_DEVIATION = 1.92, 0.25  # of the skull top above the eyes, on 23 models
_TOP_REACH = 2.45  # deviations: what lies farther off is no likely pair
_LIKELY_HEAD_WIDTH = 0.75
_COVERED = 0.97  # of a face, by the figure
_LARGER = 0.15  # power of the spacing that a score is multiplied by: small pairs are many


@dataclass(frozen=True)
class EyePair:
    """The middle between the eyes (pixels), their distance, and how much speaks for them."""

    x: float
    y: float
    spacing: float
    score: float


def find_eye_pair(light: F64, figure: Flags) -> EyePair | None:
    """The likeliest pair of eyes; ``light`` (H, W) is 0..1, ``figure`` marks the character."""
    best: EyePair | None = None
    filled = np.where(figure, light, 0.0)  # no darker beside the background than elsewhere
    light_sums, figure_sums = _summed(filled), _summed(figure)
    for spacing in map(float, _SPACINGS):
        places = _places(figure, figure_sums, spacing)
        dark_sums = _summed(darkness(filled, spacing))
        scores = _scores(dark_sums, light_sums, places, spacing)
        if not scores.any():
            continue
        first = int(scores.argmax())
        if scores[first] > (best.score if best else 0):
            y, x = places.rows[first] + 0.5, places.columns[first] + 0.5
            best = EyePair(float(x), float(y), spacing, float(scores[first]))
    return best


@dataclass(frozen=True)
class _Places:
    """Where the middle between the eyes may be: rows, columns, and how likely it is there (N,)."""

    rows: Numbers
    columns: Numbers
    likely: F64


def _places(figure: Flags, figure_sums: F64, spacing: float) -> _Places:
    """Places as far below the top of a head as eyes are, all about which is covered."""
    above = (np.arange(len(figure))[:, None] - _tops(figure, spacing)) / spacing
    deviation = (above - _TOP) / _TOP_DEVIATION
    rows, columns = np.nonzero(np.abs(deviation) < _TOP_REACH)
    covered = _means(figure_sums, _FACE, spacing, rows + round(_FACE_AT * spacing), columns)
    rows, columns = rows[covered > _COVERED], columns[covered > _COVERED]
    return _Places(rows, columns, np.exp(-(deviation[rows, columns] ** 2) / 2))


def _scores(dark_sums: F64, light_sums: F64, places: _Places, spacing: float) -> F64:
    """For each place (N,) how much speaks for it as the middle between eyes so far apart."""

    def mean(sums: F64, size: tuple[float, float], down: float = 0, right: float = 0) -> F64:
        rows, columns = round(down * spacing), round(right * spacing)
        return _means(sums, size, spacing, places.rows + rows, places.columns + columns)

    down, right = _CHEEK_AT
    eyes = np.minimum(mean(dark_sums, _EYE, 0, -0.5), mean(dark_sums, _EYE, 0, 0.5))
    cheeks = [mean(dark_sums, _CHEEK, down, side) for side in (-right, right)]
    found = eyes - _BRIDGE_COST * mean(dark_sums, _BRIDGE) - _CHEEK_COST * np.maximum(*cheeks)
    found += _MOUTH_WORTH * np.minimum(mean(dark_sums, _EYE, _MOUTH_AT), eyes)  # is as large
    # Cheeks and the bridge of the nose are alike in light: skin is of one colour.
    skin = [mean(light_sums, _CHEEK, down, side) for side in (-right, right)]
    skin.append(mean(light_sums, _BRIDGE))
    found -= _UNEVEN_COST * np.maximum(np.ptp(skin, axis=0) - _EVEN, 0.0)
    return np.asarray(found * places.likely * spacing**_LARGER)


def darkness(light: F64, spacing: float) -> F64:
    """How much darker each pixel is than what is about it."""
    size = max(3, round(_DARK_SPOT * spacing))
    return np.asarray(ndimage.grey_closing(light, size=(size, size)) - light)


def _tops(figure: Flags, spacing: float) -> F64:
    """For each column as the middle, the first row that is as wide as a head there (W,)."""
    width = 2 * round(_HEAD_HALF_WIDTH * spacing) + 1
    filled = ndimage.uniform_filter1d(figure.astype(float), width, axis=1, mode="constant")
    wide = filled * width >= _LIKELY_HEAD_WIDTH * spacing
    return np.where(wide.any(axis=0), wide.argmax(axis=0), len(figure)).astype(float)


def _summed(values: F64 | Flags) -> F64:
    """(H + 1, W + 1): the sum of all that lies above and left of each corner of a pixel (H, W)."""
    sums = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    np.cumsum(values, axis=0, out=sums[1:, 1:])
    np.cumsum(sums[1:, 1:], axis=1, out=sums[1:, 1:])
    return sums


def _means(
    sums: F64, size: tuple[float, float], spacing: float, rows: Numbers, columns: Numbers
) -> F64:
    """The mean of what was summed about each place (N,), with nothing beyond the border."""
    height, width = (max(1, round(side * spacing)) for side in size)
    last_row, last_column = sums.shape[0] - 1, sums.shape[1] - 1
    inside = (rows >= 0) & (rows < last_row) & (columns >= 0) & (columns < last_column)
    top, left = rows - height // 2, columns - width // 2
    bottom, right = np.clip(top + height, 0, last_row), np.clip(left + width, 0, last_column)
    top, left = np.clip(top, 0, last_row), np.clip(left, 0, last_column)
    total = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    return np.where(inside, total / (height * width), 0.0)


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
