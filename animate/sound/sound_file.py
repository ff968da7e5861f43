"""The sound of a file, or of a video, in the form that is asked for, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from av import AudioFrame, AudioResampler
from av.error import FFmpegError

from animate.media_file import decoded
from contract.errors import InputError

# All that holds sound but playlists, which name addresses and other files.
_CONTAINERS = (
    "wav,w64,aiff,au,caf,flac,mp3,aac,ac3,eac3,dts,ogg,amr,ape,tta,wv,mpc,mpc8,xwma,"
    "mov,matroska,avi,mpeg,mpegts,flv,asf"
)
_REMEDY = "give a sound, or a video that has one"
LEAST_RATE, MOST_RATE = 4_000, 768_000
"""Samples a second of what is taken for a sound."""
_MOST_CHANNELS = 64


def pieces(path: Path, rate: int, layout: str, sample_format: str) -> Iterator[AudioFrame]:
    """The first sound of a file: at ``rate`` Hz, as ``layout`` and ``sample_format`` of FFmpeg.

    Samples follow one another from the file's first: where its clock leaves a gap, there is none.
    A file that was cut short, or has broken packets, gives what is whole.

    Raises:
        InputError: it holds no sound, none that can be read, or one of a rate that is no sound's.
    """
    resampler: AudioResampler | None = None
    form = None
    count = 0
    try:
        for frame in decoded(path, AudioFrame, _CONTAINERS, _REMEDY):
            _require_bounds(path, frame)
            given = (frame.sample_rate, frame.layout.name, frame.format.name)
            if resampler is None or form != given:
                # A broadcast may change its form on the way.
                yield from resampler.resample(None) if resampler else []
                resampler = AudioResampler(format=sample_format, layout=layout, rate=rate)
                form = given
            frame.pts = None
            for piece in resampler.resample(frame):
                count += piece.samples
                yield piece
        yield from resampler.resample(None) if resampler else []
    except (FFmpegError, OSError) as error:
        if not count:
            raise InputError(
                f"{path}: cannot be read as a sound ({error.strerror}); {_REMEDY}"
            ) from error
    if not count:
        raise InputError(f"{path}: its sound is empty; give one that can be played")


def _require_bounds(path: Path, frame: AudioFrame) -> None:
    """A rate of 1 Hz would become hours out of a few bytes."""
    if not LEAST_RATE <= frame.sample_rate <= MOST_RATE:
        raise InputError(
            f"{path}: {frame.sample_rate} samples a second; sounds of {LEAST_RATE} to "
            f"{MOST_RATE} are read"
        )
    if len(frame.layout.channels) > _MOST_CHANNELS:
        raise InputError(
            f"{path}: {len(frame.layout.channels)} channels; up to {_MOST_CHANNELS} are read"
        )
