"""The rows of a shard: what is kept of a model, and of a sample.

A model's row is stored as one JSON object (see ``ModelRow``), a sample's as one record of
``SAMPLE_DTYPE``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from contract.image import Stored
from contract.pose import AXES

SAMPLE_DTYPE = np.dtype(
    [
        ("pose", "<f4", (len(AXES),)),  # in the order of contract.pose.AXIS_NAMES
        ("model", "<i4"),  # row of the models table
        ("index", "<i4"),  # which of the model's samples: (seed, sha256, index) decide it
        ("light", "<i4"),  # entry of the model's light_levels
        ("ambient", "<f4"),  # its value
        ("rest", "<i4"),  # frame: eyes open, mouth wide open, head straight, same light
        ("expression", "<i4"),  # frame: eyes and mouth posed, head straight
        ("posed", "<i4"),  # frame: the whole pose
    ]
)
PictureName = Literal["rest", "expression", "posed"]
PICTURE_NAMES: tuple[PictureName, PictureName, PictureName] = ("rest", "expression", "posed")


@dataclass(frozen=True)
class Sample:
    """One sample, decoded; pictures (size, size, 4) uint8 in the stored form.

    ``pose`` holds six float32 in the order of ``contract.pose.AXIS_NAMES``.
    """

    pose: npt.NDArray[np.float32]
    ambient: float
    rest: Stored
    expression: Stored
    posed: Stored


@dataclass(frozen=True)
class HeadLines:
    """The head box; model units in the file's coordinates."""

    chin_y: float
    skull_top_y: float
    centre_x: float


@dataclass(frozen=True)
class UsedMorph:
    """A morph that drives an axis: its weight at axis value 1; side: whole, left or right."""

    name: str
    weight: float
    side: str


@dataclass(frozen=True)
class ModelFacts:
    """What the renderer found in a model.

    ``comment`` is the file's own text, which often states its terms; ``morphs`` maps each face
    axis to what drives it; ``evidence`` says why, in machine-readable words.
    """

    name: str
    comment: str
    head_box: HeadLines
    morphs: Mapping[str, tuple[UsedMorph, ...]]
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class FoundText:
    """A licence or readme text: where it lies below the models folder, and its beginning."""

    path: str
    text: str


@dataclass(frozen=True)
class ModelRow:
    """One model of a shard.

    ``path`` is relative to the models folder, ``source`` its first folder ("." for none);
    ``seed`` with ``sha256`` and a sample's index decide the sample. The shard holds the samples
    ``first_index`` ... ``first_index + samples - 1``.
    """

    sha256: str
    path: str
    source: str
    licence: FoundText | None
    facts: ModelFacts
    seed: int
    light_levels: tuple[float, ...]
    first_index: int
    samples: int

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


def model_row_from_json(line: str) -> ModelRow:
    """The row of one line of JSON.

    Raises:
        ValueError: the line is not a row (malformed JSON included).
    """
    try:
        row = _object(json.loads(line))
        return ModelRow(
            sha256=_text(row["sha256"]),
            path=_text(row["path"]),
            source=_text(row["source"]),
            licence=None if row["licence"] is None else _found_text(_object(row["licence"])),
            facts=_facts(_object(row["facts"])),
            seed=_count(row["seed"]),
            light_levels=tuple(_number(level) for level in _list(row["light_levels"])),
            first_index=_count(row["first_index"]),
            samples=_count(row["samples"]),
        )
    except KeyError as error:
        raise ValueError(f"{error} is missing") from error
    except (RecursionError, OverflowError) as error:
        raise ValueError("nested too deep, or a number too large") from error


def _found_text(found: dict[str, object]) -> FoundText:
    return FoundText(_text(found["path"]), _text(found["text"]))


def _facts(facts: dict[str, object]) -> ModelFacts:
    box = _object(facts["head_box"])
    morphs = {
        axis: tuple(_used_morph(_object(use)) for use in _list(uses))
        for axis, uses in _object(facts["morphs"]).items()
    }
    return ModelFacts(
        name=_text(facts["name"]),
        comment=_text(facts["comment"]),
        head_box=HeadLines(*(_number(box[key]) for key in ("chin_y", "skull_top_y", "centre_x"))),
        morphs=morphs,
        evidence=tuple(_text(word) for word in _list(facts["evidence"])),
    )


def _used_morph(use: dict[str, object]) -> UsedMorph:
    return UsedMorph(_text(use["name"]), _number(use["weight"]), _text(use["side"]))


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"{_short(value)} is no object")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError(f"{_short(value)} is no list")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{_short(value)} is no text")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{_short(value)} is no finite number")
    return float(value)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{_short(value)} is no count")
    return value


def _short(value: object) -> str:
    return repr(value)[:40]
