"""A file of sound or video, from whoever it is: frames of its first stream, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import av
from av import AudioFrame, VideoFrame
from av.error import FFmpegError
from av.stream import Stream

from contract.errors import InputError

Kind = TypeVar("Kind", AudioFrame, VideoFrame)


def decoded(path: Path, kind: type[Kind], containers: str, remedy: str) -> Iterator[Kind]:
    """All frames that can be decoded of the first stream of a kind; broken packets are left out.

    containers: FFmpeg's names of those that are opened, with commas between; no playlists, which
    name addresses and other files. remedy: what to give instead.

    Raises:
        InputError: it is no plain file, or has no such stream.
        FFmpegError, OSError: it cannot be opened, or ends too early.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: is no plain file; {remedy}")
    options = {"protocol_whitelist": "file", "format_whitelist": containers}
    # A title that is not in UTF-8 is no fault.
    with av.open(str(path), options=options, metadata_errors="replace") as container:
        every = container.streams
        streams: tuple[Stream, ...] = every.audio if kind is AudioFrame else every.video
        if not streams:
            what = "sound" if kind is AudioFrame else "video"
            raise InputError(f"{path}: holds no {what}; {remedy}")
        for packet in container.demux(streams[0]):
            try:
                yield from (frame for frame in packet.decode() if isinstance(frame, kind))
            except FFmpegError:
                continue  # one broken packet; those behind it may be whole
