"""Characters that are refused for what a person can give."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from characters.files.generate import FRANCHISES, character_spec, write_character
from characters.files.pmx_writer import pmx_bytes
from characters.shape.assembly import build_model

_MOUTH_PANEL, _HARDLY = 3, np.float32(0.02)


def write_mouthless(folder: Path, seed: int) -> tuple[Path, int]:
    """A character whose mouth hardly opens, by morphs of no known name; the one that opens it most.

    Its textures are those of the character as it is generated.
    """
    path = write_character(folder, seed)
    spec = character_spec(seed, seed % FRANCHISES)
    built = build_model(spec, np.random.default_rng([0x0B11D, spec.franchise, seed]), plain=False)
    morphs = tuple(
        replace(one, name=f"x{n}", english="", offsets=one.offsets * _HARDLY)
        if one.panel == _MOUTH_PANEL
        else one
        for n, one in enumerate(built.model.morphs)
    )
    path.write_bytes(pmx_bytes(replace(built.model, morphs=morphs)))
    widest = max(
        (n for n, one in enumerate(morphs) if one.panel == _MOUTH_PANEL),
        key=lambda n: float(np.abs(morphs[n].offsets).max(initial=0)),
    )
    return path, widest


def write_textureless(folder: Path, seed: int) -> Path:
    """A character without any of its textures."""
    path = write_character(folder, seed)
    for file in folder.iterdir():
        if file.suffix not in {".pmx", ".json", ".txt"}:
            file.unlink()
    return path
