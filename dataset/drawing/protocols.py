"""What the data set needs of a renderer: something that opens models and draws them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from contract.image import Stored
from contract.light import Light
from contract.origins import Origins
from contract.pose import Pose
from contract.rig import Rig
from dataset.catalog.catalog import Described
from dataset.shards.records import ModelFacts


class OpenedModel(Protocol):
    """A model that is ready to be drawn."""

    @property
    def facts(self) -> ModelFacts:
        """What was found in it."""

    def draw(self, pose: Pose, light: Light) -> Stored:
        """Its picture, (size, size, 4) uint8 in the stored form; ``ModelError`` if it cannot be."""

    def draw_all(self, views: Iterable[tuple[Pose, Light]]) -> Iterator[Stored]:
        """The picture of each view, as ``draw`` gives it, in order; views are taken ahead.

        Nothing else is drawn until the last one is given.
        """

    def trace(self, pose: Pose) -> Origins:
        """Where what each pixel of a pose's picture shows lies in its expression's picture."""

    def driven(self, rig: Rig) -> OpenedModel:
        """The same model, rigged alike but for ``drives``; releasing either ends both.

        ``ModelError`` when it has no such morph.
        """

    def release(self) -> None:
        """Give its memory back."""


class ModelRenderer(Protocol):
    """What draws: one per process."""

    @property
    def renderer_name(self) -> str:
        """The OpenGL that draws."""

    def open(self, path: Path, rig: Rig) -> OpenedModel:
        """Read the model at ``path`` and pose it by its rig; ``ModelError`` if it cannot be."""


OpenRenderer = Callable[[int], ModelRenderer]
"""Opens a renderer for pictures of a size (pixels a side); ``DeviceError`` without OpenGL.

Travels to other processes, so it must be a function (or partial) that can be pickled.
"""


class Scanner(Protocol):
    """What looks at models: one per process."""

    def scan(self, path: Path) -> tuple[Described, Stored]:
        """All about a model, and its rest picture; ``ModelError`` if it is of no use."""


OpenScanner = Callable[[], Scanner]
"""Opens a scanner; ``DeviceError`` without OpenGL. Travels to other processes by pickle."""
