"""Sounds of a voice whose every moment is known, and files of them."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE = 16_000
A, I, U = (800.0, 1200.0), (280.0, 2300.0), (300.0, 750.0)  # noqa: E741  # the vowels' names
"""First and second formant, Hz."""

F32 = npt.NDArray[np.float32]


def vowel(formants: tuple[float, float], seconds: float, pitch: float = 120.0) -> F32:
    """Harmonics of a pitch, higher ones weaker, under two resonances, at half of full scale."""
    time = np.arange(round(seconds * RATE)) / RATE
    sound = np.zeros(len(time))
    for harmonic in np.arange(pitch, 4000, pitch):
        gain = sum(1 / (1 + ((harmonic - one) / 90.0) ** 2) for one in formants)
        sound += gain / harmonic * np.sin(2 * np.pi * harmonic * time)
    return np.asarray(0.5 * sound / np.abs(sound).max(), np.float32)


def silence(seconds: float) -> F32:
    """Zeros."""
    return np.zeros(round(seconds * RATE), np.float32)


def hiss(seconds: float) -> F32:
    """Noise above 4 kHz, as loud as a vowel: an s."""
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(7).standard_normal(count))
    spectrum[np.fft.rfftfreq(count, 1 / RATE) < 4500] = 0
    sound = np.fft.irfft(spectrum, count)
    return np.asarray(0.5 * sound / np.abs(sound).max(), np.float32)


def write_wav(path: Path, sound: F32, rate: int = RATE) -> Path:
    """16 bits, one channel."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return path
