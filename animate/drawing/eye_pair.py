"""Two eyes in a drawing, by what holds in colour and in grey alike.

Eyes are dark on light: a pair of dark spots at one height, with smooth light cheeks below them, a
smooth bridge of the nose between them, a mouth farther down and the top of the figure as far above
as a skull is high. All lengths are in distances between the eyes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_SPACINGS = np.geomspace(8, 64, 22)  # pixels
_DARK_SPOT = 0.5  # what is darker than all about it within this counts as dark
_EYE = (0.3, 0.36)  # height and width of the windows that are looked at
_BRIDGE, _CHEEK, _MOUTH, _FACE = (0.3, 0.24), (0.22, 0.42), (0.3, 0.36), (1.3, 1.2)
_CHEEK_AT, _MOUTH_AT, _FACE_AT = (0.46, 0.44), 0.64, 0.25
_BRIDGE_COST, _CHEEK_COST, _MOUTH_WORTH = 0.6, 0.7, 0.35
_UNEVEN_COST, _EVEN = 0.6, 0.06
_TOP, _TOP_DEVIATION = 1.92, 0.25  # of the skull top above the eyes, on 23 models
_HEAD_HALF_WIDTH, _HEAD_WIDTH = 1.3, 0.75
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
    for spacing in _SPACINGS:
        scores = _scores(filled, figure, float(spacing))
        y, x = np.unravel_index(int(scores.argmax()), scores.shape)
        score = float(scores[y, x])
        if score > 0 and (best is None or score > best.score):
            best = EyePair(float(x) + 0.5, float(y) + 0.5, float(spacing), score)
    return best


def _scores(light: F64, figure: Flags, spacing: float) -> F64:
    """For each pixel (H, W) how much speaks for it as the middle between eyes so far apart."""
    dark = darkness(light, spacing)

    def mean(size: tuple[float, float], down: float = 0.0, right: float = 0.0) -> F64:
        return _shifted(_box(dark, size, spacing), down * spacing, right * spacing)

    eyes = np.minimum(mean(_EYE, 0, -0.5), mean(_EYE, 0, 0.5))
    down, right = _CHEEK_AT
    cheeks = np.maximum(mean(_CHEEK, down, -right), mean(_CHEEK, down, right))
    found = eyes - _BRIDGE_COST * mean(_BRIDGE) - _CHEEK_COST * cheeks
    found += _MOUTH_WORTH * np.minimum(mean(_MOUTH, _MOUTH_AT), eyes)
    found -= _UNEVEN_COST * _unevenness(light, spacing)
    covered = _shifted(_box(figure.astype(float), _FACE, spacing), _FACE_AT * spacing, 0)
    rows = np.arange(len(light))[:, None]
    above = (rows - _tops(figure, spacing)) / spacing
    likely = np.exp(-(((above - _TOP) / _TOP_DEVIATION) ** 2) / 2)
    return np.where(covered > 0.97, found * likely * spacing**_LARGER, 0.0)


def _unevenness(light: F64, spacing: float) -> F64:
    """How unlike in light the cheeks and the bridge of the nose are: skin is of one colour."""
    down, right = _CHEEK_AT
    cheek = _box(light, _CHEEK, spacing)
    left, other = (_shifted(cheek, down * spacing, side * spacing) for side in (-right, right))
    bridge = _box(light, _BRIDGE, spacing)
    spread = np.maximum(np.maximum(left, other), bridge) - np.minimum(
        np.minimum(left, other), bridge
    )
    return np.asarray(np.maximum(spread - _EVEN, 0.0))


def darkness(light: F64, spacing: float) -> F64:
    """How much darker each pixel is than what is about it."""
    size = max(3, round(_DARK_SPOT * spacing))
    return np.asarray(ndimage.grey_closing(light, size=(size, size)) - light)


def _tops(figure: Flags, spacing: float) -> F64:
    """For each column as the middle, the first row that is as wide as a head there (W,)."""
    width = 2 * round(_HEAD_HALF_WIDTH * spacing) + 1
    filled = ndimage.uniform_filter1d(figure.astype(float), width, axis=1, mode="constant")
    wide = filled * width >= _HEAD_WIDTH * spacing
    return np.where(wide.any(axis=0), wide.argmax(axis=0), len(figure)).astype(float)


def _box(values: F64, size: tuple[float, float], spacing: float) -> F64:
    pixels = [max(1, round(side * spacing)) for side in size]
    return np.asarray(ndimage.uniform_filter(values, pixels, mode="constant"))


def _shifted(values: F64, down: float, right: float) -> F64:
    """What lies so far down and right of each pixel; 0 outside."""
    rows, columns = round(down), round(right)
    moved = np.zeros_like(values)
    height, width = values.shape
    if abs(rows) < height and abs(columns) < width:
        moved[max(-rows, 0) : height - max(rows, 0), max(-columns, 0) : width - max(columns, 0)] = (
            values[max(rows, 0) : height + min(rows, 0), max(columns, 0) : width + min(columns, 0)]
        )
    return moved
