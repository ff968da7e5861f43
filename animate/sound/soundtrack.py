"""The sound of a file as a track of a video that is being written."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from av import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer

from animate.sound.sound_file import pieces

# What players take everywhere, by the container's own name.
_CODECS = {"mp4": "aac", "webm": "libopus"}
_RATE, _LAYOUT, _FORMAT = 48_000, "stereo", "fltp"
_BITS_A_SECOND = 128_000


class Soundtrack:
    """Encodes a file's sound beside a video, never further than the video has come."""

    def __init__(self, container: OutputContainer, path: Path) -> None:
        """To be made before the first picture is muxed."""
        self._container = container
        self._pieces = pieces(path, _RATE, _LAYOUT, _FORMAT)
        self._done = 0
        stream = container.add_stream(_CODECS[container.format.name], rate=_RATE)
        assert isinstance(stream, AudioStream)
        stream.layout = _LAYOUT
        stream.bit_rate = _BITS_A_SECOND
        self._stream = stream
        self._next: AudioFrame | None = next(self._pieces)

    def mux_until(self, seconds: float) -> None:
        """Write the samples from where it stands to that second, or to the sound's end."""
        end = round(seconds * _RATE)
        while self._next and self._done < end:
            piece, self._next = _split(self._next, end - self._done)
            piece.pts, piece.time_base = self._done, Fraction(1, _RATE)
            self._done += piece.samples
            self._container.mux(self._stream.encode(piece))
            self._next = self._next or next(self._pieces, None)

    def finish(self) -> None:
        """Write what the encoder still holds."""
        self._container.mux(self._stream.encode())


def _split(piece: AudioFrame, samples: int) -> tuple[AudioFrame, AudioFrame | None]:
    """At most so many samples of a piece, and what is left of it."""
    if piece.samples <= samples:
        return piece, None
    planes = piece.to_ndarray()
    head, tail = (
        AudioFrame.from_ndarray(part.copy(), format=_FORMAT, layout=_LAYOUT)
        for part in (planes[:, :samples], planes[:, samples:])
    )
    for part in (head, tail):
        part.sample_rate = _RATE
    return head, tail
