"""Does a drawing meet the input convention; and if not, what can be done about it.

The convention is ``contract.image``'s: square, transparent background, chin and skull top on the
edges of the middle half, head centred.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.morphology import flood

from animate.drawing.drawing import MOST_PIXELS, Drawing, clean, resized
from animate.drawing.head_estimate import Head, cropped, estimate_head
from animate.drawing.mouth_height import mouth_height
from contract.errors import InputError
from contract.image import CHIN_FRACTION, DEFAULT_SIZE, SKULL_TOP_FRACTION, Stored

Flags = npt.NDArray[np.bool_]

_TOLERANCE = 0.09  # of the head's height: about what the estimate itself is off by
_FAR_OFF = 0.2  # of it: networks were trained on pictures that are off by less
_FLAT = 14  # of 255: border pixels this alike are one colour
_BORDER_OF_ONE_COLOUR = 0.9
_EYES = (0.30, 0.62)  # of the head's height above the chin, where eyes are
_MIN_CONTRAST = 18.0
_TALL_HEAD = 2048.0  # pixels: a taller one is halved before it is framed
_WIDE_OPEN = 0.045  # of the head's height: lower mouths are not wide open


@dataclass(frozen=True)
class Fault:
    """``code``: machine-readable; ``text``: the fault and its remedy; ``fixable``: by ``fix``."""

    code: str
    text: str
    fixable: bool = True


@dataclass(frozen=True)
class Report:
    """What was found; ``head`` in pixels of the drawing, None where nothing is seen."""

    name: str
    width: int
    height: int
    head: Head | None
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]


_UNSURE = Fault(
    "unsure-head",
    "not sure where the head is: eyes, skin and outline disagree; look, and say it with "
    "--head TOP,CHIN,MIDDLE",
    False,
)


def check(drawing: Drawing, head: Head | None = None) -> Report:
    """Everything about a drawing that would spoil its animation.

    ``head``: where a person says that it is, else it is estimated.
    """
    height, width = drawing.picture.shape[:2]
    opaque = _is_opaque(drawing.picture)
    figure = without_background(drawing.picture) if opaque else drawing.picture
    head = None if figure is None else head or estimate_head(clean(figure))
    faults = [*_background_faults(drawing, figure is not None), *_size_faults(width, height)]
    if head is None:
        faults.append(
            Fault("no-figure", "no figure is seen; draw one on a transparent background", False)
        )
    else:
        assert figure is not None
        faults += [] if head.sure else [_UNSURE]
        faults += _head_faults(head, width, height)
        faults += _face_faults(figure, head)
    notes = drawing.notes if head is None or figure is None else _with_mouth(drawing, figure, head)
    return Report(drawing.name, width, height, head, tuple(faults), notes)


def misplaced(drawing: Drawing) -> str:
    """What is to be said before a drawing is drawn whose head is surely not where networks look.

    Empty where it is, or where nobody is sure. The drawing has a transparent background.
    """
    height, width = drawing.picture.shape[:2]
    head = estimate_head(clean(drawing.picture))
    faults = _head_faults(head, width, height, _FAR_OFF) if head and head.sure else []
    if not faults:
        return ""
    fault = faults[0].text.partition(";")[0]
    remedy = f"try `animate check {drawing.name} --fix fixed.png`"
    return f"{drawing.name}: {fault}; its face will not move as it should; {remedy}"


def fix(drawing: Drawing, size: int | None = None, head: Head | None = None) -> Drawing:
    """The drawing as it should be: background and hidden colour cleared, head scaled and centred.

    size: pixels a side; None: as many as it has of its own, from ``DEFAULT_SIZE`` to
    ``MOST_PIXELS``.
    ``head``: where a person says that it is, else it is estimated.

    Raises:
        InputError: there is no figure to be found, or a background of many colours.
    """
    picture = drawing.picture
    if _is_opaque(picture):
        cut = without_background(picture)
        if cut is None:
            raise InputError(
                f"{drawing.name}: its background has many colours; cut the figure out by hand"
            )
        picture = cut
    picture = clean(picture)
    head = head or estimate_head(picture)
    if head is None:
        raise InputError(f"{drawing.name}: no figure is seen; give another drawing")
    height, width = picture.shape[:2]
    stays = height <= MOST_PIXELS if size is None else height == size
    # What is nearly right is let be, unless a person says exactly where it is.
    if stays and head.source != "hand" and not _head_faults(head, width, height):
        return replace(drawing, picture=picture, has_alpha=True)
    return replace(drawing, picture=_framed(picture, head, size), has_alpha=True)


def framed_head(size: int) -> Head:
    """Where the head of a drawing of that size is once it is as it should be."""
    return Head(SKULL_TOP_FRACTION * size, CHIN_FRACTION * size, size / 2, "hand")


def _framed(picture: Stored, head: Head, size: int | None) -> Stored:
    """Cropped and padded so that the head fills the middle half, then scaled."""
    if head.chin - head.skull_top > _TALL_HEAD:
        height, width = picture.shape[:2]
        picture = resized(picture, max(1, width // 2), max(1, height // 2))
        rows, columns = picture.shape[0] / height, picture.shape[1] / width
        tall = head.skull_top * rows, head.chin * rows
        head = replace(head, skull_top=tall[0], chin=tall[1], centre_x=head.centre_x * columns)
    side = max(2, round((head.chin - head.skull_top) / (CHIN_FRACTION - SKULL_TOP_FRACTION)))
    top = round(head.skull_top - SKULL_TOP_FRACTION * side)
    left = round(head.centre_x - side / 2)
    size = size or max(DEFAULT_SIZE, min(side, MOST_PIXELS))
    return resized(cropped(picture, top, left, side), size, size)


def _is_opaque(picture: Stored) -> bool:
    return bool((picture[..., 3] > 250).all())


def without_background(picture: Stored) -> Stored | None:
    """An opaque picture with its flat background made transparent; None if it has none.

    What is connected with the border and of its colour goes; pixels beside it are mixtures and
    get the alpha that explains them.
    """
    colour = _border_colour(picture)
    if colour is None:
        return None
    distance = _distance(picture, colour)
    padded = np.pad(distance <= _FLAT, 1, constant_values=True)
    reached: Flags = flood(padded, (0, 0), connectivity=1)  # type: ignore[no-untyped-call]
    outside = reached[1:-1, 1:-1]
    edge = _grown(outside) & ~outside
    cut = picture.copy()
    cut[outside] = 0
    # How far from the background the figure beside each edge pixel is.
    figure = np.where(outside | edge, np.uint8(0), distance)
    reach = ndimage.maximum_filter(figure, 5, mode="constant")[edge]
    alpha = np.clip(distance[edge] / np.maximum(reach, 1), 0.05, 1)
    pure = (picture[edge][:, :3] - (1 - alpha)[:, None] * colour) / alpha[:, None]
    cut[edge] = np.concatenate(
        [np.clip(np.rint(pure), 0, 255), np.rint(255 * alpha)[:, None]], axis=1
    ).astype(np.uint8)
    return cut


def _distance(picture: Stored, colour: npt.NDArray[np.int16]) -> npt.NDArray[np.uint8]:
    """How far each pixel is from a colour, in its worst channel, (H, W); one at a time, for
    drawings are large."""
    worst = np.zeros(picture.shape[:2], np.uint8)
    for channel, wanted in enumerate(colour):
        off = np.abs(picture[..., channel].astype(np.int16) - wanted).astype(np.uint8)
        np.maximum(worst, off, out=worst)
    return worst


def _grown(flags: Flags) -> Flags:
    padded = np.pad(flags, 1)
    return np.asarray(
        padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:] | flags
    )


def _border_colour(picture: Stored) -> npt.NDArray[np.int16] | None:
    """The colour of the upper border and the upper halves of the sides, if it is one."""
    half = max(1, picture.shape[0] // 2)
    border = np.concatenate([picture[0], picture[:half, 0], picture[:half, -1]])[:, :3]
    colour = np.median(border, axis=0).astype(np.int16)
    alike = (np.abs(border.astype(np.int16) - colour).max(axis=1) <= _FLAT).mean()
    return colour if alike >= _BORDER_OF_ONE_COLOUR else None


def _background_faults(drawing: Drawing, removable: bool) -> list[Fault]:
    picture = drawing.picture
    if _is_opaque(picture):
        kind = "no alpha channel" if not drawing.has_alpha else "an alpha channel without holes"
        remedy = (
            "its background is one colour, which --fix removes"
            if removable
            else "its background has many colours: cut the figure out by hand"
        )
        return [Fault("opaque", f"{kind}: the background must be transparent; {remedy}", removable)]
    faults = []
    hidden = int(((picture[..., 3] == 0) & (picture[..., :3] > 0).any(axis=2)).sum())
    if hidden:
        faults.append(
            Fault("hidden-colour", f"{hidden} transparent pixels carry colour; --fix clears them")
        )
    faint = float(((picture[..., 3] > 0) & (picture[..., 3] < 24)).mean())
    if faint > 0.05:
        faults.append(
            Fault(
                "faint-background",
                f"{faint:.0%} of the picture is nearly transparent, not wholly: erase what is "
                "left of the background",
                False,
            )
        )
    top_corners = picture[0, [0, -1], 3]
    if (top_corners > 127).all():
        faults.append(
            Fault("background", "both upper corners are opaque: erase the background", False)
        )
    return faults


def _size_faults(width: int, height: int) -> list[Fault]:
    faults = []
    if width != height:
        faults.append(Fault("not-square", f"{width}x{height}: must be square; --fix crops or pads"))
    if min(width, height) < DEFAULT_SIZE // 2:
        faults.append(
            Fault("small", f"{width}x{height} is coarse: draw it at {DEFAULT_SIZE} or more", False)
        )
    return faults


def _head_faults(head: Head, width: int, height: int, tolerance: float = _TOLERANCE) -> list[Fault]:
    """Where the head is off the middle half by more than ``tolerance`` of its height, in words."""
    tall = max(head.chin - head.skull_top, 1.0)
    wanted_top, wanted_chin = SKULL_TOP_FRACTION * height, CHIN_FRACTION * height
    faults = []
    scale = (wanted_chin - wanted_top) / tall
    if abs(scale - 1) > 2 * tolerance:
        size = "small" if scale > 1 else "large"
        faults.append(
            Fault(
                f"head-{size}",
                f"the head is too {size}: {tall:.0f} rows, not {wanted_chin - wanted_top:.0f} "
                f"(by its {head.source}); --fix scales it by {scale:.2f}",
            )
        )
    middle = (head.skull_top + head.chin) / 2
    for off, axis, names in (
        ((middle - height / 2) / tall, "row", ("high", "low")),
        ((head.centre_x - width / 2) / tall, "column", ("far left", "far right")),
    ):
        if abs(off) > tolerance:
            where = names[off > 0]
            faults.append(
                Fault(
                    f"head-{where.replace(' ', '-')}",
                    f"the head is too {where}: its middle {axis} is off by {abs(off):.0%} of its "
                    f"height (by its {head.source}); --fix moves it",
                )
            )
    return faults


def _face_faults(figure: Stored, head: Head) -> list[Fault]:
    """Whether there is something like eyes on both sides; a face that is hidden has none."""
    tall = head.chin - head.skull_top
    low, high = (round(head.chin - share * tall) for share in _EYES)
    faults = []
    for side, sign in (("viewer's left", -1), ("viewer's right", 1)):
        near, far = sorted(round(head.centre_x + sign * share * tall) for share in (0.06, 0.32))
        eye = figure[max(high, 0) : max(low, 0), max(near, 0) : max(far, 0)]
        part, seen = eye[..., :3].astype(float) @ np.array([0.3, 0.59, 0.11]), eye[..., 3] > 127
        if seen.sum() < 4 or part[seen].std() < _MIN_CONTRAST:
            faults.append(
                Fault(
                    "no-eye",
                    f"no open eye is seen on the {side}: the face must look straight ahead, with "
                    "both eyes open and not hidden",
                    False,
                )
            )
    return faults


def _with_mouth(drawing: Drawing, figure: Stored, head: Head) -> tuple[str, ...]:
    """The drawing's notes, and what there is to say of its mouth; noted only, for some are tiny."""
    open_by = mouth_height(figure, head)
    if open_by is None:
        note = "no mouth is seen between the eyes and the chin; it should be wide open, not hidden"
    elif open_by < _WIDE_OPEN:
        note = (
            f"the mouth looks closed ({open_by:.1%} of the head's height): the networks close "
            "mouths but cannot open them, so draw it wide open if it is to move"
        )
    else:
        return drawing.notes
    return (*drawing.notes, note)
