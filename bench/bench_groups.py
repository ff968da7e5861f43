"""What finding near-duplicates among many models takes, beside comparing each with all in turn.

    python bench/bench_groups.py [MODELS]

Models are fingerprints drawn by chance, of which every tenth is a copy of another. Plain: one model
at a time is compared with all, by what says how alike two are. Ours: what ``dataset scan`` does.
Prints seconds and their ratio, and refuses to if the groups differ.
"""

from __future__ import annotations

import base64
import hashlib
import sys

import numpy as np
import numpy.typing as npt

from dataset.catalog.catalog import CatalogRow
from dataset.catalog.duplicates import SAME_MESH, with_groups
from dataset.catalog.fingerprint import F64
from tests.support.timing import alternating
from tests.support.tiny_renderer import tiny_described

ROUNDS = 3


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rows = [_row(n, f"model {n - n % 10 if n % 10 == 9 else n}") for n in range(count)]
    wanted = {row.path for row in with_groups(rows) if row.group is not None}
    found = {rows[n].path for pair in np.argwhere(plain(rows)) for n in pair}
    assert wanted == found, "the groups differ"
    works = {"plain": lambda: plain(rows), "ours": lambda: with_groups(rows)}
    seconds = {name: min(times) for name, times in alternating(works, ROUNDS).items()}
    for name, best in seconds.items():
        print(f"{name:6} {best:7.2f} s for {count} models")
    print(f"ratio  {seconds['plain'] / seconds['ours']:7.2f}")


def _row(number: int, name: str) -> CatalogRow:
    sha256 = hashlib.sha256(str(number).encode()).hexdigest()
    return CatalogRow(f"s/{number}.pmx", sha256, "s", "ok", model=tiny_described(name))


def plain(rows: list[CatalogRow]) -> npt.NDArray[np.bool_]:
    """(N, N): which pairs have the same mesh; pictures and colours are compared all the same."""
    prints = [row.described().fingerprint for row in rows]
    meshes = [_rows([getattr(p, kind) for p in prints], "<u4") for kind in ("mesh", "scaled_mesh")]
    pictures = _rows([p.structure for p in prints], "u1").astype(float)
    pictures = _unit(pictures - pictures.mean(axis=1, keepdims=True))
    colours = _unit(_rows([p.colours for p in prints], "u1").astype(float))
    same = np.zeros((len(rows), len(rows)), np.bool_)
    for number in range(len(rows)):
        shares = [(sketch == sketch[number]).mean(axis=1) for sketch in meshes]
        edges, shades = pictures @ pictures[number], colours @ colours[number]
        same[number] = np.maximum(*shares) >= SAME_MESH
        same[number] |= (edges >= 0.97) & (shades >= 0)
        same[number, number] = False
    return same


def _unit(rows: F64) -> F64:
    unit: F64 = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def _rows(texts: list[str], kind: str) -> npt.NDArray[np.generic]:
    return np.array([np.frombuffer(base64.b64decode(text), kind) for text in texts])


if __name__ == "__main__":
    main()
