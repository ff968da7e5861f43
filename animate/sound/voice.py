"""What a voice does from one hundredth of a second to the next, and how wide its mouth is open.

Loudness says that there is a voice. Of vowels the first formant says how far the jaw is down: near
300 Hz for i and u, near 800 for a; so the mouth is the wider the more of a sound lies above 500 Hz.
Hiss (s, sh, f) lies above 4 kHz and is made with the teeth together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from animate.sound.sound_file import pieces

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

RATE = 16_000
"""Samples a second of what is listened to."""
STEP = 0.01
"""Seconds from one moment that is listened to to the next."""
_HOP, _WINDOW = round(RATE * STEP), 512
_AT_ONCE = 4096  # moments; bounds the memory that spectra take
_GATHERED = 8 * RATE  # samples
_MOST_MOMENTS = 1 << 40
_FEATURES = ("loudness", "jaw", "hiss")

# Hz. The voice; of its vowels the jaw's part and the rest; hiss.
_VOICE, _LOW, _JAW, _HISS = (100, 4000), (80, 500), (500, 1500), (4000, 8000)
_LEAST_DB = -120.0
_SILENT_DB = -60.0  # of full scale: all of a file below this is silence
_ACTIVE_DB = 35.0  # below the loudest: still the voice
_RANGE_DB = 25.0  # from a loud vowel down to a shut mouth
_FULL_DB = 4.0  # below a loud vowel: still wide
_ABOVE_NOISE_DB = 6.0
_SHUT_JAW_DB, _WIDE_JAW_DB = -16.0, 8.0
_LEAST_JAW = 0.3  # of the mouth for i and u
_SOFT_HISS, _SHARP_HISS = 0.3, 0.8
_HISS_SHUTS = 0.8
_SMOOTHING = 0.025  # seconds, of a bell: lips are about as slow


@dataclass(frozen=True)
class Voice:
    """Of each moment, ``STEP`` seconds apart, (n,) each.

    loudness: dB of full scale in the voice's band. jaw: dB by which what lies above 500 Hz is
    louder than what lies below. hiss: its share of all, in [0, 1].
    """

    loudness: F64
    jaw: F64
    hiss: F64

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.loudness) * STEP

    @property
    def is_silent(self) -> bool:
        """Whether nothing can be heard in all of it."""
        return bool(self.loudness.max() < _SILENT_DB)


def read_voice(path: Path, seconds: float) -> Voice:
    """What is heard in the first ``seconds`` of a file; it is never in memory as a whole.

    Raises:
        InputError: it holds no sound (see ``animate.sound.sound_file.pieces``).
    """
    return heard(_until(path, round(min(seconds * RATE, 2.0**62))))


def _until(path: Path, samples: int) -> Iterator[F32]:
    for piece in pieces(path, RATE, "mono", "flt"):
        part = np.asarray(piece.to_ndarray(), np.float32).reshape(-1)[:samples]
        samples -= len(part)
        yield part
        if samples <= 0:
            return


def heard(parts: Iterable[F32]) -> Voice:
    """What is heard in samples (any number a part) in [-1, 1] at ``RATE`` a second."""
    ear = Ear()
    voices = [*map(ear.take, _gathered(parts)), ear.rest()]
    columns = [np.concatenate([getattr(v, name) for v in voices]) for name in _FEATURES]
    return Voice(*columns)


def _gathered(parts: Iterable[F32]) -> Iterator[F32]:
    """The same samples in parts of some seconds: many small ones cost more than what is in them."""
    waiting: list[F32] = []
    samples = 0
    for part in parts:
        waiting.append(part)
        samples += len(part)
        if samples >= _GATHERED:
            yield np.concatenate(waiting)
            waiting, samples = [], 0
    if waiting:
        yield np.concatenate(waiting)


class Ear:
    """Hears samples as they come; each moment once the samples after it are there as well."""

    def __init__(self) -> None:
        # The window of a moment lies around it; before the first is silence.
        self._kept = np.zeros(_WINDOW // 2, np.float32)
        self._samples = self._moments = 0

    def take(self, part: F32) -> Voice:
        """The moments that are complete with these samples; there may be none."""
        self._samples += len(part)
        finite = np.nan_to_num(part, nan=0.0, posinf=0.0, neginf=0.0)
        return self._complete(np.concatenate([self._kept, finite]), _MOST_MOMENTS)

    def rest(self) -> Voice:
        """The moments that are left, one at least in all; after the last sample is silence."""
        wanted = max(1, -(-self._samples // _HOP)) - self._moments
        return self._complete(np.append(self._kept, np.zeros(_WINDOW, np.float32)), wanted)

    def _complete(self, samples: F32, most: int) -> Voice:
        moments = min(most, max(0, (len(samples) - _WINDOW) // _HOP + 1))
        rows = [
            _measured(samples[first * _HOP :], min(_AT_ONCE, moments - first))
            for first in range(0, moments, _AT_ONCE)
        ]
        self._kept = samples[moments * _HOP :]
        self._moments += moments
        return Voice(*np.concatenate([np.empty((0, 3)), *rows]).T)


_WEIGHTS = np.hanning(_WINDOW).astype(np.float32)
_FREQUENCIES = np.fft.rfftfreq(_WINDOW, 1 / RATE)


def _measured(samples: F32, count: int) -> F64:
    """Loudness, jaw and hiss (count, 3) of the windows that begin ``_HOP`` samples apart."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP][:count]
    power = np.abs(np.fft.rfft(windows * _WEIGHTS, axis=1)) ** 2

    def energy(band: tuple[int, int]) -> F64:
        """Of a band: mean square, so that a sine of full scale has one half."""
        first, last = np.searchsorted(_FREQUENCIES, band)
        of_band: F64 = power[:, first:last].sum(axis=1, dtype=np.float64)
        return 2 * of_band / (_WINDOW * float((_WEIGHTS**2).sum()))

    low, hiss, rest = energy(_LOW), energy(_HISS), energy((_LOW[0], _HISS[0]))
    quiet = 10 ** (_LEAST_DB / 10)
    jaw = _decibels((energy(_JAW) + quiet) / (low + quiet))
    return np.column_stack([_decibels(energy(_VOICE) + quiet), jaw, hiss / (hiss + rest + quiet)])


def _decibels(energy: F64) -> F64:
    of_energy: F64 = 10 * np.log10(energy)
    return of_energy


def presence(voice: Voice) -> F64:
    """How loud the voice is for itself, (n,): 0 in pauses, 1 in its loud vowels.

    Against the voice's own level and the noise it stands in, so the recording's level is free. A
    steady hum or noise is no voice.
    """
    if voice.is_silent:
        return np.zeros(len(voice.loudness))
    loudness = voice.loudness
    active = loudness[loudness > max(float(loudness.max()) - _ACTIVE_DB, _SILENT_DB)]
    loud = float(np.percentile(active, 80))
    noise = float(np.percentile(loudness, 10))
    shut = max(noise + _ABOVE_NOISE_DB, loud - _RANGE_DB)
    return _ramp(loudness, shut, max(loud - _FULL_DB, shut + 1.0))


def mouth_track(voice: Voice) -> F64:
    """How wide the mouth is open, (n,) in [0, 1] at the moments of ``voice``; 0 in pauses.

    Smoothed without lag, so it opens a little before the vowel is heard, as mouths do.
    """
    jaw = _LEAST_JAW + (1 - _LEAST_JAW) * _ramp(voice.jaw, _SHUT_JAW_DB, _WIDE_JAW_DB)
    teeth = 1 - _HISS_SHUTS * _ramp(voice.hiss, _SOFT_HISS, _SHARP_HISS)
    return bell(presence(voice) * jaw * teeth, _SMOOTHING)


def bell(values: F64, seconds: float) -> F64:
    """Values at the moments of a voice smoothed by a bell of that standard deviation."""
    smooth: F64 = ndimage.gaussian_filter1d(values, seconds / STEP, mode="nearest")
    return smooth


def _ramp(values: F64, low: float, high: float) -> F64:
    share: F64 = np.clip((values - low) / (high - low), 0, 1)
    return share
