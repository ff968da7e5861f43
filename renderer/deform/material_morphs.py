"""Materials as a face wears them: what material morphs make of the file's values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from renderer.formats.model import F32, Material, MaterialOffsets

F64 = npt.NDArray[np.float64]

# Columns of a packed row: diffuse, specular, its power, ambient, edge colour, edge size,
# texture, sphere map, toon.
_ENDS = (4, 7, 8, 11, 15, 16, 20, 24)
_TEXTURE_START, _WIDTH = 16, 28


@dataclass(frozen=True)
class MaterialStates:
    """M materials after morphs; the pairs of the maps mean colour * multiply + add."""

    diffuse: F32  # (M, 4)
    specular: F32  # (M, 3)
    specular_power: F32  # (M,)
    ambient: F32  # (M, 3)
    edge_color: F32  # (M, 4)
    edge_size: F32  # (M,)
    texture_multiply: F32  # (M, 4)
    texture_add: F32  # (M, 4)
    sphere_multiply: F32  # (M, 4)
    sphere_add: F32  # (M, 4)
    toon_multiply: F32  # (M, 4)
    toon_add: F32  # (M, 4)


class MaterialTable:
    """The materials of a model, ready to be morphed many times."""

    def __init__(self, materials: Sequence[Material]) -> None:
        self._base = np.ones((len(materials), _WIDTH))
        for row, material in zip(self._base, materials, strict=True):
            row[:_TEXTURE_START] = [
                *material.diffuse,
                *material.specular,
                material.specular_power,
                *material.ambient,
                *material.edge_color,
                material.edge_size,
            ]
        self._unmorphed = self._states(np.ones_like(self._base), np.zeros_like(self._base))

    def morphed(self, changes: Sequence[tuple[MaterialOffsets, float]]) -> MaterialStates:
        """The states after the changes at their weights w: all products before all sums.

        Multiplying takes x to lerp(x, x * m, w), adding to x + m * w; material -1 means all.
        """
        if not changes:
            return self._unmorphed
        product, total = np.ones_like(self._base), np.zeros_like(self._base)
        for offsets, weight in changes:
            values, everywhere = _packed(offsets), offsets.materials < 0
            factors = 1 + (values - 1) * weight
            for chosen, target, ufunc, amounts in (
                (~offsets.additive, product, np.multiply, factors),
                (offsets.additive, total, np.add, values * weight),
            ):
                ufunc.at(
                    target, offsets.materials[chosen & ~everywhere], amounts[chosen & ~everywhere]
                )
                ufunc(target, ufunc.reduce(amounts[chosen & everywhere], axis=0), out=target)
        return self._states(product, total)

    def _states(self, product: F64, total: F64) -> MaterialStates:
        values = (self._base * product + total).astype(np.float32)
        diffuse, specular, power, ambient, edge_color, edge_size, *_ = np.split(
            values, _ENDS, axis=1
        )
        maps = np.stack([product, total]).astype(np.float32)[:, :, _TEXTURE_START:]
        return MaterialStates(
            diffuse,
            specular,
            power[:, 0],
            ambient,
            edge_color,
            edge_size[:, 0],
            texture_multiply=maps[0, :, :4],
            texture_add=maps[1, :, :4],
            sphere_multiply=maps[0, :, 4:8],
            sphere_add=maps[1, :, 4:8],
            toon_multiply=maps[0, :, 8:],
            toon_add=maps[1, :, 8:],
        )


def _packed(offsets: MaterialOffsets) -> F64:
    """The records of a material morph as rows (N, 28)."""
    return np.concatenate(
        [
            offsets.diffuse,
            offsets.specular,
            offsets.specular_power[:, None],
            offsets.ambient,
            offsets.edge_color,
            offsets.edge_size[:, None],
            offsets.texture_factor,
            offsets.sphere_factor,
            offsets.toon_factor,
        ],
        axis=1,
    ).astype(np.float64)
