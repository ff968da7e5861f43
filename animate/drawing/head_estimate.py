"""Where the head of a drawn character is: from its skin and from its silhouette.

Nothing here is learned. Skin: the face is a patch of one colour around the middle line, wide at the
cheeks and pinched at the chin, with the neck below it. Silhouette: the top of the head is the first
row in which the figure is nearly as wide as a head, which leaves out tufts and ears; with short
hair the neck is its narrowest row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image
from skimage.measure import label
from skimage.morphology import closing

from contract.image import CHIN_FRACTION, SKULL_TOP_FRACTION, Stored

F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_WORK = 256  # pixels a side at which is looked
_ALIKE = 26.0  # of colours, in CIELAB-like units below
_BRIDGES = (5, 1)  # pixels: what is thinner and crosses a face, as glasses, parts it not
_SAME_HEAD = 0.2  # of the head's height: a second look that differs more is another head's
_NECK_ROWS = 0.12  # of the face's width: a narrow part so high and no narrower is a neck
_HEAD_TO_FACE = (1.3, 2.8)  # how many times as high as its face is wide a drawn head may be
_MIN_SKIN = 0.004  # of the figure: less is no face
_LOWEST = 0.35  # of the figure's height: skin below this is no face
_HAIR_ABOVE = 0.1  # of the figure's height: what reaches higher is hair of a skin's colour
_HEAD_WIDTH = 0.4  # of the greatest width near the top: from here on it is the head, not a tuft


@dataclass(frozen=True)
class Head:
    """In pixels of the picture: rows of skull top and chin, column of the middle.

    ``source``: "face", where the chin was found by the skin; else "silhouette".
    """

    skull_top: float
    chin: float
    centre_x: float
    source: Literal["face", "silhouette"]


def estimate_head(picture: Stored) -> Head | None:
    """The head of the one character in a picture (H, W, 4); None where nothing is seen.

    Looked for in the figure, wherever it stands and however small; then about what was found,
    twice as high as the head, where all heads are of one size.
    """
    figure = picture[..., 3] > 127
    if not figure.any():
        return None
    rows, columns = np.flatnonzero(figure.any(axis=1)), np.flatnonzero(figure.any(axis=0))
    side = int(max(np.ptp(rows), np.ptp(columns))) + 1
    found = _look(picture, int(rows[0]), int(columns[0] + columns[-1] + 1 - side) // 2, side)
    assert found is not None  # the figure is there
    tall = found.chin - found.skull_top
    top, left = round(found.skull_top - tall / 2), round(found.centre_x - tall)
    # The narrow look first: a bridge may join a face to a hand beside it.
    for bridges in ((1,), _BRIDGES):
        nearer = _look(picture, top, left, max(2, round(2 * tall)), bridges)
        if nearer and _confirms(nearer, found):
            return nearer
    return found


def _confirms(nearer: Head, found: Head) -> bool:
    reach = _SAME_HEAD * (found.chin - found.skull_top)
    return (
        (nearer.source == "face" or found.source != "face")
        and abs(nearer.chin - found.chin) < reach
        and abs(nearer.skull_top - found.skull_top) < reach
    )


def cropped(picture: Stored, top: int, left: int, side: int) -> Stored:
    """A square of a picture (H, W, 4); what lies beyond its edges is transparent."""
    square = np.zeros((side, side, 4), np.uint8)
    height, width = picture.shape[:2]
    rows = slice(max(top, 0), min(top + side, height))
    columns = slice(max(left, 0), min(left + side, width))
    part = picture[rows, columns]
    at_row, at_column = rows.start - top, columns.start - left
    square[at_row : at_row + part.shape[0], at_column : at_column + part.shape[1]] = part
    return square


def _look(
    picture: Stored, top: int, left: int, side: int, bridges: tuple[int, ...] = _BRIDGES
) -> Head | None:
    """The head in a square of the picture, in pixels of the picture."""
    square = Image.fromarray(cropped(picture, top, left, side), "RGBA")
    small = np.array(square.resize((_WORK, _WORK), Image.Resampling.BOX))
    figure = small[..., 3] > 127
    if not figure.any():
        return None
    faces = (_from_face(small, figure, bridge) for bridge in bridges)
    head = next(filter(None, faces), None) or _from_silhouette(figure)
    scale = side / _WORK
    return Head(
        head.skull_top * scale + top,
        head.chin * scale + top,
        head.centre_x * scale + left,
        head.source,
    )


def _from_face(small: Stored, figure: Flags, bridge: int) -> Head | None:
    face = _face_patch(small, figure, bridge)
    if face is None:
        return None
    rows = np.flatnonzero(face.any(axis=1))
    smooth = np.convolve(_extents(face), np.ones(3) / 3, "same")
    widest = int(smooth.argmax())
    chin = _chin(smooth, widest, int(rows[-1]))
    columns = np.flatnonzero(face[max(rows[0], widest - 8) : widest + 4].any(axis=0))
    centre = float(columns[0] + columns[-1] + 1) / 2
    top = _skull_top(figure, centre, chin, float(smooth[widest]))
    low, high = _HEAD_TO_FACE
    if not low * smooth[widest] < chin - top < high * smooth[widest]:
        return None
    return Head(top, chin, centre, "face")


def _face_patch(small: Stored, figure: Flags, bridge: int) -> Flags | None:
    """The connected patch of skin that is most like a face, or None.

    bridge: what is drawn across it is thinner than this, and does not part it.
    """
    colours = _opponent(small)
    best: tuple[float, Flags] | None = None
    rows = np.flatnonzero(figure.any(axis=1))
    for colour in _skin_candidates(small, figure):
        alike = figure & (
            np.linalg.norm(colours - _opponent(colour[None, None])[0, 0], axis=2) < _ALIKE
        )
        joined = closing(alike, np.ones((bridge, bridge)))
        patches = label(joined, connectivity=1)  # type: ignore[no-untyped-call]
        for number in range(1, int(patches.max()) + 1):
            patch = (patches == number) & alike
            score = _face_score(patch, figure, rows)
            if score > 0 and (best is None or score > best[0]):
                best = score, patch
    return None if best is None else best[1]


def _face_score(patch: Flags, figure: Flags, figure_rows: npt.NDArray[np.intp]) -> float:
    """Larger for large, compact patches with holes (eyes, mouth), high in the figure."""
    area = int(patch.sum())
    if area < _MIN_SKIN * figure.sum():
        return 0.0
    ys, xs = np.nonzero(patch)
    height, width = np.ptp(ys) + 1, np.ptp(xs) + 1
    if not 0.5 < width / height < 2.2:
        return 0.0
    if ys.min() - figure_rows[0] < _HAIR_ABOVE * (np.ptp(figure_rows) + 1):
        return 0.0
    high = 1 - (ys.mean() - figure_rows[0]) / (np.ptp(figure_rows) + 1)
    if high < _LOWEST:
        return 0.0
    filled = area / (height * width)
    # Hair borders on what is behind the figure; a face hardly does. And it lies in the middle.
    beside = ~figure
    near = np.roll(beside, 1, 1) | np.roll(beside, -1, 1) | np.roll(beside, 1, 0)
    edge = float((patch & near).sum()) / area**0.5
    head = np.flatnonzero(figure[ys.min() : ys.max() + 1].any(axis=0))
    aside = abs((xs.min() + xs.max()) / 2 - (head[0] + head[-1]) / 2) / width
    return float(area * filled**2 * max(high, 0.0) * np.exp(-edge - 1.5 * aside))


def _skin_candidates(small: Stored, figure: Flags) -> list[Stored]:
    """Warm colours that fill a good part of the upper figure, the most frequent first."""
    rows = np.flatnonzero(figure.any(axis=1))
    upper = figure.copy()
    upper[rows[0] + round(0.75 * (rows[-1] - rows[0] + 1)) :] = False
    pixels = small[upper][:, :3]
    red, green, blue = pixels.astype(int).T
    warm = (red >= green) & (green >= blue - 12) & (red - blue >= 8) & (red > 70)
    warm &= red - np.minimum(green, blue) < 130
    if not warm.any():
        return []
    coarse = pixels[warm] // 16
    names, counts = np.unique(coarse, axis=0, return_counts=True)
    frequent = names[np.argsort(-counts)[:6]]
    return [np.array([*(name * 16 + 8), 255], np.uint8) for name in frequent]


def _opponent(pixels: Stored) -> F64:
    """Lightness and two opponent colours, of about equal weight to the eye."""
    red, green, blue = (pixels[..., channel].astype(float) for channel in range(3))
    light = 0.3 * red + 0.59 * green + 0.11 * blue
    return np.stack([0.45 * light, red - green, 0.7 * ((red + green) / 2 - blue)], axis=-1)


def _extents(face: Flags) -> F64:
    """From the first to the last column of each row: eyes and mouth are holes in it."""
    first, last = face.argmax(axis=1), face.shape[1] - face[:, ::-1].argmax(axis=1)
    return np.where(face.any(axis=1), last - first, 0).astype(float)


def _chin(widths: F64, widest: int, last: int) -> float:
    """The row below the face: where a neck of even width begins, or where the skin ends."""
    greatest = widths[widest]
    even = 0
    for row in range(widest + 1, last - 1):
        change = abs(widths[row + 1] - widths[row])
        is_neck = widths[row] < 0.62 * greatest and change <= 0.025 * greatest
        even = even + 1 if is_neck else 0
        if even > _NECK_ROWS * greatest:
            return float(row + 1 - even)
    return float(last + 1)


def _skull_top(figure: Flags, centre: float, chin: float, face_width: float) -> float:
    """The first row nearly as wide as the head, in a window about its middle."""
    reach = max(2, round(0.9 * face_width))
    left, right = max(0, round(centre) - reach), round(centre) + reach + 1
    window = figure[: round(chin), left:right]
    widths = window.sum(axis=1).astype(float)
    if not widths.any():
        return 0.0
    wide = np.flatnonzero(widths >= _HEAD_WIDTH * widths.max())
    return float(wide[0])


def _from_silhouette(figure: Flags) -> Head:
    """By the narrowest row below the widest of the upper part, or by usual proportions."""
    widths = figure.sum(axis=1).astype(float)
    rows = np.flatnonzero(widths)
    first, last = int(rows[0]), int(rows[-1])
    head_end = first + (last - first + 1) * 3 // 4
    upper = widths[first:head_end]
    widest = first + int(upper[: max(1, len(upper) * 2 // 3)].argmax())
    neck = widest + int(widths[widest:head_end].argmin()) if head_end > widest else widest
    top = float(np.flatnonzero(widths >= _HEAD_WIDTH * widths[widest])[0])
    if widths[neck] < 0.7 * widths[widest]:
        chin = float(neck)
    else:
        share = (CHIN_FRACTION - SKULL_TOP_FRACTION) / (1 - SKULL_TOP_FRACTION)
        chin = top + share * (last + 1 - top)
    columns = np.flatnonzero(figure[round(top) : max(round(chin), round(top) + 1)].any(axis=0))
    return Head(top, chin, float(columns[0] + columns[-1] + 1) / 2, "silhouette")
