"""``renderer doctor | still | mesh``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np

from contract.cli import ErrorLineGroup, FiniteRange, out_option, pose_option
from contract.errors import InputError
from contract.files import read_file, replacing, write_bytes
from contract.image import DEFAULT_SIZE
from contract.light import DEFAULT_AMBIENT, MAX_AMBIENT, SHADINGS, Light, Shading
from contract.picture import png_bytes
from contract.pose import FACE_AXES, REST, Pose
from contract.records import decode_json
from contract.rig import MorphUse, Rig
from renderer.deform.deformer import Deformer
from renderer.deform.quaternion import Quat, from_axis_angle
from renderer.draw.canvas import DEFAULT_SUPERSAMPLE, Canvas
from renderer.draw.device import INSTALL_HINT, DeviceReport, report_devices
from renderer.fit.confidence import in_words
from renderer.fit.fit_rig import fit_rig
from renderer.formats.model import F32, MmdModel
from renderer.formats.read import read_model
from renderer.portrait.portrait import Portrait

_MOST_BYTES = 64 << 20


@click.group(cls=ErrorLineGroup)
def main() -> None:
    """Draw MikuMikuDance models without a window."""


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
    "--ambient", type=FiniteRange(0, MAX_AMBIENT), default=DEFAULT_AMBIENT, show_default=True
)
@click.option("--supersample", type=click.IntRange(1, 8), default=2, show_default=True)
@click.option("--device", default="auto", show_default=True, help="auto, software, or a number.")
@click.option(
    "--models",
    "models_folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Textures may lie anywhere in this folder, above MODEL's too. [default: MODEL's folder]",
)
@out_option()
def still(
    model: Path,
    pose: Pose,
    shading: Shading,
    size: int,
    ambient: float,
    supersample: int,
    device: str,
    models_folder: Path | None,
    out: Path,
) -> None:
    """Draw MODEL's head in one pose as a PNG with a transparent background.

    Textures that cannot be used are named on stderr and drawn white. So is named what the annotator
    is not sure of: axes that are asked for, and where the head is.
    """
    parsed = read_model(model)
    rig = fit_rig(parsed)
    canvas = Canvas(size, device, supersample)
    portrait = Portrait(canvas, parsed, rig, models_folder, strict_textures=False)
    for fault in (*portrait.texture_faults, *_doubts(rig, pose)):
        click.echo(f"warning: {model.name}: {fault}", err=True)
    write_bytes(out, png_bytes(portrait.draw(pose, Light(ambient, shading))))
    click.echo(f"{out}: {size}x{size}, {shading}, {canvas.renderer_name}")


def _doubts(rig: Rig, pose: Pose) -> list[str]:
    """What of a picture is doubtful, in words: one of each answer that a person should look at."""
    resting = {name for name in FACE_AXES if getattr(pose, name) == getattr(REST, name)}
    found = []
    for answer in rig.doubtful:
        if answer not in resting:
            why = [in_words(one) for one in rig.objections if one.startswith(f"{answer}:")]
            found.append(f"doubtful, look at the picture: {'; '.join(why) or answer}")
    return found


@dataclass(frozen=True)
class NamedPose:
    """A pose in a model's own words, resolved to its indices."""

    morphs: tuple[MorphUse, ...]
    bone_rotations: Mapping[int, Quat]


@main.command()
@click.argument("model_path", metavar="MODEL", type=click.Path(path_type=Path))
@click.option("--poses", "poses_path", required=True, type=click.Path(path_type=Path))
@out_option()
def mesh(model_path: Path, poses_path: Path, out: Path) -> None:
    """Write the vertices of MODEL in each of the poses to an .npz file.

    The poses are JSON: {"poses": [{"morphs": {name: weight}, "bones": {name: {"axis": [x, y, z],
    "deg": degrees}}}, ...]}, in the file's own left-handed numbers; of several same names the first
    counts. The result holds ``positions`` (poses, vertices, 3) float32, in the file's order and
    coordinates.
    """
    model = read_model(model_path)
    positions = posed_positions(model, read_poses(poses_path, model))
    with replacing(out) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, positions=positions)
    click.echo(f"{out}: {positions.shape[0]} poses of {positions.shape[1]} vertices")


def posed_positions(model: MmdModel, poses: list[NamedPose]) -> F32:
    """Positions (poses, V, 3) of all vertices in each pose."""
    deformer = Deformer(model)
    positions = np.empty((len(poses), len(model.vertices), 3), np.float32)
    for posed, pose in zip(positions, poses, strict=True):
        posed[:] = deformer.skin(deformer.morph(pose.morphs), pose.bone_rotations).positions
    return positions


@dataclass(frozen=True)
class _Turn:
    """A bone's rotation: about ``axis`` (three numbers) by ``deg`` degrees."""

    axis: tuple[float, ...]
    deg: float


@dataclass(frozen=True)
class _Pose:
    morphs: Mapping[str, float] = field(default_factory=dict)
    bones: Mapping[str, _Turn] = field(default_factory=dict)


@dataclass(frozen=True)
class _Poses:
    poses: tuple[_Pose, ...]


def read_poses(path: Path, model: MmdModel) -> list[NamedPose]:
    """The poses of a JSON file, by the model's names; the first of several same names counts.

    Raises:
        InputError: the file cannot be read, has another form, or names what the model lacks.
    """
    data = read_file(path, _MOST_BYTES)
    try:
        document = decode_json(_Poses, data, others=True)
    except ValueError as error:
        raise InputError(
            f"{path.name}: no poses ({error!s:.120}); see `renderer mesh --help`"
        ) from error
    return [
        _named_pose(pose, f"{path.name}: pose {i}", model) for i, pose in enumerate(document.poses)
    ]


def _named_pose(pose: _Pose, where: str, model: MmdModel) -> NamedPose:
    morphs = {morph.name: i for i, morph in reversed(list(enumerate(model.morphs)))}
    bones = {bone.name: i for i, bone in reversed(list(enumerate(model.bones)))}
    return NamedPose(
        tuple(
            MorphUse(_index(name, morphs, where, "morph", model), weight, name=name)
            for name, weight in pose.morphs.items()
        ),
        {
            _index(name, bones, where, "bone", model): _rotation(turn, where, name)
            for name, turn in pose.bones.items()
        },
    )


def _index(name: str, indices: Mapping[str, int], where: str, kind: str, model: MmdModel) -> int:
    if name not in indices:
        raise InputError(f"{where}: {model.path.name} has no {kind} called {name!r}; remove it")
    return indices[name]


def _rotation(turn: _Turn, where: str, name: str) -> Quat:
    if len(turn.axis) != 3:
        raise InputError(f'{where}: {name!r} needs "axis" (three numbers) and "deg"')
    x, y, z = turn.axis
    if turn.deg and not (x or y or z):
        raise InputError(f"{where}: {name!r} turns about an axis without direction; give it one")
    return from_axis_angle((x, y, z), math.radians(turn.deg))
