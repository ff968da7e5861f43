"""A drawing of a block, and networks that do one plain thing each."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from animate.pose.poser import AtBothSizes, Vector
from contract.image import NetworkPicture, Stored

SIZE = 16


def drawing() -> Stored:
    """A white block in the middle of nothing."""
    picture = np.zeros((SIZE, SIZE, 4), np.uint8)
    picture[4:12, 4:12] = 255
    return picture


@dataclass
class Shifting:
    """Closing an eye darkens the picture; turning by 1 moves it 4 pixels to the viewer's left."""

    size: int = SIZE
    small: int = SIZE
    draws_small: bool = True
    draws_wide: bool = True
    is_threaded: bool = False
    calls: list[str] = field(default_factory=list)

    def enter_thread(self) -> None:
        self.calls.append("enter")

    def express(self, picture: AtBothSizes, face: Vector) -> AtBothSizes:
        self.calls.append("express")
        wide = None if picture.wide is None else _darker(picture.wide, face)
        return AtBothSizes(_darker(picture.small, face), wide)

    def turn(self, expression: AtBothSizes, joints: Vector) -> NetworkPicture:
        self.calls.append("turn")
        drawn = expression.small if expression.wide is None else expression.wide
        return np.roll(drawn, -round(4 * float(joints[1])), axis=2)


def _darker(picture: NetworkPicture, face: Vector) -> NetworkPicture:
    darker = picture.copy()
    darker[:3] -= face[0] * (darker[:3] + 1)
    return darker


def bytes_of(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
