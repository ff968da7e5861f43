"""What is true about a generated character, for tests of whoever must find it out."""

from __future__ import annotations

from typing import Any

from characters.design.morph_naming import NamedMorph
from characters.design.spec import CharacterSpec
from characters.shape.assembly import Built


def truth(built: Built, spec: CharacterSpec) -> dict[str, Any]:
    """A JSON object: head box, and by what morphs each eye and the mouth move.

    ``drives``: for the axes left_eye, right_eye (normal kind) and mouth, a list of alternatives
    {morph, name, side}; ``side`` "whole" moves only what is wanted, "left" or "right" means that
    only that half of a both-eyes morph is. ``smiles`` likewise for the smiling kind. ``empty``
    lists morphs that do nothing. Morphs are counted from 0 in the file's order (a PMD's base
    morph not counted).
    """
    named = built.named
    return {
        "name": spec.name,
        "seed": spec.seed,
        "franchise": spec.franchise,
        "naming": spec.naming,
        "head_box": {
            "chin_y": built.box.chin_y,
            "skull_top_y": built.box.skull_top_y,
            "centre_x": built.box.centre_x,
        },
        "eye_y": built.box.chin_y + spec.eye.y * spec.head_height,
        "drives": {
            "left_eye": _closers(named, "close", "left"),
            "right_eye": _closers(named, "close", "right"),
            "mouth": [
                _use(k, m, "whole") for k, m in enumerate(named) if m.shapes == (("a", 1.0),)
            ],
        },
        "smiles": {
            "left_eye": _closers(named, "smile", "left"),
            "right_eye": _closers(named, "smile", "right"),
        },
        "empty": [k for k, m in enumerate(named) if not m.shapes and not m.groups],
    }


def _use(index: int, morph: NamedMorph, side: str) -> dict[str, Any]:
    return {"morph": index, "name": morph.name, "side": side}


def _closers(named: tuple[NamedMorph, ...], kind: str, side: str) -> list[dict[str, Any]]:
    """Morphs that close this eye: one-eyed ones first, then both-eyed ones by half."""
    by_name = {m.name: m for m in reversed(named)}
    one, both = [], []
    for index, morph in enumerate(named):
        shapes = morph.shapes + tuple(s for g in morph.groups for s in by_name[g].shapes)
        names = {shape for shape, _ in shapes}
        if names == {f"{kind}_{side}"}:
            one.append(_use(index, morph, "whole"))
        elif names == {f"{kind}_left", f"{kind}_right"}:
            both.append(_use(index, morph, side))
    return one + both
