"""The rows of a shard: what is kept of a model, and of a sample.

A model's row is stored as one JSON object (see ``ModelRow``), a sample's as one record of
``SAMPLE_DTYPE``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal, cast

import numpy as np
import numpy.typing as npt

from contract.image import Stored
from contract.light import Light, Shading
from contract.pose import AXES
from contract.records import decode
from contract.rig import NAME_ONLY, HeadBox, MorphUse

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
_KEPT_OF_USE = ("name", "weight", "side")  # in this order, so that equal shards are equal bytes
PictureName = Literal["rest", "expression", "posed"]
PICTURE_NAMES: tuple[PictureName, PictureName, PictureName] = ("rest", "expression", "posed")


@dataclass(frozen=True)
class Sample:
    """One sample, decoded; pictures (size, size, 4) uint8 in the stored form.

    ``pose`` holds six float32 in the order of ``contract.pose.AXIS_NAMES``.
    """

    pose: npt.NDArray[np.float32]
    light: Light
    rest: Stored
    expression: Stored
    posed: Stored


@dataclass(frozen=True)
class ModelFacts:
    """What the renderer found in a model.

    ``comment`` is the file's own text, which often states its terms; ``morphs`` maps each face
    axis to what drives it; ``evidence`` says why, in machine-readable words.
    """

    name: str
    comment: str
    head_box: HeadBox
    morphs: Mapping[str, tuple[MorphUse, ...]]
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
    ``seed`` with ``sha256`` and a sample's index decide the sample. ``light_levels`` are magnitudes
    of the ambient light; ``light_shadings``, one for each, are kept where the shard's shading is
    mixed. The shard holds the samples ``first_index`` ... ``first_index + samples - 1``.
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
    light_shadings: tuple[Shading, ...] = ()

    def __post_init__(self) -> None:
        if min(self.seed, self.first_index, self.samples) < 0:
            raise ValueError("a count is negative")
        if self.light_shadings and len(self.light_shadings) != len(self.light_levels):
            raise ValueError("light_levels and light_shadings disagree")

    def light(self, level: int, shading: str) -> Light:
        """Its light number ``level``, in a shard whose pictures are shaded so."""
        own = self.light_shadings[level] if self.light_shadings else cast(Shading, shading)
        return Light(self.light_levels[level], own)

    def to_json(self) -> str:
        """One line of JSON; of a morph in use its name is kept, not its place in the file."""
        row = asdict(self)
        morphs = row["facts"]["morphs"]
        for axis, uses in morphs.items():
            morphs[axis] = [{name: use[name] for name in _KEPT_OF_USE} for use in uses]
        if not self.light_shadings:
            del row["light_shadings"]
        return json.dumps(row, ensure_ascii=False)


def model_row_from_json(line: str) -> ModelRow:
    """The row of one line of JSON.

    Raises:
        ValueError: the line is not a row (malformed JSON included).
    """
    try:
        return decode(ModelRow, json.loads(line, object_hook=_with_morph))
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _with_morph(values: dict[str, object]) -> dict[str, object]:
    """A morph in use has no number in a shard."""
    is_use = values.keys() == {*_KEPT_OF_USE}
    return values | {"morph": NAME_ONLY} if is_use else values
