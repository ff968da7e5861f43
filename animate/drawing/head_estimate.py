"""Where the head of a drawn character is: from its eyes, its skin and its silhouette.

Nothing here is learned. Eyes: see ``head_by_eyes``; they hold in grey as in colour. Skin: the face
is a patch of one colour around the middle line, wide at the cheeks and pinched at the chin, with
the neck below it. Silhouette: the top of the head is the first row in which the figure is nearly as
wide as a head, which leaves out tufts and ears; with short hair the neck is its narrowest row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image
from skimage.measure import label
from skimage.morphology import closing

from animate.drawing.head_by_eyes import find_eye_pair, head_by_eyes
from contract.image import CHIN_FRACTION, SKULL_TOP_FRACTION, Stored

F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_WORK = 256  # pixels of the longer side at which is looked
_ALIKE = 26.0  # of colours, in CIELAB-like units below
_BRIDGE = 5  # what is thinner and drawn across a face, as glasses, does not part it
_NECK_ROWS = 0.12  # of the face's width: a narrow part so high and no narrower is a neck
_HEAD_TO_FACE = (1.3, 2.8)  # how many times as high as its face is wide a drawn head may be
_MIN_SKIN = 0.004  # of the figure: less is no face
_LOWEST = 0.35  # of the figure's height: skin below this is no face
_HAIR_ABOVE = 0.1  # of the figure's height: what reaches higher is hair of a skin's colour
_HEAD_WIDTH = 0.4  # of the greatest width near the top: from here on it is the head, not a tuft


_LIGHT = np.array([0.3, 0.59, 0.11])
_AGREE = 0.1  # heights of a head that eyes and skin may differ by
_LIKELY_PAIR, _SURE_PAIR = 0.2, 0.5  # of a pair's score
_LOOKS, _STAYS = 3, 0.08  # heights of a head that it may move by between two looks


@dataclass(frozen=True)
class Head:
    """In pixels of the picture: rows of skull top and chin, column of the middle.

    ``source``: what told of it: "eyes", "face" (its skin), "silhouette", or "hand": a person.
    ``sure``: whether the signs agree.
    """

    skull_top: float
    chin: float
    centre_x: float
    source: Literal["eyes", "face", "silhouette", "hand"]
    sure: bool = True


def estimate_head(picture: Stored) -> Head | None:
    """The head of the one character in a picture (H, W, 4); None where nothing is seen.

    Looked for in all of the figure, then about what was found, twice as high as the head, so that
    a small head in a large picture is seen as sharply as any; until it stays where it is.
    """
    figure = picture[..., 3] > 127
    if not figure.any():
        return None
    rows, columns = np.flatnonzero(figure.any(axis=1)), np.flatnonzero(figure.any(axis=0))
    side = max(int(np.ptp(rows)), int(np.ptp(columns))) + 1
    found = _look_at(picture, int(rows[0]), int(columns[0]), max(side, 2))
    for _ in range(_LOOKS):
        if found is None:
            return None
        tall = found.chin - found.skull_top
        top, left = round(found.skull_top - tall / 2), round(found.centre_x - tall)
        nearer = _look_at(picture, top, left, max(2, round(2 * tall)))
        if nearer is None or _worth(found) > _worth(nearer):
            return replace(found, sure=False)
        stays = _apart(found, nearer) < _STAYS
        found = replace(nearer, sure=nearer.sure and stays)
        if stays:
            break
    return found


def _look_at(picture: Stored, top: int, left: int, side: int) -> Head | None:
    found = _look(cropped(picture, top, left, side))
    return found and replace(
        found,
        skull_top=found.skull_top + top,
        chin=found.chin + top,
        centre_x=found.centre_x + left,
    )


def _worth(head: Head) -> int:
    """More than of another sort: a skin's head is seldom worse than a silhouette's."""
    return 0 if head.source == "silhouette" else 1


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


def _look(picture: Stored) -> Head | None:
    scale = _WORK / max(picture.shape[:2])
    width, height = (max(1, round(side * scale)) for side in picture.shape[1::-1])
    small = np.array(Image.fromarray(picture, "RGBA").resize((width, height), Image.Resampling.BOX))
    figure = small[..., 3] > 127
    if not figure.any():
        return None
    skin = _from_face(small, figure, _BRIDGE) or _from_face(small, figure, 1)
    eyes, agree = _from_eyes(small, figure)
    if eyes and skin and _apart(eyes, skin) <= _AGREE:
        chin, centre_x = (eyes.chin + skin.chin) / 2, (eyes.centre_x + skin.centre_x) / 2
        # Two signs agree, so that a fainter pair of eyes will do.
        found = Head(skin.skull_top, chin, centre_x, "face", agree)
    else:
        found = (eyes if eyes and eyes.sure else skin or eyes) or _from_silhouette(figure)
    return replace(
        found,
        skull_top=found.skull_top / scale,
        chin=found.chin / scale,
        centre_x=found.centre_x / scale,
    )


def _from_eyes(small: Stored, figure: Flags) -> tuple[Head | None, bool]:
    """The head about the likeliest eyes, and whether chin and outline go with them."""
    light = small[..., :3].astype(float) @ _LIGHT / 255
    pair = find_eye_pair(light, figure)
    if pair is None or pair.score < _LIKELY_PAIR:
        return None, False
    head = head_by_eyes(light, figure, pair)
    sure = head.agree and pair.score > _SURE_PAIR
    return Head(head.skull_top, head.chin, head.centre_x, "eyes", sure), head.agree


def _apart(one: Head, other: Head) -> float:
    """The greatest distance between two heads' lines, in heights of the first."""
    off = (one.skull_top - other.skull_top, one.chin - other.chin, one.centre_x - other.centre_x)
    return max(map(abs, off)) / max(one.chin - one.skull_top, 1.0)


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
    return Head(top, chin, centre, "face", sure=False)


def _face_patch(small: Stored, figure: Flags, bridge: int) -> Flags | None:
    """The connected patch of skin that is most like a face, or None.

    bridge: what is drawn across it is thinner than this, and does not part it.
    """
    colours = _opponent(small)
    best: tuple[float, Flags] | None = None
    rows, least = np.flatnonzero(figure.any(axis=1)), _MIN_SKIN * figure.sum()
    for colour in _skin_candidates(small, figure):
        alike = figure & (
            np.linalg.norm(colours - _opponent(colour[None, None])[0, 0], axis=2) < _ALIKE
        )
        joined = closing(alike, np.ones((bridge, bridge)))
        patches = label(joined, connectivity=1)  # type: ignore[no-untyped-call]
        areas = np.bincount(patches[alike])
        areas[:1] = 0  # what is no patch
        for number in np.flatnonzero(areas >= max(least, 1)):
            patch = (patches == number) & alike
            score = _face_score(patch, figure, rows)
            if score > 0 and (best is None or score > best[0]):
                best = score, patch
    return None if best is None else best[1]


def _face_score(patch: Flags, figure: Flags, figure_rows: npt.NDArray[np.intp]) -> float:
    """Larger for large, compact patches with holes (eyes, mouth), high in the figure."""
    area = int(patch.sum())
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
    red, green, blue = pixels[warm].astype(int).T // 16
    counts = np.bincount(red << 8 | green << 4 | blue)
    names = np.flatnonzero(counts)
    frequent = names[np.argsort(-counts[names])[:6]]
    coarse = [(name >> 8, name >> 4 & 15, name & 15) for name in frequent]
    return [np.array([*(16 * part + 8 for part in name), 255], np.uint8) for name in coarse]


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
    return Head(top, chin, float(columns[0] + columns[-1] + 1) / 2, "silhouette", sure=False)
