"""One drawing and a pose -> a picture, with what does not change between poses computed once."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from contract.errors import InputError
from contract.image import Network, Stored, network_to_stored, stored_to_network
from contract.pose import JOINT_AXES, Pose
from models.base.configurations import FULL_CONFIGURATIONS, require
from models.base.execution import Execution
from models.files.bundle import Bundle
from models.networks.combiner import Combiner
from models.networks.face_morpher import FaceMorpher
from models.networks.face_rotator import FaceRotator

Vector = npt.NDArray[np.float32]

_PREFERRED = (*reversed(FULL_CONFIGURATIONS), "ZH-P", "ZH-L1", "PU-P", "PU-L1")


class Networks(Protocol):
    """What runs trained networks; pictures are (4, size, size) in network form."""

    @property
    def size(self) -> int:
        """Pixels a side."""

    def express(self, picture: Network, face: Vector) -> Network:
        """The morpher: eyes and mouth, (3,) in the order of ``contract.pose.FACE_AXES``."""

    def turn(self, expression: Network, joints: Vector) -> Network:
        """Rotator and combiner: head and neck, (3,) in the order of ``JOINT_AXES``."""


def choose_configuration(bundle: Bundle, wanted: str | None = None) -> str:
    """The configuration ``wanted``, or the one of a bundle that should look best.

    Raises:
        InputError: it is not in the bundle, or the bundle can run none.
    """
    if wanted:
        return require(wanted, bundle.networks()).name
    usable = bundle.configurations()
    if not usable:
        held = ", ".join(bundle.networks()) or "nothing"
        raise InputError(
            f"bundle: holds {held}, but posing takes a morpher and a rotator; train the rest with "
            "`train all`"
        )
    return min(usable, key=_PREFERRED.index)


class _Express(nn.Module):
    """The morpher as one function of picture and pose."""

    def __init__(self, morpher: FaceMorpher) -> None:
        super().__init__()
        self.morpher = morpher

    def forward(self, picture: torch.Tensor, pose: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.morpher(picture, pose).output
        return output


class _Turn(nn.Module):
    """Rotator and combiner, or one of the rotator's pathways, as one function."""

    def __init__(
        self, rotator: FaceRotator, combiner: Combiner | None, pathway: int | None
    ) -> None:
        super().__init__()
        self.rotator, self.combiner, self.pathway = rotator, combiner, pathway

    def forward(self, picture: torch.Tensor, pose: torch.Tensor) -> torch.Tensor:
        turned = self.rotator(picture, pose)
        output: torch.Tensor = turned.pathway1 if self.pathway == 1 else turned.pathway2
        if self.combiner is not None:
            output = self.combiner(turned.pathway1, turned.pathway2, pose).output
        return output


def parts_of(bundle: Bundle, configuration: str) -> tuple[nn.Module, nn.Module]:
    """What expresses and what turns: modules of picture (N, 4, S, S) and pose (N, 3)."""
    chosen = require(configuration, bundle.networks())
    assert bundle.morpher is not None  # every configuration has one
    combiner = bundle.combiners[chosen.rotator, chosen.combiner] if chosen.combiner else None
    turn = _Turn(bundle.rotators[chosen.rotator], combiner, chosen.pathway)
    return _Express(bundle.morpher).eval(), turn.eval()


class TorchNetworks:
    """The networks of a bundle's configuration on a device."""

    def __init__(
        self, bundle: Bundle, configuration: str, device: torch.device, execution: Execution
    ) -> None:
        assert bundle.morpher is not None  # every configuration has one
        self.size = bundle.morpher.config.size
        self._device, self._execution = device, execution
        self._express, self._turn = (part.to(device) for part in parts_of(bundle, configuration))
        for part in (self._express, self._turn):
            execution.prepare(part)

    def express(self, picture: Network, face: Vector) -> Network:
        """See ``Networks``."""
        return self._run(self._express, picture, face)

    def turn(self, expression: Network, joints: Vector) -> Network:
        """See ``Networks``."""
        return self._run(self._turn, expression, joints)

    @torch.inference_mode()
    def _run(self, part: nn.Module, picture: Network, pose: Vector) -> Network:
        with self._execution.autocast(self._device):
            batch: torch.Tensor = part(self._batch(picture), self._batch(pose))
        values: Network = batch[0].float().cpu().numpy()
        return values

    def _batch(self, values: npt.NDArray[np.float32]) -> torch.Tensor:
        return torch.from_numpy(values)[None].to(self._device)


class Poser:
    """Poses one drawing; the morpher runs only when eyes or mouth change."""

    def __init__(self, networks: Networks, drawing: Stored) -> None:
        """``drawing``: (size, size, 4) in the stored form; ``InputError`` on another size."""
        if drawing.shape != (networks.size, networks.size, 4):
            height, width = drawing.shape[:2]
            raise InputError(
                f"drawing: {width}x{height}, but the networks see {networks.size}x{networks.size}"
            )
        self.size = networks.size
        self._networks = networks
        self._rest = stored_to_network(drawing)
        self._face: Vector | None = None
        self._expression = self._rest

    def draw(self, pose: Pose) -> Stored:
        """The drawing in a pose: (size, size, 4) in the stored form."""
        vector = pose.to_vector()
        joints, face = vector[: len(JOINT_AXES)], vector[len(JOINT_AXES) :]
        if self._face is None or not np.array_equal(face, self._face):
            self._expression = self._networks.express(self._rest, face)
            self._face = face
        return network_to_stored(self._networks.turn(self._expression, joints))
