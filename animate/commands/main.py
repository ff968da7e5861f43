"""``animate still | gif | video``, and the group of all commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from animate.commands.check import check
from animate.commands.options import (
    BACKEND,
    BACKGROUND,
    BUNDLE,
    COMPILE,
    CONFIGURATION,
    DRAWING,
    SIZE,
    PathType,
)
from animate.commands.serve import serve
from animate.commands.sheet import sheet
from animate.commands.shown import open_drawing, write_frames
from animate.commands.track import track
from contract.cli import ErrorLineGroup, FiniteRange, out_option, pose_option
from contract.pose import Pose
from models.base.device import DEVICE

if TYPE_CHECKING:
    from animate.motion.motion import Motion

MOTION_NAMES = ("idle", "blink", "nod", "shake", "sway", "talk")


@click.group(cls=ErrorLineGroup)
def main() -> None:
    """Bring a drawing to life with trained networks.

    The drawing: one anime character, upright, looking at you, eyes and mouth open, on a transparent
    background, the head in the middle half of the picture.
    """


@main.command()
@DRAWING
@pose_option(Pose(mouth=0.0), "the mouth is closed unless given")
@BUNDLE
@CONFIGURATION
@DEVICE
@BACKEND
@SIZE
@BACKGROUND
@out_option()
def still(
    drawing: Path,
    pose: Pose,
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

    shown = open_drawing(drawing, bundle, configuration, device, size, background, backend=backend)
    write_still(out, shown.draw(pose))
    click.echo(f"{out}: {shown.size}x{shown.size}", err=True)


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
@click.option(
    "--audio",
    type=PathType,
    help="Speak what this sound, or this video's, says instead; it goes into .mp4 and .webm.",
)
@click.option("--seconds", type=FiniteRange(0, min_open=True), help="How long; cuts others.")
@click.option("--fps", type=FiniteRange(1, 120), default=25.0, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of a motion.")
@BUNDLE
@CONFIGURATION
@DEVICE
@BACKEND
@COMPILE
@SIZE
@BACKGROUND
@out_option()
def gif(
    drawing: Path,
    name: str | None,
    table: Path | None,
    vmd: Path | None,
    audio: Path | None,
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
    if sum(given is not None for given in (name, table, vmd, audio)) > 1:
        raise click.UsageError("give one of --motion, --csv, --vmd and --audio")
    motion = _motion(name or "idle", table, vmd, audio, seconds or 0.0, fps, seed)
    shown = open_drawing(
        drawing,
        bundle,
        configuration,
        device,
        size,
        background,
        backend=backend,
        compiled=compiled,
    )
    write_frames(out, motion, shown, sound=audio)
    for note in motion.notes:
        click.echo(note, err=True)
    click.echo(
        f"{out}: {len(motion.poses)} frames of {shown.size}x{shown.size}, "
        f"{motion.seconds:.2f} s at {motion.fps:g} a second",
        err=True,
    )


main.add_command(gif, "video")


@main.command()
@BUNDLE
@CONFIGURATION
@click.option("--onnx", is_flag=True, help="The kind; there is no other yet.")
@out_option()
def export(bundle: Path, configuration: str | None, onnx: bool, out: Path) -> None:
    """Write trained networks as ONNX files into the folder OUT, for other programs and runtimes."""
    from animate.pose.torch_networks import open_bundle  # noqa: PLC0415
    from models.files.onnx_export import export_onnx  # noqa: PLC0415

    if not onnx:
        raise click.UsageError("give --onnx")
    name = export_onnx(open_bundle(bundle), configuration, out)
    click.echo(f"{out}: {name} as ONNX")


main.add_command(track)
main.add_command(check)
main.add_command(serve)
main.add_command(sheet)


def _motion(
    name: str,
    table: Path | None,
    vmd: Path | None,
    audio: Path | None,
    seconds: float,
    fps: float,
    seed: int,
) -> Motion:
    from animate.motion.motion import built_in, cut, read_csv  # noqa: PLC0415

    if audio:
        from numpy.random import default_rng  # noqa: PLC0415

        from animate.motion.speech import speech_motion  # noqa: PLC0415

        return speech_motion(audio, fps, default_rng(seed), seconds)
    if vmd:
        from animate.motion.vmd_motion import read_motion  # noqa: PLC0415

        return cut(read_motion(vmd, fps), seconds)
    return cut(read_csv(table, fps), seconds) if table else built_in(name, seconds, fps, seed)


if __name__ == "__main__":
    main()
