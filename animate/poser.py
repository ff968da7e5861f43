"""One drawing and a pose -> a picture, with what does not change between poses computed once."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from contract.errors import InputError
from contract.image import Network, Stored, network_to_stored, stored_to_network
from contract.pose import JOINT_AXES, Pose
from models.bundle import Bundle
from models.configurations import FULL_CONFIGURATIONS, require
from models.execution import Execution

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


class TorchNetworks:
    """The networks of a bundle's configuration on a device."""

    def __init__(
        self, bundle: Bundle, configuration: str, device: torch.device, execution: Execution
    ) -> None:
        assert bundle.morpher is not None  # every configuration has one
        chosen = require(configuration, bundle.networks())
        self.size = bundle.morpher.config.size
        self._device, self._execution, self._pathway = device, execution, chosen.pathway
        self._morpher = bundle.morpher.to(device)
        self._rotator = bundle.rotators[chosen.rotator].to(device)
        self._combiner = (
            bundle.combiners[chosen.rotator, chosen.combiner].to(device)
            if chosen.combiner
            else None
        )
        for network in (self._morpher, self._rotator, self._combiner):
            if network is not None:
                execution.prepare(network)

    @torch.inference_mode()
    def express(self, picture: Network, face: Vector) -> Network:
        """See ``Networks``."""
        with self._execution.autocast(self._device):
            return _array(self._morpher(self._batch(picture), self._batch(face)).output)

    @torch.inference_mode()
    def turn(self, expression: Network, joints: Vector) -> Network:
        """See ``Networks``."""
        pose = self._batch(joints)
        with self._execution.autocast(self._device):
            turned = self._rotator(self._batch(expression), pose)
            if self._combiner is None:
                return _array(turned.pathway1 if self._pathway == 1 else turned.pathway2)
            return _array(self._combiner(turned.pathway1, turned.pathway2, pose).output)

    def _batch(self, values: npt.NDArray[np.float32]) -> torch.Tensor:
        return torch.from_numpy(values)[None].to(self._device)


def _array(batch: torch.Tensor) -> Network:
    values: Network = batch[0].float().cpu().numpy()
    return values


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
