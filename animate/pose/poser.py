"""One drawing and a pose -> a picture, with what does not change between poses computed once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from animate.drawing.drawing import resized
from animate.drawing.spread import spread
from animate.pose.shown_bytes import shown_bytes
from contract.errors import InputError
from contract.image import NetworkPicture, Stored, stored_to_network
from contract.pose import FACE, JOINTS, Pose

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class AtBothSizes:
    """A picture in network form at the size that networks decide on, and as it is drawn.

    small: (4, R, R). wide: (4, D, D), with colours under alpha 0 (``animate.drawing.spread``); None
    where networks draw the small one itself.
    """

    small: NetworkPicture
    wide: NetworkPicture | None = None


class Networks(Protocol):
    """What runs trained networks."""

    @property
    def size(self) -> int:
        """S: pixels a side of the pictures that they were trained on, the least that they draw."""

    @property
    def small(self) -> int:
        """R: pixels a side of the small pictures."""

    @property
    def draws_small(self) -> bool:
        """Whether they draw pictures of S pixels without a wide one; R is S then."""

    @property
    def draws_wide(self) -> bool:
        """Whether they draw pictures of any size."""

    def express(self, picture: AtBothSizes, face: Vector) -> AtBothSizes:
        """The morpher: eyes and mouth, (3,) in the order of ``contract.pose.FACE_AXES``."""

    def turn(self, expression: AtBothSizes, joints: Vector) -> NetworkPicture:
        """Rotator and combiner: head and neck, (3,) in the order of ``JOINT_AXES``.

        Gives the wide picture, the small one where that is None.
        """


class Poser:
    """Poses one drawing; each part runs only when what it is given has changed."""

    def __init__(self, networks: Networks, drawing: Stored) -> None:
        """``drawing``: (D, D, 4) in the stored form, D at least the networks' size.

        Raises:
            InputError: another shape, or a size at which these networks cannot draw.
        """
        self.size, least = drawing.shape[1], networks.size
        fits = self.size == least or (networks.draws_wide and self.size > least)
        if drawing.shape != (self.size, self.size, 4) or not fits:
            raise InputError(
                f"drawing: {drawing.shape[1]}x{drawing.shape[0]}, but the networks draw "
                f"{least}x{least}{' or more' if networks.draws_wide else ''}"
            )
        self._networks = networks
        self._rest = _at_both_sizes(drawing, networks)
        self._expression = self._rest
        self._face: Vector | None = None
        self._joints: Vector | None = None
        self._drawn = drawing

    def draw(self, pose: Pose) -> Stored:
        """The drawing in a pose: (D, D, 4) in the stored form."""
        vector = pose.to_vector()
        face, joints = vector[FACE], vector[JOINTS]
        if self._face is None or not np.array_equal(face, self._face):
            self._expression = self._networks.express(self._rest, face)
            self._face, self._joints = face, None
        if self._joints is None or not np.array_equal(joints, self._joints):
            self._drawn = shown_bytes(self._networks.turn(self._expression, joints))
            self._joints = joints
        return self._drawn.copy()


def _at_both_sizes(drawing: Stored, networks: Networks) -> AtBothSizes:
    whole = stored_to_network(drawing)
    if networks.draws_small and len(drawing) == networks.size:
        return AtBothSizes(whole)
    small = resized(drawing, networks.small, networks.small)
    return AtBothSizes(stored_to_network(small), spread(whole))
