"""How a picture is lit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Shading = Literal["phong", "toon"]
SHADINGS: tuple[Shading, ...] = ("phong", "toon")
DEFAULT_AMBIENT = 0.5
MAX_AMBIENT = 4.0


@dataclass(frozen=True)
class Light:
    """The magnitude of the ambient light, 0 to ``MAX_AMBIENT``, and how surfaces take light.

    ``phong``: the ambient and a directional light of 0.5 along the view, both white, both on the
    diffuse colour (the 2019 write-up's rendering section), or on the colour that MMD makes of a
    material's ambient and diffuse where that is brighter. ``toon``: MMD's own look, at an ambient
    light of 0.5; more of it fills the shade.
    """

    ambient: float = DEFAULT_AMBIENT
    shading: Shading = "phong"


DEFAULT_LIGHT = Light()
