"""One drawing and a pose -> a picture, with what does not change between poses computed once."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from animate.drawing.drawing import resized
from contract.errors import InputError
from contract.image import NetworkPicture, Stored, linear_to_srgb, stored_to_network
from contract.pose import FACE, JOINTS, Pose

Vector = npt.NDArray[np.float32]
_F32 = npt.NDArray[np.float32]

_QUARTER, _LEAST = np.float32(0.25), np.float32(1e-6)
_LEVELS = 1 << 16
"""Of linear light: the darkest step of a byte, the narrowest, still spans twenty."""
_BYTE_OF_LEVEL = np.rint(
    linear_to_srgb((np.arange(_LEVELS) / (_LEVELS - 1)).astype(np.float32)) * 255
).astype(np.uint8)


@dataclass(frozen=True)
class AtBothSizes:
    """A picture in network form at the size that networks decide on, and as it is drawn.

    small: (4, R, R), of an expression (4, T, T). wide: (4, D, D), with colours under alpha 0
    (``spread``); None where networks draw the small one itself.
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
        """R: pixels a side of a rest picture's small one."""

    @property
    def draws_small(self) -> bool:
        """Whether they draw pictures of S pixels without a wide one; R is S then."""

    @property
    def draws_wide(self) -> bool:
        """Whether they draw pictures of any size."""

    @property
    def is_threaded(self) -> bool:
        """Whether several threads draw more pictures than one."""

    def enter_thread(self) -> None:
        """To be called first in each of several threads that draw at once."""

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
        self.networks = networks
        self._rest = _at_both_sizes(drawing, networks)
        self._start(drawing)

    def _start(self, drawing: Stored) -> None:
        self._expression = self._rest
        self._face: Vector | None = None
        self._joints: Vector | None = None
        self._drawn = drawing

    def twin(self) -> Poser:
        """Another poser of the same drawing, for another thread; they share what never changes."""
        twin = copy(self)
        twin._start(self._drawn)
        return twin

    def draw(self, pose: Pose) -> Stored:
        """The drawing in a pose: (D, D, 4) in the stored form."""
        vector = pose.to_vector()
        face, joints = vector[FACE], vector[JOINTS]
        if self._face is None or not np.array_equal(face, self._face):
            self._expression = self.networks.express(self._rest, face)
            self._face, self._joints = face, None
        if self._joints is None or not np.array_equal(joints, self._joints):
            self._drawn = shown_bytes(self.networks.turn(self._expression, joints))
            self._joints = joints
        return self._drawn.copy()


def _at_both_sizes(drawing: Stored, networks: Networks) -> AtBothSizes:
    whole = stored_to_network(drawing)
    if networks.draws_small and len(drawing) == networks.size:
        return AtBothSizes(whole)
    small = resized(drawing, networks.small, networks.small)
    return AtBothSizes(stored_to_network(small), spread(whole))


def spread(picture: NetworkPicture) -> NetworkPicture:
    """(4, H, W) in network form -> the same with the nearest seen colours where alpha is nothing.

    What is seen, and alpha, are untouched. From ever coarser means, weighted by alpha.
    """
    weight = ((picture[3:] + 1) / 2).astype(np.float32)
    colour = np.where(picture[3:] > -1, picture[:3], _filled(picture[:3], weight))
    return np.concatenate([colour, picture[3:]])


def _filled(colour: _F32, weight: _F32) -> _F32:
    """Colours (3, H, W) with weights (1, H, W), those of weight 0 from half the size."""
    height, width = colour.shape[1:]
    if not weight.any() or weight.all() or max(height, width) == 1:
        return colour
    mass = _halved(weight)
    coarse = _halved(colour * weight) / np.maximum(mass, _LEAST)
    # Full weight to whatever is known: a soft edge is as good a neighbour as a hard one.
    filled = _filled(coarse.astype(np.float32), (mass > 0).astype(np.float32))
    doubled = filled.repeat(2, 1).repeat(2, 2)[:, :height, :width]
    return np.where(weight > 0, colour, doubled)


def _halved(planes: _F32) -> _F32:
    """Means of 2x2 pixels, (C, H, W) -> (C, ceil(H/2), ceil(W/2)); an odd edge stands alone."""
    _, height, width = planes.shape
    even = np.pad(planes, ((0, 0), (0, height % 2), (0, width % 2)))
    return (
        even[:, ::2, ::2] + even[:, 1::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, 1::2]
    ) * _QUARTER


def shown_bytes(picture: NetworkPicture) -> Stored:
    """(4, H, W) network form -> (H, W, 4) stored form; values outside [-1, 1] are clamped.

    ``contract.image.network_to_stored`` by a table, for this runs many times a second. Every byte
    that ``stored_to_network`` read comes back as it was. Values in between that lie within a
    twentieth of a step of the middle between two may come out as the other one.
    """
    height, width = picture.shape[1:]
    stored = np.empty((height, width, 4), np.uint8)
    scaled = np.empty((height, width), np.float32)
    for channel, half in enumerate((*3 * ((_LEVELS - 1) / 2,), 255 / 2)):
        np.multiply(picture[channel], np.float32(half), out=scaled)
        scaled += np.float32(half + 0.5)  # truncated below: to the nearest
        np.clip(scaled, 0, np.float32(2 * half + 0.5), out=scaled)
        levels = scaled.astype(np.uint16)
        # "wrap": 16 bits never lie outside of the table, and are not looked at to make sure.
        known = _BYTE_OF_LEVEL.take(levels, mode="wrap") if channel < 3 else levels
        stored[..., channel] = known
    pixels = stored.view(np.uint32)[..., 0]
    pixels *= stored[..., 3] != 0  # an eighth of the time that setting those to 0 takes
    return stored
