"""Writes frames as PNG, GIF, APNG, WebP, MP4 or WebM: whole files or none.

Transparency: WebP, APNG and PNG keep it, WebM (VP9) too; a GIF's is one bit; MP4 has none. MP4 and
WebM hold a sound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from av.video.stream import VideoStream
from PIL import Image

from animate.drawing.animation_files import (
    CLEAR,
    Indices,
    TooLongError,
    write_apng,
    write_gif,
    write_webp,
)
from animate.sound.soundtrack import Soundtrack
from contract.errors import InputError
from contract.files import replacing
from contract.image import Stored
from contract.lock import require_folder

ALPHA_SEEN = 128
"""Of a GIF's pixels: below this they are transparent."""
_PALETTE_FRAMES, _PALETTE_PIXELS = 12, 512
_WEBP = {"quality": 90, "method": 4, "alpha_quality": 100}

Frames = Callable[[range], Iterable[Stored]]
_VIDEO_CODECS = {".mp4": ("libx264", "mpeg4"), ".webm": ("libvpx-vp9",)}
HOLDING_SOUND = tuple(_VIDEO_CODECS)
"""Suffixes of the kinds that can."""


def write_still(path: Path, picture: Stored) -> None:
    """One picture as PNG or WebP; ``InputError`` when it cannot be written."""
    kind = {".png": "PNG", ".webp": "WEBP"}.get(path.suffix.lower())
    if kind is None:
        raise InputError(f"{path}: a still is written as .png or .webp")
    with replacing(path) as temporary:
        Image.fromarray(picture, "RGBA").save(temporary, kind, lossless=True, exact=True)


def write_animation(
    path: Path,
    frames: Frames,
    count: int,
    fps: float,
    matte: str = "white",
    sound: Path | None = None,
) -> None:
    """All frames as the kind that the suffix names; a name without one becomes a folder of PNGs.

    ``frames`` gives the frames of a range of numbers below ``count``. ``matte``: the colour under
    the soft edges of a GIF, and under all of an MP4. ``sound``: a file whose sound is put into a
    video, as long as the video lasts; the other kinds leave it out.

    Raises:
        InputError: it cannot be written, or the sound not be read.
    """
    suffix = path.suffix.lower()
    if suffix not in (*WRITERS, *HOLDING_SOUND):
        known = ", ".join([*filter(None, WRITERS), *HOLDING_SOUND])
        raise InputError(f"{path}: unknown kind; give one of {known}")
    if suffix in HOLDING_SOUND:
        _write_video(path, frames, count, fps, matte, sound)
    else:
        WRITERS[suffix](path, frames, count, fps, matte)


def _write_folder(path: Path, frames: Frames, count: int, _fps: float, _matte: str) -> None:
    digits = max(4, len(str(count)))
    require_folder(path)
    for number, frame in enumerate(frames(range(count))):
        write_still(path / f"frame-{number:0{digits}}.png", frame)


def _write_apng(path: Path, frames: Frames, count: int, fps: float, _matte: str) -> None:
    with replacing(path) as temporary, temporary.open("wb") as file:
        write_apng(file, frames(range(count)), fps)


def _write_webp(path: Path, frames: Frames, count: int, fps: float, _matte: str) -> None:
    with replacing(path) as temporary, temporary.open("wb") as file:
        try:
            write_webp(file, frames(range(count)), round(1000 / fps), **_WEBP)
        except TooLongError as error:
            raise InputError(f"{path}: over 4 GiB, which no WebP has; write .webm") from error


def _write_gif(path: Path, frames: Frames, count: int, fps: float, matte: str) -> None:
    """One palette for all frames, so that still parts do not flicker and the file stays small."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        every = max(1, count // _PALETTE_FRAMES)
        sampled = [_matted(_thinned(f), matte) for f in frames(range(0, count, every))]
        strip = Image.fromarray(np.concatenate(sampled)[..., :3], "RGB")
        palette = strip.quantize(CLEAR, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)

        def indexed(frame: Stored) -> Indices:
            colours = Image.fromarray(np.ascontiguousarray(_matted(frame, matte)[..., :3]), "RGB")
            indices = np.array(colours.quantize(palette=palette, dither=Image.Dither.NONE))
            indices[frame[..., 3] < ALPHA_SEEN] = CLEAR
            return indices

        colours = bytes([*palette.getpalette()[: CLEAR * 3], *bytes(3 * 256)][: 256 * 3])  # type: ignore[index]
        drawn = map(indexed, frames(range(count)))
        write_gif(file, drawn, colours, gif_durations(count, fps))


def _thinned(frame: Stored) -> Stored:
    """Enough of a frame's pixels to choose colours by."""
    step = -(-len(frame) // _PALETTE_PIXELS)
    return np.ascontiguousarray(frame[::step, ::step])


def gif_durations(count: int, fps: float) -> list[int]:
    """Milliseconds of each frame in the hundredths of a second that a GIF can say.

    Each ends where it should, to the hundredth, so that the whole does not drift; but none is
    shorter than 20 ms, which viewers slow down.
    """
    ends = np.rint(np.arange(count + 1) * 100 / fps).astype(int)
    return [max(20, 10 * int(length)) for length in np.diff(ends)]


def _matted(frame: Stored, matte: str) -> Stored:
    """What is seen of a frame, on the matte; the rest of it is the matte's colour."""
    page = Image.new("RGBA", (frame.shape[1], frame.shape[0]), matte)
    page.alpha_composite(Image.fromarray(frame, "RGBA"))
    return np.array(page)


def _write_video(
    path: Path, frames: Frames, count: int, fps: float, matte: str, sound: Path | None
) -> None:
    suffix = path.suffix.lower()
    with replacing(path) as temporary:
        pictures = iter(frames(range(count)))
        first = next(pictures)
        if first.shape[0] % 2 or first.shape[1] % 2:
            raise InputError(
                f"{path}: {first.shape[1]} pixels; a video's sides are even: change --size"
            )
        has_alpha = suffix == ".webm" and bool((first[..., 3] < 255).any())
        try:
            with av.open(str(temporary), "w", format=suffix[1:]) as container:
                stream = _stream(container, suffix, fps, first, has_alpha)
                track = Soundtrack(container, sound) if sound else None
                for number, picture in enumerate(chain([first], pictures), 1):
                    shown = picture if has_alpha else _matted(picture, matte)
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, "rgba")))
                    if track:
                        track.mux_until(number / fps)
                container.mux(stream.encode())
                if track:
                    track.finish()
        except FFmpegError as error:
            raise InputError(f"{path}: cannot be encoded ({error})") from error


def _stream(
    container: av.container.OutputContainer, suffix: str, fps: float, frame: Stored, has_alpha: bool
) -> VideoStream:
    codec = next(name for name in _VIDEO_CODECS[suffix] if name in av.codecs_available)
    stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
    assert isinstance(stream, VideoStream)
    stream.height, stream.width = frame.shape[:2]
    stream.pix_fmt = "yuva420p" if has_alpha else "yuv420p"
    # Without auto-alt-ref=0 VP9 drops the alpha.
    options: dict[str, Mapping[str, str]] = {
        "libvpx-vp9": {"auto-alt-ref": "0", "crf": "22", "b": "0", "cpu-used": "4"},
        "libx264": {"crf": "18", "preset": "medium", "movflags": "+faststart"},
        "mpeg4": {"q": "3"},
    }
    stream.options = dict(options[codec])
    return stream


WRITERS: Mapping[str, Callable[[Path, Frames, int, float, str], None]] = {
    "": _write_folder,
    ".gif": _write_gif,
    ".png": _write_apng,
    ".apng": _write_apng,
    ".webp": _write_webp,
}
