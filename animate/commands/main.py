"""``animate still | gif | video | track``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from animate.commands.check import check
from animate.commands.export import export
from animate.commands.options import (
    BACKEND,
    BACKGROUND,
    BUNDLE,
    COMPILE,
    CONFIGURATION,
    DEVICE,
    DRAWING,
    OUT,
    SIZE,
    PathType,
)
from animate.commands.serve import serve
from animate.commands.track import track
from animate.pose.open_drawing import Finish, open_drawing
from contract.cli import ErrorLineGroup
from contract.pose import AXES, pose_from_mapping

if TYPE_CHECKING:
    from animate.motion.motion import Motion
    from animate.pose.poser import Poser
    from contract.image import Stored

MOTION_NAMES = ("idle", "blink", "nod", "shake", "sway", "talk")


@click.group(cls=ErrorLineGroup)
def main() -> None:
    """Bring a drawing to life with trained networks.

    The drawing: one anime character, upright, looking at you, eyes and mouth open, on a transparent
    background, the head in the middle half of the picture.
    """


def _pose_values(
    _context: click.Context, _option: click.Parameter, texts: tuple[str, ...]
) -> dict[str, float]:
    """``axis=number`` each."""
    values = {}
    for text in texts:
        name, equals, number = text.partition("=")
        try:
            values[name] = float(number)
        except ValueError:
            equals = ""
        if not equals or not math.isfinite(values[name]):
            raise click.BadParameter(f"{text!r} is no axis=number, as head_x=0.5")
    return values


@main.command()
@DRAWING
@click.option(
    "--pose",
    multiple=True,
    callback=_pose_values,
    metavar="AXIS=VALUE",
    help=f"Any of {', '.join(axis.name for axis in AXES)}; the mouth is closed unless given.",
)
@BUNDLE
@CONFIGURATION
@DEVICE
@BACKEND
@SIZE
@BACKGROUND
@OUT
def still(
    drawing: Path,
    pose: dict[str, float],
    bundle: Path,
    configuration: str | None,
    device: str,
    backend: str,
    size: int | None,
    background: str | None,
    out: Path,
) -> None:
    """One picture of DRAWING in a pose."""
    from animate.drawing.output import write_still  # noqa: PLC0415

    wanted = pose_from_mapping({"mouth": 0.0, **pose})
    poser = open_drawing(drawing, bundle, configuration, device, backend)
    finish = Finish(poser, size, background)
    write_still(out, finish.of(poser.draw(wanted)))
    click.echo(f"{out}: {finish.size}x{finish.size}", err=True)


@main.command("gif")
@DRAWING
@click.option(
    "--motion",
    "name",
    type=click.Choice(MOTION_NAMES),
    help="A built-in one; idle unless another is given.",
)
@click.option("--csv", "table", type=PathType, help="Poses from a table instead: time and axes.")
@click.option("--vmd", type=PathType, help="MMD's motion of a figure or a face instead.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="How long; cuts others.")
@click.option("--fps", type=click.FloatRange(1, 120), default=25.0, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of a motion.")
@BUNDLE
@CONFIGURATION
@DEVICE
@BACKEND
@COMPILE
@SIZE
@BACKGROUND
@OUT
def gif(
    drawing: Path,
    name: str | None,
    table: Path | None,
    vmd: Path | None,
    seconds: float | None,
    fps: float,
    seed: int,
    bundle: Path,
    configuration: str | None,
    device: str,
    backend: str,
    compiled: bool,
    size: int | None,
    background: str | None,
    out: Path,
) -> None:
    """DRAWING in motion, as OUT's suffix says: .gif, .png (APNG), .webp, .mp4, .webm; or a folder.

    WebM, WebP and APNG keep soft transparency; a GIF's is one bit; MP4 has none.
    """
    if sum(given is not None for given in (name, table, vmd)) > 1:
        raise click.UsageError("give one of --motion, --csv and --vmd")
    motion = _motion(name or "idle", table, vmd, seconds or 0.0, fps, seed)
    poser = open_drawing(drawing, bundle, configuration, device, backend, compiled=compiled)
    _write(out, poser, motion, Finish(poser, size, background))


main.add_command(gif, "video")
main.add_command(track)
main.add_command(check)
main.add_command(export)
main.add_command(serve)


def _motion(
    name: str, table: Path | None, vmd: Path | None, seconds: float, fps: float, seed: int
) -> Motion:
    from animate.motion.motion import built_in, cut, read_csv  # noqa: PLC0415

    if vmd:
        from animate.motion.vmd_motion import read_motion  # noqa: PLC0415

        return cut(read_motion(vmd, fps), seconds)
    return cut(read_csv(table, fps), seconds) if table else built_in(name, seconds, fps, seed)


def _write(out: Path, poser: Poser, motion: Motion, finish: Finish) -> None:
    from animate.commands.progress import shown  # noqa: PLC0415
    from animate.drawing.output import write_animation  # noqa: PLC0415

    def frames(wanted: range) -> Iterator[Stored]:
        for frame in shown(wanted):
            yield finish.of(poser.draw(motion.pose(frame)))

    write_animation(out, frames, len(motion.poses), motion.fps)
    for note in motion.notes:
        click.echo(note, err=True)
    click.echo(
        f"{out}: {len(motion.poses)} frames of {finish.size}x{finish.size}, {motion.seconds:.2f} s "
        f"at {motion.fps:g} a second",
        err=True,
    )


if __name__ == "__main__":
    main()
