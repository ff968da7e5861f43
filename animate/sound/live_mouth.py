"""A microphone's samples as they come -> how wide the mouth is open now."""

from __future__ import annotations

import numpy as np
from av import AudioFrame, AudioResampler

from animate.sound.sound_file import LEAST_RATE, MOST_RATE
from animate.sound.voice import F32, RATE, STEP, Ear, Voice, mouth_track
from contract.errors import InputError

_REMEMBERED_SECONDS = 10.0  # of what the voice's level and its noise are known from
_MOMENTS = round(_REMEMBERED_SECONDS / STEP)


class LiveMouth:
    """Hears one voice; it knows its level better the longer it has heard it."""

    def __init__(self, rate: int = RATE) -> None:
        """rate: samples a second of what it will hear.

        Raises:
            InputError: that is no sound's.
        """
        if not LEAST_RATE <= rate <= MOST_RATE:
            raise InputError(f"{rate} samples a second; {LEAST_RATE} to {MOST_RATE} are heard")
        self._rate = rate
        self._resampler = AudioResampler(format="flt", layout="mono", rate=RATE)
        self._ear = Ear()
        self._heard = Voice(*np.empty((3, 0)))

    def hear(self, samples: F32) -> float:
        """The mouth in [0, 1] after these samples, in [-1, 1] at the rate that was said.

        Some 30 ms behind them; parts of 10 to 50 ms are of use.
        """
        new, old = self._ear.take(self._resampled(samples)), self._heard
        self._heard = Voice(
            np.append(old.loudness, new.loudness)[-_MOMENTS:],
            np.append(old.jaw, new.jaw)[-_MOMENTS:],
            np.append(old.hiss, new.hiss)[-_MOMENTS:],
        )
        return float(mouth_track(self._heard)[-1]) if len(self._heard.loudness) else 0.0

    def _resampled(self, samples: F32) -> F32:
        if self._rate == RATE or not len(samples):
            return samples
        frame = AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.sample_rate = self._rate
        pieces = [piece.to_ndarray()[0] for piece in self._resampler.resample(frame)]
        return np.concatenate([np.empty(0, np.float32), *pieces])
