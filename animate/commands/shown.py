"""A drawing as the commands show it: posed by networks, at a size, before a backdrop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from contract.progress import open_progress
from contract.text import time_left

if TYPE_CHECKING:
    from animate.drawing.backdrop import Backdrop
    from animate.motion.motion import Motion
    from animate.pose.ahead import Finish
    from animate.pose.poser import Poser
    from contract.image import Stored
    from contract.pose import Pose


@dataclass(frozen=True)
class ShownDrawing:
    """What draws poses of one drawing, and what they are shown before."""

    poser: Poser
    backdrop: Backdrop

    @property
    def size(self) -> int:
        """Pixels a side of what is shown."""
        return self.backdrop.size

    def draw(self, pose: Pose) -> Stored:
        """The drawing in a pose: (size, size, 4)."""
        return self.backdrop.behind(self.poser.draw(pose))

    def draw_all(self, poses: Sequence[Pose], finish: Finish) -> Iterator[Stored]:
        """The drawing in each of the poses, several drawn at once, and ``finish`` done to each."""
        from animate.pose.ahead import drawn_ahead  # noqa: PLC0415

        def finished(picture: Stored, number: int) -> Stored:
            return finish(self.backdrop.behind(picture), number)

        return drawn_ahead(self.poser, poses, finished)


def open_drawing(
    drawing: Path,
    bundle: Path,
    configuration: str | None,
    device: str,
    size: int | None,
    background: str | None,
    *,
    backend: str = "auto",
    compiled: bool = False,
) -> ShownDrawing:
    """A drawing's file, ready to be posed; ``OpenthaError`` where an option is of no use."""
    from animate.drawing.backdrop import open_backdrop  # noqa: PLC0415
    from animate.pose.open_poser import open_networks, open_poser  # noqa: PLC0415

    networks = open_networks(bundle, configuration, device, backend, compiled=compiled)
    poser, notes = open_poser(networks, drawing, size)
    for note in notes:
        click.echo(note, err=True)
    return ShownDrawing(poser, open_backdrop(background, size or poser.size))


def write_frames(
    out: Path,
    motion: Motion,
    shown: ShownDrawing,
    joined: Callable[[Stored, float], Stored] | None = None,
    sound: Path | None = None,
) -> None:
    """Write the drawing in motion, saying how far that is.

    joined: what is made of the picture of a moment, in seconds.
    sound: a file whose sound goes with it, where OUT's kind holds one; else that is said.

    Raises:
        InputError: it cannot be written.
    """
    from animate.drawing.output import HOLDING_SOUND, write_animation  # noqa: PLC0415  # codecs

    if sound and out.suffix.lower() not in HOLDING_SOUND:
        click.echo(f"{out}: holds no sound; {' and '.join(HOLDING_SOUND)} do", err=True)

    def frames(wanted: range) -> Iterator[Stored]:
        def finish(picture: Stored, number: int) -> Stored:
            return joined(picture, wanted[number] / motion.fps) if joined else picture

        poses = [motion.pose(frame) for frame in wanted]
        return _told(shown.draw_all(poses, finish), len(wanted))

    write_animation(out, frames, len(motion.poses), motion.fps, sound=sound)


def _told(pictures: Iterator[Stored], count: int) -> Iterator[Stored]:
    """The pictures, while saying on stderr how far they are."""
    began = time.monotonic()
    with open_progress("frames") as progress:
        for done, picture in enumerate(pictures):
            progress.show(done, count, time_left(done, count, time.monotonic() - began))
            yield picture
