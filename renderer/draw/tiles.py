"""What pictures are drawn into, several beside one another, and read from while others are drawn.

A graphics card that draws a picture, waits for it to be read, and only then is given the next one
stands still most of the time. So pictures share one large target, whose samples become pixels in
one go, and their pixels are copied by the card itself, to be taken some targets later. Software
OpenGL draws on the processor that would wait, and large targets do not fit its caches: it has one
tile and reads at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import moderngl
import numpy as np

from contract.image import Stored
from renderer.draw.device import is_software

_TILES_A_SIDE = 4
_TARGETS_AHEAD = 2
_CHANNELS = 4


@dataclass(frozen=True)
class Sent:
    """Pixels of ``count`` pictures: on their way in one of the card's buffers, or here already."""

    count: int
    pixels: moderngl.Buffer | Stored


class Tiles:
    """Targets for ``count`` pictures of ``size`` pixels a side.

    ``supersample``: the samples of a pixel are this squared. ``tiles``: how many pictures a
    side of a target; None: what suits the device. ``ahead``: how many targets may be on their way
    before the first is taken.
    """

    def __init__(
        self, context: moderngl.Context, size: int, supersample: int, tiles: int | None
    ) -> None:
        self._context = context
        self._size, self._sample_side = size, size * supersample
        self._across = tiles or _usual(context, self._sample_side)
        self.count = self._across**2
        self.ahead = _TARGETS_AHEAD if self._across > 1 else 0
        self._free: list[moderngl.Buffer] = []
        side = self._sample_side * self._across
        # Eight bits of a premultiplied colour are too few where alpha is low; software OpenGL
        # writes sixteen faster than half floats.
        self._samples = context.texture((side, side), _CHANNELS, dtype="nu2")
        depth = context.depth_renderbuffer((side, side))
        self._sample_target = context.framebuffer([self._samples], depth)
        picture = context.renderbuffer((self.picture_side, self.picture_side), _CHANNELS)
        self._picture_target = context.framebuffer([picture])

    @property
    def picture_side(self) -> int:
        """Pixels a side of all tiles together."""
        return self._size * self._across

    def begin(self) -> None:
        """Empty all tiles."""
        self._sample_target.use()
        self._sample_target.viewport = (0, 0, *self._sample_target.size)
        self._sample_target.clear(0.0, 0.0, 0.0, 0.0, depth=1.0)

    def aim_at(self, tile: int) -> None:
        """Draw into this tile; they are counted from the upper left, row by row."""
        row, column = divmod(tile, self._across)
        side, above = self._sample_side, self._across - 1 - row
        self._sample_target.viewport = (column * side, above * side, side, side)

    def send(self, count: int, resolve: moderngl.VertexArray) -> Sent:
        """Make pixels of the first ``count`` tiles by the program of ``resolve``, and have them
        read back."""
        rows = -(-count // self._across) * self._size
        target = self._picture_target
        target.use()
        # Its first rows are the upper tiles: ``resolve`` writes in the order that pictures have.
        target.viewport = (0, 0, self.picture_side, rows)
        self._context.enable_only(moderngl.NOTHING)
        self._samples.use(0)
        resolve.render(moderngl.TRIANGLES, vertices=3)
        if not self.ahead:
            pixels = np.empty((rows, self.picture_side, _CHANNELS), np.uint8)
            target.read_into(pixels, components=_CHANNELS, alignment=1)
            return Sent(count, pixels)
        buffer = self._free.pop() if self._free else self._buffer()
        target.read_into(buffer, components=_CHANNELS, alignment=1)
        return Sent(count, buffer)

    def _buffer(self) -> moderngl.Buffer:
        return self._context.buffer(reserve=self.picture_side**2 * _CHANNELS, dynamic=True)

    def taken(self, sent: Sent) -> list[Stored]:
        """The pictures, (size, size, 4) uint8 each; waits until they are there."""
        pixels = sent.pixels
        if isinstance(pixels, moderngl.Buffer):
            there = np.empty((self.picture_side, self.picture_side, _CHANNELS), np.uint8)
            pixels.read_into(there)
            self.let_go(sent)
            pixels = there
        if self._across == 1:
            return [pixels]
        return [np.ascontiguousarray(self._tile_of(pixels, k)) for k in range(sent.count)]

    def _tile_of(self, pixels: Stored, tile: int) -> Stored:
        row, column = (number * self._size for number in divmod(tile, self._across))
        return pixels[row : row + self._size, column : column + self._size]

    def let_go(self, sent: Sent) -> None:
        """Use the buffer of pictures that nobody wants any more again."""
        if isinstance(sent.pixels, moderngl.Buffer):
            self._free.append(sent.pixels)


def _usual(context: moderngl.Context, sample_side: int) -> int:
    largest = int(context.info["GL_MAX_RENDERBUFFER_SIZE"])
    return 1 if is_software(context) else max(1, min(_TILES_A_SIDE, largest // sample_side))
