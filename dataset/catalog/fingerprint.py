"""What a model's head looks like, in a few hundred bytes, so that copies are found among thousands.

Mesh: the set of its triangles' shapes (three edge lengths, rounded), which neither the order nor
the splitting of vertices, nor moving or turning the head changes; kept as a MinHash sketch
(Broder 1997), whose share of equal entries estimates the Jaccard similarity of two sets. Picture:
the directions of edges in an 8x8 grid (as in Dalal & Triggs 2005), blind to colour and contrast;
and a histogram of colours.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contract.image import Stored, head_rows

F64 = npt.NDArray[np.float64]
U64 = npt.NDArray[np.uint64]

_SKETCH = 128
_STEP = 2e-3  # of lengths, in model units for a head about 3 units high
_RELATIVE_STEP = 5e-4  # of lengths, in head heights
_USUAL_HEAD = 3.0
_CELLS, _DIRECTIONS, _PIXELS_A_CELL = 8, 8, 8
_FLAT = 8.0  # below this a cell counts as empty
_SHADES = 6


@dataclass(frozen=True)
class Fingerprint:
    """Base64 of bytes: ``mesh``, ``scaled_mesh`` 128 uint32; ``structure`` 512, ``colours`` 216.

    ``mesh`` goes by lengths in model units, ``scaled_mesh`` in head heights; both are empty where
    the head has no triangle.
    """

    mesh: str
    scaled_mesh: str
    structure: str
    colours: str


def fingerprint(corners: F64, head_height: float, picture: Stored) -> Fingerprint:
    """The fingerprint of a head's triangles (n, 3, 3) and its rest picture (256, 256, 4)."""
    edges = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)
    edges.sort(axis=1)
    # Models in other units (metres, say) need finer steps; steps of 4 hardly ever part copies.
    unit = 4.0 ** round(math.log(head_height / _USUAL_HEAD, 4))
    return Fingerprint(
        _packed(_sketch(edges / (_STEP * unit))),
        _packed(_sketch(edges / (_RELATIVE_STEP * head_height))),
        _packed(_structure(picture)),
        _packed(_colours(picture)),
    )


def _packed(values: npt.NDArray[np.generic]) -> str:
    return base64.b64encode(values.tobytes()).decode()


def _sketch(edges: F64) -> npt.NDArray[np.uint32]:
    """MinHash of triangle shapes; ``edges`` (n, 3) ascending, in steps."""
    whole = np.minimum(np.rint(edges), (1 << 20) - 1).astype(np.uint64)
    shapes = np.unique(whole[whole[:, 0] > 0] @ (np.uint64(1) << np.array([0, 20, 40], np.uint64)))
    if not len(shapes):
        return np.empty(0, np.uint32)
    mixed = _mixed(shapes)
    salts = _mixed(np.arange(1, _SKETCH + 1, dtype=np.uint64))
    least = [(_mixed(mixed ^ salt) >> np.uint64(32)).min() for salt in salts]
    return np.array(least, "<u4")


def _mixed(values: U64) -> U64:
    """The finalizer of SplitMix64 (Steele, Lea & Flood 2014)."""
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _structure(picture: Stored) -> npt.NDArray[np.uint8]:
    """Edge directions of the head and a margin around it: (8 * 8 * 8,)."""
    alpha = picture[..., 3:] / 255
    grey = (picture[..., :3] * alpha + 128 * (1 - alpha)) @ np.array([0.299, 0.587, 0.114])
    side = _CELLS * _PIXELS_A_CELL
    margin, block = len(picture) // 8, len(picture) * 3 // 4 // side
    inner = grey[margin:, margin:][: side * block, : side * block]
    small = inner.reshape(side, block, side, block).mean(axis=(1, 3))
    rise_y, rise_x = np.gradient(small)
    weight = np.sqrt(np.hypot(rise_x, rise_y))
    place = np.arctan2(rise_y, rise_x) % np.pi / np.pi * _DIRECTIONS
    first = np.floor(place).astype(int)
    rows, columns = np.indices(small.shape) // _PIXELS_A_CELL
    cells = np.zeros((_CELLS, _CELLS, _DIRECTIONS))
    for direction, share in ((first, 1 - (place - first)), (first + 1, place - first)):
        np.add.at(cells, (rows, columns, direction % _DIRECTIONS), weight * share)
    cells /= np.linalg.norm(cells, axis=2, keepdims=True) + _FLAT
    structure: npt.NDArray[np.uint8] = np.rint(cells.ravel() * 255).astype(np.uint8)
    return structure


def _colours(picture: Stored) -> npt.NDArray[np.uint8]:
    """Square roots of the shares of 6x6x6 colours in the head: (216,)."""
    first, end = head_rows(len(picture))
    pixels = picture[first:end, first:end].reshape(-1, 4)
    shades = pixels[pixels[:, 3] > 127, :3].astype(np.intp) * _SHADES // 256
    numbers = shades @ np.array([_SHADES * _SHADES, _SHADES, 1])
    counts = np.bincount(numbers, minlength=_SHADES**3)
    shares = counts / max(1, counts.sum())
    roots: npt.NDArray[np.uint8] = np.rint(np.sqrt(shares) * 255).astype(np.uint8)
    return roots


class Likeness:
    """Compares N fingerprints, some with themselves and all that come after them.

    Every answer (end - first, N - first) lies in [0, 1]: row i, column j are of the fingerprints
    ``first + i`` and ``first + j``.
    """

    def __init__(self, fingerprints: Sequence[Fingerprint]) -> None:
        self._meshes = [
            _unpacked([getattr(one, name) for one in fingerprints], "<u4", _SKETCH)
            for name in ("mesh", "scaled_mesh")
        ]
        self._has_mesh = np.array([bool(one.mesh) for one in fingerprints], np.bool_)
        structure = _unpacked([one.structure for one in fingerprints], "u1", _CELLS**2 * 8)
        self._structure = _unit(structure - structure.mean(axis=1, keepdims=True, dtype=float))
        self._colours = _unit(
            _unpacked([one.colours for one in fingerprints], "u1", _SHADES**3).astype(float)
        )

    def mesh(self, first: int, end: int) -> F64:
        """Estimated Jaccard similarity of the meshes, in whichever scale they are more alike."""
        counts = [_equal(sketch[first:end], sketch[first:]) for sketch in self._meshes]
        both = self._has_mesh[first:end, None] & self._has_mesh[first:]
        return np.where(both, np.maximum(*counts) / _SKETCH, 0.0)

    def structure(self, first: int, end: int) -> F64:
        """Correlation of the pictures' edges."""
        found: F64 = np.maximum(self._structure[first:end] @ self._structure[first:].T, 0)
        return found

    def colours(self, first: int, end: int) -> F64:
        """Bhattacharyya coefficient of the colours."""
        found: F64 = self._colours[first:end] @ self._colours[first:].T
        return found


def _equal(some: npt.NDArray[np.generic], all_: npt.NDArray[np.generic]) -> U64:
    """How many entries of two sketches are equal: (B, 128) and (M, 128) -> (B, M)."""
    # Eight truths at a time, as the bytes of one number: summing them one by one takes far longer.
    eights = (some[:, None] == all_).view(np.uint64).sum(axis=2)
    counts: U64 = (eights * np.uint64(0x0101_0101_0101_0101)) >> np.uint64(56)
    return counts


def _unpacked(texts: Sequence[str], kind: str, length: int) -> npt.NDArray[np.generic]:
    """(N, length); zeros for an empty text. ``ValueError`` on any other length."""
    rows = [np.frombuffer(base64.b64decode(text), kind) for text in texts]
    return np.array([row if len(row) else np.zeros(length, kind) for row in rows]).reshape(
        len(texts), length
    )


def _unit(rows: F64) -> F64:
    unit: F64 = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return unit
