"""From a person's frames to a motion: measure, calibrate, fill, smooth, at an even frame rate."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from animate.motion.motion import MAX_FRAMES, Motion
from animate.track.calibration import Calibration, poses
from animate.track.capture import Frame, Rgb
from animate.track.face_measures import F64, MEASURES, Landmarks, Measures, measure
from animate.track.follow import filled, smoothed
from animate.track.reach import Reach
from contract.errors import InputError
from contract.image import Stored

Find = Callable[[Rgb], Landmarks | None]


class Pictures:
    """Frames kept small, as JPEG, for the picture beside the character."""

    def __init__(self, side: int) -> None:
        self._side = side
        self._packed: list[bytes] = []

    def add(self, picture: Rgb) -> None:
        """Keep a frame, fitted into the square."""
        image = ImageOps.contain(Image.fromarray(picture, "RGB"), (self._side, self._side))
        packed = io.BytesIO()
        image.save(packed, "JPEG", quality=90)
        self._packed.append(packed.getvalue())

    def square(self, frame: int, *, mirrored: bool) -> Stored:
        """A frame in the middle of a black square; ``mirrored``: as in a mirror."""
        image = Image.open(io.BytesIO(self._packed[frame])).convert("RGBA")
        if mirrored:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        page = Image.new("RGBA", (self._side, self._side), "black")
        page.paste(image, ((self._side - image.width) // 2, (self._side - image.height) // 2))
        return np.array(page)


def measured(frames: Iterable[Frame], find: Find, pictures: Pictures | None = None) -> Measures:
    """What the faces in the frames say; at most ``MAX_FRAMES`` frames are looked at."""
    seconds: list[float] = []
    values: list[F64] = []
    for frame in frames:
        landmarks = find(frame.picture)
        height, width = frame.picture.shape[:2]
        values.append(
            np.full(len(MEASURES), np.nan)
            if landmarks is None
            else measure(landmarks, width, height)
        )
        seconds.append(frame.seconds)
        if pictures:
            pictures.add(frame.picture)
        if len(values) == MAX_FRAMES:
            break
    return Measures(np.array(seconds), np.array(values).reshape(-1, len(MEASURES)))


def require_face(measures: Measures, name: str) -> None:
    """``InputError`` unless a face was found in some frame."""
    if not measures.has_face.any():
        last = measures.seconds[-1] if len(measures.seconds) else 0.0
        raise InputError(
            f"{name}: no face in any of {len(measures.seconds)} frames (0.00-{last:.2f} s); "
            "show one face, lit from the front"
        )


def faceless(measures: Measures, name: str) -> tuple[str, ...]:
    """One line that says when there was no face; none when there always was."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], measures.has_face, [True]]).astype(int)))
    spans = [
        f"{measures.seconds[start]:.2f}-{measures.seconds[end - 1]:.2f}"
        for start, end in zip(edges[::2], edges[1::2], strict=True)
    ]
    return (f"{name}: no face at {', '.join(spans)} s; held, then at rest",) if spans else ()


def motion_of(
    measures: Measures, calibration: Calibration, fps: float | None, *, mirrored: bool
) -> Motion:
    """The motion at ``fps`` frames a second (the source's own unless given)."""
    at = measures.seconds
    raw = filled(at, reached_poses(measures, calibration, mirrored=mirrored))
    even = smoothed(at, raw)
    rate = fps or own_rate(at)
    times = np.arange(min(round(float(at[-1]) * rate), MAX_FRAMES - 1) + 1) / rate
    columns = [np.interp(times, at, column) for column in even.T]
    return Motion(rate, np.column_stack(columns))


def reached_poses(measures: Measures, calibration: Calibration, *, mirrored: bool) -> F64:
    """As ``animate.track.calibration.poses``, by a calibration that learns from frame to frame."""
    reach = Reach(calibration)
    rows = []
    for now, values in zip(measures.seconds, measures.values, strict=True):
        known = reach.take(float(now), values)
        rows.append(poses(Measures(np.array([now]), values[None]), known, mirrored=mirrored)[0])
    return np.array(rows)


def own_rate(seconds: F64) -> float:
    """Frames a second of a source, between 1 and 120."""
    if len(seconds) < 2:
        return 30.0
    return float(np.clip(1 / max(float(np.median(np.diff(seconds))), 1e-3), 1, 120))


def nearest_frame(seconds: F64, second: float) -> int:
    """The source's frame that is nearest in time."""
    return int(np.argmin(np.abs(seconds - second)))


def read_measures(frames: Iterable[Frame], pictures: Pictures | None, name: str) -> Measures:
    """``measured`` with a face finder of its own; ``InputError`` where no frame has a face."""
    from animate.track.face_measures import FaceFinder  # noqa: PLC0415  # loads mediapipe

    with FaceFinder() as finder:
        measures = measured(frames, finder.find, pictures)
    require_face(measures, name)
    return measures


def open_calibration(
    path: Path | None, measures: Measures, seconds: float
) -> tuple[Calibration, bool]:
    """The calibration in ``path``, or a new one, written there; and whether it is new."""
    from animate.track.calibration import calibrate, load, save  # noqa: PLC0415

    if path and path.exists():
        return load(path), False
    made = calibrate(measures, seconds)
    if path:
        save(made, path)
    return made, True
