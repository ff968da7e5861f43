"""One drawing and a pose -> a picture, with what does not change between poses computed once."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from contract.errors import InputError
from contract.image import NetworkPicture, Stored, network_to_stored, stored_to_network
from contract.pose import FACE, JOINTS, Pose

Vector = npt.NDArray[np.float32]


class Networks(Protocol):
    """What runs trained networks; pictures are (4, size, size) in network form."""

    @property
    def size(self) -> int:
        """Pixels a side."""

    def express(self, picture: NetworkPicture, face: Vector) -> NetworkPicture:
        """The morpher: eyes and mouth, (3,) in the order of ``contract.pose.FACE_AXES``."""

    def turn(self, expression: NetworkPicture, joints: Vector) -> NetworkPicture:
        """Rotator and combiner: head and neck, (3,) in the order of ``JOINT_AXES``."""


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
        if self._face is None or not np.array_equal(vector[FACE], self._face):
            self._expression = self._networks.express(self._rest, vector[FACE])
            self._face = vector[FACE]
        return network_to_stored(self._networks.turn(self._expression, vector[JOINTS]))
