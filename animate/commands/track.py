"""``animate track``: a person before a camera or in a video moves the drawing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from animate.commands.options import BACKGROUND, BUNDLE, CONFIGURATION, SIZE, PathType
from animate.commands.shown import ShownDrawing, open_drawing, write_frames
from contract.cli import out_option
from models.base.device import DEVICE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from animate.motion.motion import Motion
    from animate.track.capture import Frame
    from animate.track.face_measures import Measures
    from animate.track.track import Pictures
    from contract.image import Stored

_CAMERA_SECONDS = 3.0


@click.command()
@click.argument("drawing", type=PathType, required=False)
@click.option("--video", type=PathType, help="A video of a person.")
@click.option("--camera", type=click.IntRange(0), help="A camera's number, as 0.")
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    show_default=True,
    help="How long the camera is watched; Ctrl-C ends it earlier.",
)
@click.option(
    "--mirrored/--not-mirrored",
    default=None,
    help="As in a mirror: turn to your left, and it turns to yours. Default: with a camera only.",
)
@click.option(
    "--calibration",
    "calibration_path",
    type=PathType,
    help="JSON of your rest and range: read if it is there, else written.",
)
@click.option(
    "--calibrate-seconds",
    type=click.FloatRange(0, min_open=True),
    help="How much of the beginning a new calibration looks at. "
    f"Default: all of a video, {_CAMERA_SECONDS:g} of a camera.",
)
@click.option("--fps", type=click.FloatRange(1, 120), help="The source's own unless given.")
@click.option("--csv", "table", type=PathType, help="Also write the poses as a table.")
@click.option("--side-by-side", is_flag=True, help="Show the person beside the drawing.")
@BUNDLE
@CONFIGURATION
@DEVICE
@SIZE
@BACKGROUND
@out_option("A video or an animation, as of `animate video`.", required=False)
def track(
    drawing: Path | None,
    video: Path | None,
    camera: int | None,
    seconds: float,
    mirrored: bool | None,
    calibration_path: Path | None,
    calibrate_seconds: float | None,
    fps: float | None,
    table: Path | None,
    side_by_side: bool,
    bundle: Path,
    configuration: str | None,
    device: str,
    size: int | None,
    background: str | None,
    out: Path | None,
) -> None:
    """DRAWING moved by a person: head, eyes and mouth, from --video or --camera.

    Without a DRAWING it writes the poses alone (--csv).

    The person's usual face is the drawing's rest: look ahead and blink once while calibrating. A
    camera is recorded first and drawn afterwards.
    """
    from animate.track import track as tracking  # noqa: PLC0415

    _require_source_and_output(drawing, video, camera, table, out)
    shown = None
    if out and drawing:
        shown = open_drawing(drawing, bundle, configuration, device, size, background)
    pictures = tracking.Pictures(shown.size) if side_by_side and shown else None
    name, measures = _watch(video, camera, seconds, pictures)
    lookback = calibrate_seconds or (_CAMERA_SECONDS if video is None else float("inf"))
    calibration, is_new = tracking.open_calibration(calibration_path, measures, lookback)
    mirrored = camera is not None if mirrored is None else mirrored
    motion = tracking.motion_of(measures, calibration, fps, mirrored=mirrored)
    for note in tracking.faceless(measures, name):
        click.echo(note, err=True)
    if calibration_path:
        click.echo(f"{calibration_path}: {'written' if is_new else 'used'}", err=True)
    if table:
        _write_table(table, motion)
    if out and shown:
        beside = _Beside(pictures, measures, mirrored=mirrored) if pictures else None
        _write(out, motion, shown, beside)


def _require_source_and_output(
    drawing: Path | None,
    video: Path | None,
    camera: int | None,
    table: Path | None,
    out: Path | None,
) -> None:
    if (video is None) == (camera is None):
        raise click.UsageError("source: give either --video FILE or --camera NUMBER")
    if out is None and table is None:
        raise click.UsageError("output: give --out for the drawing, --csv for the poses, or both")
    if out and not drawing:
        raise click.UsageError(f"{out}: of which drawing? Give one, or --csv alone for the poses")


def _watch(
    video: Path | None, camera: int | None, seconds: float, pictures: Pictures | None
) -> tuple[str, Measures]:
    from animate.track.capture import camera_frames, file_frames  # noqa: PLC0415
    from animate.track.track import read_measures  # noqa: PLC0415

    if video is not None:
        return video.name, read_measures(file_frames(video), pictures, video.name)
    name = f"camera {camera}"
    frames = _announced(camera_frames(camera or 0, seconds), f"{name}: recording {seconds:g} s")
    return name, read_measures(frames, pictures, name)


def _announced(frames: Iterator[Frame], words: str) -> Iterator[Frame]:
    """The frames; says on the first, when the camera is known to be there, that it runs."""
    for number, frame in enumerate(frames):
        if number == 0:
            click.echo(f"{words}; Ctrl-C ends it earlier", err=True)
        yield frame


def _write_table(path: Path, motion: Motion) -> None:
    from animate.motion.motion import write_csv  # noqa: PLC0415
    from contract.files import write_bytes  # noqa: PLC0415

    write_bytes(path, write_csv(motion).encode())
    click.echo(f"{path}: {len(motion.poses)} poses at {motion.fps:.4g} a second", err=True)


class _Beside:
    """Puts the person's frame of the same time to the left of the drawing."""

    def __init__(self, pictures: Pictures, measures: Measures, *, mirrored: bool) -> None:
        self._pictures = pictures
        self._seconds = measures.seconds
        self._mirrored = mirrored

    def joined(self, drawn: Stored, second: float) -> Stored:
        """(size, 2 * size, 4)."""
        import numpy as np  # noqa: PLC0415

        from animate.track.track import nearest_frame  # noqa: PLC0415

        frame = nearest_frame(self._seconds, second)
        source = self._pictures.square(frame, mirrored=self._mirrored)
        return np.concatenate([source, drawn], axis=1)


def _write(out: Path, motion: Motion, shown: ShownDrawing, beside: _Beside | None) -> None:
    def drawn(frame: int) -> Stored:
        picture = shown.draw(motion.pose(frame))
        return beside.joined(picture, frame / motion.fps) if beside else picture

    write_frames(out, motion, drawn)
    click.echo(
        f"{out}: {len(motion.poses)} frames, {motion.seconds:.2f} s at {motion.fps:.4g} a second",
        err=True,
    )
