"""What a light makes of materials: computed once a picture, being the same at all fragments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contract.light import Light
from renderer.deform.material_morphs import MaterialStates
from renderer.formats.model import F32, I32

MMD_LIGHT = np.float32(154 / 255)
DIRECTIONAL_LIGHT = np.float32(0.5)
_NEUTRAL_AMBIENT = np.float32(0.5)
_MAX_WHOLE_POWER = 127  # each is a program of its own

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class LitMaterials:
    """M materials under one light.

    ``colour`` is what a texel is multiplied by, before Phong's light that falls there;
    ``highlight`` a highlight's colour. ``power``: as ``surface.frag`` has it, of a highlight (0
    where there is none, -1 where it is no small whole number). ``retouched``: whether material
    morphs change the colours of texture or sphere map. ``lets_through``: whether diffuse colour or
    morphs make a material transparent, whatever its colour map. ``fill``: how much of toon's shade
    more ambient light fills, 0 to 1.
    """

    states: MaterialStates
    colour: F32  # (M, 3)
    highlight: F32  # (M, 3)
    power: I32  # (M,)
    retouched: Bools  # (M,)
    lets_through: Bools  # (M,)
    fill: float


def lit_materials(states: MaterialStates, light: Light) -> LitMaterials:
    """Materials under a light, as ``surface.frag`` wants them."""
    ambient, diffuse = np.float32(light.ambient), states.diffuse[:, :3]
    # The colour that MMD makes of a material: authors spread it over ambient and diffuse (0.5 and
    # 0.8, say), which come to it under MMD's light.
    colour = np.clip(states.ambient + diffuse * MMD_LIGHT, 0, 1)
    if light.shading == "toon":
        colour = colour * min(ambient + DIRECTIONAL_LIGHT, np.float32(1))
    else:
        colour = np.maximum(diffuse, colour)
    fill = np.clip((ambient - _NEUTRAL_AMBIENT) / (1 - _NEUTRAL_AMBIENT), 0, 1)
    specular_light = MMD_LIGHT if light.shading == "toon" else DIRECTIONAL_LIGHT
    alpha_kept = states.texture_multiply[:, 3] + states.texture_add[:, 3] >= 1
    return LitMaterials(
        states,
        colour,
        highlight=states.specular * specular_light,
        power=_power(states),
        retouched=_retouched(states),
        lets_through=(states.diffuse[:, 3] < 1) | ~alpha_kept,
        fill=float(fill),
    )


def _power(states: MaterialStates) -> I32:
    power = states.specular_power
    whole = (power == np.rint(power)) & (power <= _MAX_WHOLE_POWER)
    shines = (power > 0) & (states.specular != 0).any(axis=1)
    return np.where(shines, np.where(whole, power, -1), 0).astype(np.int32)


def _retouched(states: MaterialStates) -> Bools:
    products = states.texture_multiply, states.sphere_multiply
    sums = states.texture_add, states.sphere_add
    multiplied = (np.concatenate(products, axis=1) != 1).any(axis=1)
    return np.asarray(multiplied | (np.concatenate(sums, axis=1) != 0).any(axis=1))
