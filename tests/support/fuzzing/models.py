"""Models: PMX and PMD, built field by field and generated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.support.fuzzing.mutation import any_number, anywhere, at_marks
from tests.support.fuzzing.target import Seed, Target


def _pmx(_folder: Path) -> list[Seed]:
    from tests.support.complete_models import complete_pmx

    built = complete_pmx()
    marks = [(at, letter) for _, at, letter in built.counts]
    return [Seed(bytes(built.data), (at_marks(marks), any_number, anywhere))]


def _pmd(_folder: Path) -> list[Seed]:
    from tests.support.complete_models import complete_pmd

    built = complete_pmd()
    marks = [(at, letter) for _, at, letter in built.counts]
    return [Seed(bytes(built.data), (at_marks(marks), any_number, anywhere))]


def _read_model(path: Path) -> None:
    """Read, rigged and posed, as a scan does."""
    from contract.rig import MorphUse
    from renderer.deform.deformer import Deformer
    from renderer.fit.fit_rig import fit_rig
    from renderer.formats.read import read_model

    model = read_model(path)
    deformer = Deformer(model)
    uses = tuple(MorphUse(number, 0.7) for number in range(min(len(model.morphs), 20)))
    deformer.skin(deformer.morph(uses), {})
    fit_rig(model)


def _characters(folder: Path) -> list[Seed]:
    from characters.files.generate import write_character

    made = [write_character(folder / kind, 1, kind) for kind in ("pmx", "pmd")]
    return [Seed(path.read_bytes(), (any_number, anywhere)) for path in made]


TARGETS: Mapping[str, Target] = {
    "pmx": Target("model.pmx", _pmx, _read_model, share=3),
    "pmd": Target("model.pmd", _pmd, _read_model, share=2),
    "characters": Target("model.pmx", _characters, _read_model, share=0.05),
}
