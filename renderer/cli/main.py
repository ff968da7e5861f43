"""``renderer doctor | still | mesh``."""

from __future__ import annotations

from pathlib import Path

import click

from contract.cli import ErrorLineGroup, out_option, pose_option
from contract.files import write_bytes
from contract.image import DEFAULT_SIZE
from contract.light import DEFAULT_AMBIENT, MAX_AMBIENT, SHADINGS, Light, Shading
from contract.png import png_bytes
from contract.pose import REST, Pose
from renderer.cli.mesh import mesh
from renderer.draw.canvas import DEFAULT_SUPERSAMPLE, Canvas
from renderer.draw.device import INSTALL_HINT, DeviceReport, report_devices
from renderer.fit.fit_rig import fit_rig
from renderer.formats.read import read_model
from renderer.portrait.portrait import Portrait


@click.group(cls=ErrorLineGroup)
def main() -> None:
    """Draw MikuMikuDance models without a window."""


main.add_command(mesh)


@main.command()
def doctor() -> None:
    """Say which OpenGL devices there are and how to get one where there is none.

    Exit code 0 when at least one opens, 1 otherwise.
    """
    for report in report_devices():
        click.echo(_device_lines(report))
    click.echo("ready: renderer and dataset build will use device 0 (--device auto)")


def _device_lines(report: DeviceReport) -> str:
    kind = "software (slow but exact)" if report.software else "hardware"
    lines = [
        f"device {report.number}: {report.renderer}",
        f"  vendor       {report.vendor}",
        f"  OpenGL       {report.version}",
        f"  kind         {kind}",
        f"  MSAA         at most {report.max_samples} samples "
        f"(not needed: pictures are supersampled {DEFAULT_SUPERSAMPLE}x{DEFAULT_SUPERSAMPLE})",
        f"  textures     at most {report.max_texture_side} pixels a side",
    ]
    if report.software:
        lines.append(
            "  faster       install the graphics card's own driver with EGL; "
            f"what runs now comes from: {INSTALL_HINT}"
        )
    return "\n".join(lines)


@main.command()
@click.argument("model", type=click.Path(path_type=Path))
@pose_option(REST, "the others are at rest")
@click.option("--shading", type=click.Choice(SHADINGS), default="phong", show_default=True)
@click.option("--size", type=click.IntRange(16, 4096), default=DEFAULT_SIZE, show_default=True)
@click.option(
    "--ambient", type=click.FloatRange(0, MAX_AMBIENT), default=DEFAULT_AMBIENT, show_default=True
)
@click.option("--supersample", type=click.IntRange(1, 8), default=2, show_default=True)
@click.option("--device", default="auto", show_default=True, help="auto, software, or a number.")
@out_option()
def still(
    model: Path,
    pose: Pose,
    shading: Shading,
    size: int,
    ambient: float,
    supersample: int,
    device: str,
    out: Path,
) -> None:
    """Draw MODEL's head in one pose as a PNG with a transparent background.

    Textures that cannot be used are named on stderr and drawn white; so is what is asked for and
    what the annotator is not sure of.
    """
    parsed = read_model(model)
    rig = fit_rig(parsed)
    canvas = Canvas(size, device, supersample)
    portrait = Portrait(canvas, parsed, rig, strict_textures=False)
    for fault in portrait.texture_faults:
        click.echo(f"warning: {model.name}: {fault}", err=True)
    write_bytes(out, png_bytes(portrait.draw(pose, Light(ambient, shading))))
    click.echo(f"{out}: {size}x{size}, {shading}, {canvas.renderer_name}")
