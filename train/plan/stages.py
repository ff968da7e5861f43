"""The seven stages as a table: what each learns, from which pictures, by which loss.

Source: the training section of the 2019 write-up. A stage is called what the bundle calls the
network that it trains.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from contract.pose import FACE, JOINTS
from dataset.shards.records import PictureName
from models.base.config import NetworkConfig
from models.base.configurations import LOSS_NAMES, LossName, combiner_name, rotator_name
from models.files.bundle import Network
from models.networks.combiner import Combiner, CombinerOutput
from models.networks.face_morpher import FaceMorpher
from models.networks.face_rotator import FaceRotator, RotatorOutput

Kind = Literal["morpher", "rotator", "combiner"]


@dataclass(frozen=True)
class Stage:
    """One row of the table.

    pictures: input and target. axes: the part of the pose that the network is given. rotator: the
    stage whose frozen network makes a combiner's input. starts_from: the stage whose network, as it
    was at half an epoch, this one starts from. sibling: the stage that does the same with L1; a
    combiner may start from its network, as it was at the end.
    """

    name: str
    kind: Kind
    pictures: tuple[PictureName, PictureName]
    axes: slice
    loss: LossName
    rotator: str | None = None
    starts_from: str | None = None
    sibling: str | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The stages that must come before."""
        return tuple(name for name in (self.rotator, self.starts_from) if name)


def _rotator(loss: LossName) -> Stage:
    # From scratch the perceptual loss is unstable.
    start = rotator_name("L1") if loss == "P" else None
    pictures: tuple[PictureName, PictureName] = ("expression", "posed")
    return Stage(rotator_name(loss), "rotator", pictures, JOINTS, loss, starts_from=start)


def _combiner(rotator: LossName, loss: LossName) -> Stage:
    name, pictures = combiner_name(rotator, loss), _rotator(loss).pictures
    sibling = combiner_name(rotator, "L1") if loss == "P" else None
    return Stage(
        name, "combiner", pictures, JOINTS, loss, rotator=rotator_name(rotator), sibling=sibling
    )


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage("morpher", "morpher", ("rest", "expression"), FACE, "L1"),
        *(_rotator(loss) for loss in LOSS_NAMES),
        *(_combiner(rotator, loss) for rotator in LOSS_NAMES for loss in LOSS_NAMES),
    )
}
"""By name, in an order in which each finds what it needs."""


def build_network(kind: Kind, config: NetworkConfig, seed: int) -> Network:
    """A network with the first weights that ``seed`` decides."""
    generator = torch.Generator().manual_seed(seed)
    networks: dict[Kind, type[Network]] = {
        "morpher": FaceMorpher,
        "rotator": FaceRotator,
        "combiner": Combiner,
    }
    return networks[kind](config, generator)


def combiner_input(rotator: nn.Module, image: Tensor, joints: Tensor) -> tuple[Tensor, Tensor]:
    """What a combiner reads: the frozen rotator's two pictures (N, 4, H, W), without gradients."""
    with torch.no_grad():
        turned = rotator(image, joints)
    return turned.pathway1, turned.pathway2


class Made(NamedTuple):
    """What a stage's network made: pictures (N, 4, H, W), which its loss compares with the target.

    flow: a rotator's, (N, 2, L, L). copied: the share of pathway 2 in a combiner's picture,
    (N, 4, L, L) in [0, 1].
    """

    pictures: tuple[Tensor, ...]
    flow: Tensor | None = None
    copied: Tensor | None = None


def run_stage(
    stage: Stage,
    network: nn.Module,
    rotator: nn.Module | None,
    image: Tensor,
    pose: Tensor,
    pathways: tuple[Tensor, Tensor] | None = None,
    tear: Callable[[Tensor], Tensor] | None = None,
) -> Made:
    """Run a stage's network.

    rotator: a combiner's. image: (N, 4, H, W); pose: (N, 6), contract order. pathways: what the
    rotator makes of them, where that is known. tear: what becomes of pathway 1 before a combiner
    sees it.
    """
    part = pose[:, stage.axes]
    inputs: tuple[Tensor, ...] = (image,)
    if rotator is not None:
        painted, moved = pathways or combiner_input(rotator, image, part)
        inputs = tear(painted) if tear else painted, moved
    outputs: tuple[Tensor, ...] = network(*inputs, part)
    if isinstance(outputs, RotatorOutput):
        return Made(outputs[:2], flow=outputs.offset)
    if isinstance(outputs, CombinerOutput):
        return Made(outputs[:1], copied=(1 - outputs.mask) * outputs.retouch_alpha)
    return Made(outputs[:1])
