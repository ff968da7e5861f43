"""``animate track``: a person before a camera, in a video or a tracker moves the drawing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from animate.commands.options import BACKGROUND, BUNDLE, CONFIGURATION, SIZE, PathType
from animate.commands.shown import ShownDrawing, open_drawing, write_frames
from contract.cli import FiniteRange, out_option
from contract.errors import InputError
from models.base.device import DEVICE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from animate.listen.address import Address
    from animate.motion.motion import Motion
    from animate.track.capture import Frame
    from animate.track.face_measures import Measures
    from animate.track.track import Pictures
    from contract.image import Stored

_CAMERA_SECONDS = 3.0
_TRACKER_FPS = 30.0  # they send up to four times as many


def _address(_context: click.Context, _option: click.Parameter, text: str | None) -> Address | None:
    if text is None:
        return None
    from animate.listen.address import parse_address  # noqa: PLC0415

    try:
        return parse_address(text)
    except InputError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.argument("drawing", type=PathType, required=False)
@click.option("--video", type=PathType, help="A video of a person.")
@click.option("--camera", type=click.IntRange(0), help="A camera's number, as 0.")
@click.option(
    "--listen",
    callback=_address,
    metavar="TRACKER[[:HOST]:PORT]",
    help="Another program's tracker over UDP: vmc, openseeface or ifacialmocap, as vmc:39539; "
    "from this machine alone, unless HOST is another address of it, as vmc:0.0.0.0:39539.",
)
@click.option("--ask", metavar="HOST", help="Of a telephone that waits to be asked (ifacialmocap).")
@click.option(
    "--seconds",
    type=FiniteRange(0, min_open=True),
    default=30.0,
    show_default=True,
    help="How long a camera is watched or a tracker heard; Ctrl-C ends it earlier.",
)
@click.option(
    "--mirrored/--not-mirrored",
    default=None,
    help="As in a mirror: turn to your left, and it turns to yours. Default: with a camera, and "
    "with trackers that watch a person; vmc sends what an avatar does.",
)
@click.option(
    "--calibration",
    "calibration_path",
    type=PathType,
    help="JSON of your rest and range: read if it is there, else written.",
)
@click.option(
    "--calibrate-seconds",
    type=FiniteRange(0, min_open=True),
    help="How much of the beginning a new calibration looks at. "
    f"Default: all of a video, {_CAMERA_SECONDS:g} of a camera or a tracker.",
)
@click.option(
    "--fps",
    type=FiniteRange(1, 120),
    help=f"The source's own unless given; {_TRACKER_FPS:g} of a tracker.",
)
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
    listen: Address | None,
    ask: str | None,
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
    """DRAWING moved by a person: head, eyes and mouth, from --video, --camera or --listen.

    Without a DRAWING it writes the poses alone (--csv).

    The person's usual face is the drawing's rest: look ahead and blink once while calibrating. A
    camera or a tracker is recorded first and drawn afterwards.
    """
    source = _Source(video, camera, listen, ask, seconds)
    _require_source_and_output(source, drawing, table, out)
    if side_by_side and listen:
        raise click.UsageError("--side-by-side: a tracker sends no pictures; leave it out")
    shown = None
    if out and drawing:
        shown = open_drawing(drawing, bundle, configuration, device, size, background)
    recorded = _record(source, shown.size if side_by_side and shown else None)
    mirrored = source.is_mirrored if mirrored is None else mirrored
    lookback = calibrate_seconds or (float("inf") if video else _CAMERA_SECONDS)
    rate = fps or (_TRACKER_FPS if listen else None)
    motion = _motion(recorded, calibration_path, lookback, rate, mirrored=mirrored)
    if table:
        _write_table(table, motion)
    if out and shown:
        pictures = recorded.pictures
        beside = _Beside(pictures, recorded.measures, mirrored=mirrored) if pictures else None
        _write(out, motion, shown, beside)


@dataclass(frozen=True)
class _Source:
    """Where a person's face comes from: one of the first three."""

    video: Path | None
    camera: int | None
    listen: Address | None
    ask: str | None
    seconds: float

    @property
    def is_mirrored(self) -> bool:
        """Whether one expects a mirror of it."""
        if self.listen is None:
            return self.camera is not None
        from animate.listen.address import TRACKERS  # noqa: PLC0415

        return TRACKERS[self.listen.tracker].shows_a_person


@dataclass(frozen=True)
class _Recorded:
    """What was measured; ``pictures`` where they are to be shown."""

    name: str
    measures: Measures
    pictures: Pictures | None = None


def _require_source_and_output(
    source: _Source, drawing: Path | None, table: Path | None, out: Path | None
) -> None:
    given = (source.video, source.camera, source.listen)
    if sum(one is not None for one in given) != 1:
        raise click.UsageError(
            "source: give one of --video FILE, --camera NUMBER and --listen TRACKER"
        )
    if source.ask and not (source.listen and source.listen.tracker == "ifacialmocap"):
        raise click.UsageError("--ask: goes with --listen ifacialmocap alone")
    if out is None and table is None:
        raise click.UsageError("output: give --out for the drawing, --csv for the poses, or both")
    if out and not drawing:
        raise click.UsageError(f"{out}: of which drawing? Give one, or --csv alone for the poses")


def _record(source: _Source, picture_size: int | None) -> _Recorded:
    from animate.track.capture import camera_frames, file_frames  # noqa: PLC0415
    from animate.track.track import Pictures, read_measures  # noqa: PLC0415

    if source.listen:
        return _heard(source.listen, source)
    pictures = Pictures(picture_size) if picture_size else None
    if source.video is not None:
        name = source.video.name
        return _Recorded(name, read_measures(file_frames(source.video), pictures, name), pictures)
    name = f"camera {source.camera}"
    frames = camera_frames(source.camera or 0, source.seconds)
    told = _announced(frames, f"{name}: recording {source.seconds:g} s")
    return _Recorded(name, read_measures(told, pictures, name), pictures)


def _heard(address: Address, source: _Source) -> _Recorded:
    from animate.listen.listener import Listener, ignored, record  # noqa: PLC0415
    from animate.track.capture import interrupts  # noqa: PLC0415
    from animate.track.track import require_face  # noqa: PLC0415

    name = str(address)
    words = f"{name}: recording {source.seconds:g} s; Ctrl-C ends it earlier"
    with interrupts() as ends, Listener(address, source.ask) as listener:
        click.echo(f"{name}: listening", err=True)
        begin = partial(click.echo, words, err=True)
        measures = record(listener, name, source.seconds, begin, ends)
    for note in ignored(listener.counts, name):
        click.echo(note, err=True)
    require_face(measures, name)
    return _Recorded(name, measures)


def _motion(
    recorded: _Recorded,
    calibration_path: Path | None,
    lookback: float,
    fps: float | None,
    *,
    mirrored: bool,
) -> Motion:
    """The recorded motion, after saying what should be known of it."""
    from animate.track import track as tracking  # noqa: PLC0415

    measures = recorded.measures
    calibration, is_new = tracking.open_calibration(calibration_path, measures, lookback)
    for note in tracking.faceless(measures, recorded.name):
        click.echo(note, err=True)
    if calibration_path:
        click.echo(f"{calibration_path}: {'written' if is_new else 'used'}", err=True)
    return tracking.motion_of(measures, calibration, fps, mirrored=mirrored)


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
    write_frames(out, motion, shown, beside.joined if beside else None)
    click.echo(
        f"{out}: {len(motion.poses)} frames, {motion.seconds:.2f} s at {motion.fps:.4g} a second",
        err=True,
    )
