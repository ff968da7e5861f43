"""A microphone's samples as they come -> how wide the mouth is open now."""

from __future__ import annotations

import numpy as np

from animate.sound.voice import F32, STEP, Ear, Voice, mouth_track

_REMEMBERED_SECONDS = 10.0  # of what the voice's level and its noise are known from
_MOMENTS = round(_REMEMBERED_SECONDS / STEP)


class LiveMouth:
    """Hears one voice; it knows its level better the longer it has heard it."""

    def __init__(self) -> None:
        self._ear = Ear()
        self._heard = Voice(*np.empty((3, 0)))

    def hear(self, samples: F32) -> float:
        """The mouth in [0, 1] after these samples, in [-1, 1] at ``animate.sound.voice.RATE``.

        Some 30 ms behind them; parts of 10 to 50 ms are of use.
        """
        new, old = self._ear.take(samples), self._heard
        self._heard = Voice(
            np.append(old.loudness, new.loudness)[-_MOMENTS:],
            np.append(old.jaw, new.jaw)[-_MOMENTS:],
            np.append(old.hiss, new.hiss)[-_MOMENTS:],
        )
        return float(mouth_track(self._heard)[-1]) if len(self._heard.loudness) else 0.0
