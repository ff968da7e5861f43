"""How good bundles are: the eight configurations and three baselines on held-out characters.

Pictures may be larger than a bundle's networks: what these decide is applied at the pictures' size.

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
from contract.image import Stored, network_to_stored
from contract.pose import AXIS_NAMES, FACE, JOINTS, REST
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
class Shown:
    """One sample to look at.

    rank: such as "worst of NAME". sample: where it lies, for people. pose: (6,) by axis.
    pictures: the rest picture, the target, and what each bundle's last configuration makes, by
    name, in the stored form.
    """

    rank: str
    sample: str
    pose: Mapping[str, float]
    pictures: Mapping[str, Stored]


@dataclass(frozen=True)
class Results:
    """``system``: rest -> posed picture; ``morpher``: rest -> expression; ``rest``: rest -> rest.

    pictures: for each bundle its best, median and worst samples, (rows, columns, 3) uint8. shown:
    the same samples, as every bundle makes them.
    """

    samples: int
    characters: int
    size: int
    system: tuple[Row, ...]
    morpher: tuple[Row, ...]
    rest: tuple[Row, ...] = ()
    pictures: Mapping[str, U8] = field(default_factory=dict)
    shown: tuple[Shown, ...] = ()


@dataclass(frozen=True)
class Case:
    """N samples of one character: rest pictures (N, 4, H, W), poses (N, 6), what is wanted.

    is_first: whether the character has not been seen before.
    """

    character: int
    numbers: tuple[int, ...]
    pose: Tensor
    rest: Tensor
    expression: Goal
    posed: Goal
    is_first: bool


@torch.no_grad()
def evaluate(
    bundles: Mapping[str, Bundle],
    samples: SampleSet,
    mean_rest: Tensor,
    size: int,
    device: torch.device,
) -> Results:
    """Measure every configuration of every bundle on ``samples``, drawn at ``size``.

    mean_rest: (4, H, W) in network form, the mean rest picture of the training set.

    Raises:
        InputError: networks of a larger size than ``size``, or nothing to measure.
        ShardError: a picture is damaged.
    """
    _check(bundles, size)
    system, morpher, rest = (Table(len(samples.characters)) for _ in range(3))
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
            if case.is_first:
                for name, output in run_all(networks, case.rest[:1], _rest_pose(device)).items():
                    rest.measure_rest(bundle, name, who, case.rest[:1], output)
            ranked[bundle] += zip(errors.tolist(), case.numbers, strict=False)

    # The report.
    tables = system.rows(), morpher.rows(), rest.rows()
    counts = len(samples), len(samples.characters), size
    return Results(*counts, *tables, *_looked_at(ranked, bundles, samples, size, device))


def _looked_at(
    ranked: Mapping[str, list[tuple[float, int]]],
    bundles: Mapping[str, Bundle],
    samples: SampleSet,
    size: int,
    device: torch.device,
) -> tuple[dict[str, U8], tuple[Shown, ...]]:
    """Each bundle's sheet, and its best, median and worst samples as every bundle draws them."""
    pictures: dict[str, U8] = {}
    shown_samples: list[Shown] = []
    for name, ranking in ranked.items():
        if not ranking:
            continue
        looked_at = _ends_and_middle(ranking)
        numbers = [number for numbers in looked_at.values() for number in numbers]
        pictures[name] = _sheet(bundles[name], samples, numbers, size, device)
        for rank, numbers in looked_at.items():
            title = f"{rank} of {name}"
            shown_samples += _shown(title, bundles, samples, numbers, size, device)
    return pictures, tuple(shown_samples)


def _check(bundles: Mapping[str, Bundle], size: int) -> None:
    for name, bundle in bundles.items():
        for network in bundle.networks().values():
            if network.config.size > size:
                raise InputError(
                    f"{name}: networks of size {network.config.size}, but pictures of {size}; give "
                    "shards of that size or larger"
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
        made[name] = bundle.system(name).turn.combine(expression, turned_by[rotator], joints)
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
        for place, part in enumerate(parts):
            faces = load_batch(samples, part, ("rest", "expression"), size, device)
            turns = load_batch(samples, part, ("expression", "posed"), size, device)
            straight, joints = face_regions(changed), faces.pose[:, JOINTS]
            still = tuple(region.expand(len(part), -1, -1) for region in straight)
            moved = tuple(turned(region, joints) for region in straight)
            revealed = disoccluded(faces.target, turns.target)
            expression = Goal(faces.target, still)
            posed = Goal(turns.target, (*moved, revealed))
            yield Case(
                character, faces.numbers, faces.pose, faces.image, expression, posed, place == 0
            )


def _rest_pose(device: torch.device) -> Tensor:
    """(1, 6)."""
    return torch.from_numpy(REST.to_vector()[None]).to(device)


# What there is to look at.


def _ends_and_middle(ranking: list[tuple[float, int]]) -> dict[str, list[int]]:
    """The best, median and worst samples of (squared error, number)."""
    order = [number for _, number in sorted(ranking)]
    few = min(PICTURES_OF_EACH, len(order))
    middle = (len(order) - few) // 2
    return {
        "best": order[:few],
        "median": order[middle : middle + few],
        "worst": order[-few:],
    }


def _sheet(
    bundle: Bundle, samples: SampleSet, numbers: list[int], size: int, device: torch.device
) -> U8:
    """What a bundle makes of some samples."""
    faces = load_batch(samples, numbers, ("rest", "posed"), size, device)
    columns = [("rest", shown(faces.image)), ("target", shown(faces.target))]
    made = run_all(bundle, faces.image, faces.pose)
    columns += [(name, shown(output)) for name, output in made.items()]
    return draw_grid(columns, faces.pose.cpu().numpy())


def _shown(
    rank: str,
    bundles: Mapping[str, Bundle],
    samples: SampleSet,
    numbers: list[int],
    size: int,
    device: torch.device,
) -> Iterator[Shown]:
    """What every bundle makes of some samples."""
    faces = load_batch(samples, numbers, ("rest", "posed"), size, device)
    columns = {"rest": faces.image, "target": faces.target}
    for name, bundle in bundles.items():
        made = run_all(bundle, faces.image, faces.pose)
        if bundle.configurations():
            columns[name] = made[bundle.configurations()[-1]]
    for row, number in enumerate(numbers):
        pose = dict(zip(AXIS_NAMES, faces.pose[row].tolist(), strict=True))
        stored = {k: network_to_stored(v[row].cpu().numpy()) for k, v in columns.items()}
        yield Shown(rank, samples.identify(number), pose, stored)
