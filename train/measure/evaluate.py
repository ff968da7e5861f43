"""How good bundles are: the eight configurations and three baselines on held-out characters.

All numbers are of pictures in network form: linear light, straight alpha, all four channels. Errors
are of values in [-1, 1]; SSIM (Wang et al. 2004) of values mapped to [0, 1].
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from contract.errors import InputError
from contract.pose import FACE, JOINTS
from models.base.configurations import CONFIGURATIONS
from models.files.bundle import Bundle
from models.system import Express
from train.data.batch import load_batch
from train.data.samples import SampleSet
from train.measure.grid import U8, draw_grid, shown
from train.measure.regions import changed_pixels, disoccluded, face_regions, turned
from train.measure.tally import F64, Goal, Row, Table

COPYING, MEAN_REST, NO_CHANGE, MORPHER = (
    "copying the input",
    "mean rest picture",
    "no change",
    "morpher",
)
PICTURES_OF_EACH = 3
_BATCH = 16


@dataclass(frozen=True)
class Results:
    """``system``: rest -> posed picture; ``morpher``: rest -> expression.

    pictures: for each bundle its best, median and worst samples, (rows, columns, 3) uint8.
    """

    samples: int
    characters: int
    size: int
    system: tuple[Row, ...]
    morpher: tuple[Row, ...]
    pictures: Mapping[str, U8] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """N samples of one character: rest pictures (N, 4, H, W), poses (N, 6), what is wanted."""

    character: int
    numbers: tuple[int, ...]
    pose: Tensor
    rest: Tensor
    expression: Goal
    posed: Goal


@torch.no_grad()
def evaluate(
    bundles: Mapping[str, Bundle],
    samples: SampleSet,
    mean_rest: Tensor,
    size: int,
    device: torch.device,
) -> Results:
    """Measure every configuration of every bundle on ``samples``.

    mean_rest: (4, H, W) in network form, the mean rest picture of the training set.

    Raises:
        InputError: networks of another size than ``size``, or nothing to measure.
        ShardError: a picture is damaged.
    """
    _check(bundles, size)
    system, morpher = Table(len(samples.characters)), Table(len(samples.characters))
    ranked: dict[str, list[tuple[float, int]]] = {name: [] for name in bundles}
    for case in _cases(samples, size, device):
        # The baselines.
        who, posed, expression = case.character, case.posed, case.expression
        mean = mean_rest.to(device).expand_as(case.rest)
        system.measure("", COPYING, who, posed, case.rest)
        system.measure("", MEAN_REST, who, posed, mean)
        morpher.measure("", NO_CHANGE, who, expression, case.rest)

        # The bundles; the last configuration of each ranks its samples.
        for bundle, networks in bundles.items():
            errors: F64 = np.zeros(0)
            for name, output in run_all(networks, case.rest, case.pose).items():
                if name == MORPHER:
                    morpher.measure(bundle, name, who, expression, output)
                else:
                    errors = system.measure(bundle, name, who, posed, output)
            ranked[bundle] += zip(errors.tolist(), case.numbers, strict=False)

    # The report.
    pictures = {
        name: _ends_and_middle(bundles[name], samples, ranking, size, device)
        for name, ranking in ranked.items()
        if ranking
    }
    characters = len(samples.characters)
    return Results(len(samples), characters, size, system.rows(), morpher.rows(), pictures)


def _check(bundles: Mapping[str, Bundle], size: int) -> None:
    for name, bundle in bundles.items():
        for network in bundle.networks().values():
            if network.config.size != size:
                raise InputError(
                    f"{name}: networks of size {network.config.size}, where another has {size}; "
                    "evaluate bundles of one size together"
                )
    if not any(bundle.networks() for bundle in bundles.values()):
        raise InputError("evaluate: no bundle holds a network; train one first")


def run_all(bundle: Bundle, rest: Tensor, pose: Tensor) -> dict[str, Tensor]:
    """What every usable configuration, and the morpher, make of rest pictures (N, 4, H, W).

    Each network runs once. pose: (N, 6), contract order. By name, in the paper's order.
    """
    if bundle.morpher is None:
        return {}
    joints = pose[:, JOINTS]
    expression: Tensor = Express(bundle.morpher)(rest, pose[:, FACE])
    turned_by = {loss: rotator(expression, joints) for loss, rotator in bundle.rotators.items()}
    made = {MORPHER: expression}
    for name in bundle.configurations():
        rotator = CONFIGURATIONS[name].rotator
        made[name] = bundle.system(name).turn.combine(turned_by[rotator], joints)
    return made


def mean_rest_picture(samples: SampleSet, size: int) -> Tensor:
    """The mean over characters of their rest pictures: (4, H, W) in network form."""
    _, firsts = np.unique(samples.character, return_index=True)
    total = torch.zeros(4, size, size)
    for number in firsts:
        total += load_batch(samples, [int(number)], ("rest", "expression"), size).image[0]
    return total / len(firsts)


def _cases(samples: SampleSet, size: int, device: torch.device) -> Iterator[Case]:
    """All samples, character by character, a batch at a time."""
    for character in range(len(samples.characters)):
        numbers = np.flatnonzero(samples.character == character)
        parts = [numbers[i : i + _BATCH] for i in range(0, len(numbers), _BATCH)]
        # Twice through the pictures, so that a character with many samples fits into memory.
        changed = torch.zeros(size, size, dtype=torch.bool, device=device)
        for part in parts:
            faces = load_batch(samples, part, ("rest", "expression"), size, device)
            changed |= changed_pixels(faces.image, faces.target)
        for part in parts:
            faces = load_batch(samples, part, ("rest", "expression"), size, device)
            turns = load_batch(samples, part, ("expression", "posed"), size, device)
            straight, joints = face_regions(changed), faces.pose[:, JOINTS]
            still = tuple(region.expand(len(part), -1, -1) for region in straight)
            moved = tuple(turned(region, joints) for region in straight)
            revealed = disoccluded(faces.target, turns.target)
            expression = Goal(faces.target, still)
            posed = Goal(turns.target, (*moved, revealed))
            yield Case(character, faces.numbers, faces.pose, faces.image, expression, posed)


def _ends_and_middle(
    bundle: Bundle,
    samples: SampleSet,
    ranking: list[tuple[float, int]],
    size: int,
    device: torch.device,
) -> U8:
    """The best, median and worst samples of a bundle's last configuration, by squared error."""
    order = [number for _, number in sorted(ranking)]
    few = min(PICTURES_OF_EACH, len(order))
    middle = (len(order) - few) // 2
    numbers = order[:few] + order[middle : middle + few] + order[-few:]
    faces = load_batch(samples, numbers, ("rest", "posed"), size, device)
    columns = [("rest", shown(faces.image)), ("target", shown(faces.target))]
    made = run_all(bundle, faces.image, faces.pose)
    columns += [(name, shown(output)) for name, output in made.items()]
    return draw_grid(columns, faces.pose.cpu().numpy())
