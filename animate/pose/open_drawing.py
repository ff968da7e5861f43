"""From what a command line says to a poser, and from its pictures to what is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from animate.drawing.background import Background
    from animate.pose.poser import Poser
    from contract.image import Stored


def open_drawing(
    drawing: Path,
    bundle: Path,
    configuration: str | None,
    device: str,
    backend: str = "auto",
    *,
    compiled: bool = False,
) -> Poser:
    """A poser of a drawing's file; ``OpenthaError`` where bundle or drawing is of no use."""
    from animate.pose import open_poser  # noqa: PLC0415  # loads torch

    networks = open_poser.open_any(bundle, configuration, device, backend, compiled=compiled)
    return open_poser.open_poser(networks, drawing)


class Finish:
    """What is done with every picture that the networks make."""

    def __init__(self, poser: Poser, size: int | None, text: str | None) -> None:
        from animate.drawing.background import background  # noqa: PLC0415

        self.size = size or poser.size
        self._background: Background | None = background(text, self.size) if text else None

    def of(self, picture: Stored) -> Stored:
        """At the wanted size, on the background."""
        from animate.drawing.drawing import resized  # noqa: PLC0415

        sized = resized(picture, self.size, self.size)
        return self._background.under(sized) if self._background else sized
