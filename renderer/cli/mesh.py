"""``renderer mesh``: posed vertices of a model, for comparing with other software."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from contract.cli import out_option
from contract.errors import InputError
from contract.files import replacing
from contract.rig import MorphUse
from renderer.deform.deformer import Deformer
from renderer.deform.quaternion import Quat, from_axis_angle
from renderer.formats.model import F32, MmdModel
from renderer.formats.read import read_model


@dataclass(frozen=True)
class NamedPose:
    """A pose in a model's own words, resolved to its indices."""

    morphs: tuple[MorphUse, ...]
    bone_rotations: Mapping[int, Quat]


@click.command("mesh")
@click.argument("model_path", metavar="MODEL", type=click.Path(path_type=Path))
@click.option("--poses", "poses_path", required=True, type=click.Path(path_type=Path))
@out_option()
def mesh(model_path: Path, poses_path: Path, out: Path) -> None:
    """Write the vertices of MODEL in each of the poses to an .npz file.

    The poses are JSON: {"poses": [{"morphs": {name: weight}, "bones": {name: {"axis": [x, y, z],
    "deg": degrees}}}, ...]}, in the file's own left-handed numbers; of several same names the first
    counts. The result holds ``positions``
    (poses, vertices, 3) float32, in the file's order and coordinates.
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


def read_poses(path: Path, model: MmdModel) -> list[NamedPose]:
    """The poses of a JSON file, by the model's names; the first of several same names counts.

    Raises:
        InputError: the file cannot be read, has another form, or names what the model lacks.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"{path.name}: cannot be read ({error.strerror}); check the path"
        ) from error
    except ValueError as error:
        raise InputError(f"{path.name}: no JSON ({error}); write it again") from error
    poses = document.get("poses") if isinstance(document, dict) else None
    if not isinstance(poses, list):
        raise InputError(f'{path.name}: no list under "poses"; see `renderer mesh --help`')
    return [_named_pose(pose, f"{path.name}: pose {i}", model) for i, pose in enumerate(poses)]


def _named_pose(pose: Any, where: str, model: MmdModel) -> NamedPose:  # noqa: ANN401  # JSON
    morphs = {morph.name: i for i, morph in reversed(list(enumerate(model.morphs)))}
    bones = {bone.name: i for i, bone in reversed(list(enumerate(model.bones)))}
    return NamedPose(
        tuple(
            MorphUse(_index(name, morphs, where, "morph", model), _number(weight, where, name))
            for name, weight in _table(pose, "morphs", where).items()
        ),
        {
            _index(name, bones, where, "bone", model): _rotation(turn, where, name)
            for name, turn in _table(pose, "bones", where).items()
        },
    )


def _table(pose: Any, key: str, where: str) -> dict[str, Any]:  # noqa: ANN401  # JSON
    table = pose.get(key, {}) if isinstance(pose, dict) else None
    if not isinstance(table, dict):
        raise InputError(f'{where}: "{key}" is no table of names; see `renderer mesh --help`')
    return table


def _index(name: str, indices: Mapping[str, int], where: str, kind: str, model: MmdModel) -> int:
    if name not in indices:
        raise InputError(f"{where}: {model.path.name} has no {kind} called {name!r}; remove it")
    return indices[name]


def _number(value: Any, where: str, name: str) -> float:  # noqa: ANN401  # JSON
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{where}: {name!r} has {value!r} where a number is needed")
    return float(value)


def _rotation(turn: Any, where: str, name: str) -> Quat:  # noqa: ANN401  # JSON
    axis = turn.get("axis") if isinstance(turn, dict) else None
    if not isinstance(axis, list) or len(axis) != 3:
        raise InputError(f'{where}: {name!r} needs "axis" (three numbers) and "deg"')
    x, y, z = (_number(value, where, name) for value in axis)
    degrees = _number(turn.get("deg"), where, name)
    if degrees and not (x or y or z):
        raise InputError(f"{where}: {name!r} turns about an axis without direction; give it one")
    return from_axis_angle((x, y, z), math.radians(degrees))
