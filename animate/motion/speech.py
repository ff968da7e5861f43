"""A voice as a motion: the mouth that speaks it, and a head and eyes that go with it.

The idle motion lies under it. In time with the speech the head dips at stressed syllables and takes
another posture at each phrase, and eyes that would blink soon blink where a phrase ends.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from animate.motion.motion import (
    BLINK_SECONDS,
    MAX_FRAMES,
    MOTIONS,
    Motion,
    blink_starts,
    blinks,
    poses_of_tracks,
)
from animate.sound.voice import F64, STEP, Voice, bell, mouth_track, presence, read_voice
from contract.errors import InputError

Phrases = npt.NDArray[np.int64]

_SPOKEN = 0.15  # of presence: more is speech
_SHORTEST_PAUSE, _SHORTEST_PHRASE = 0.3, 0.1  # seconds
_STRESS_FAST, _STRESS_SLOW = 0.1, 0.6  # seconds: a syllable, and what it stands out from
_DIP = -0.5  # head_x of a stress that stands out wholly
_POSTURES = {"head_y": 0.3, "neck_z": 0.2}  # the furthest from straight
_POSTURE_SMOOTHING = 0.18  # seconds
_POSTURE_HOLD = 0.8  # seconds into a pause, then straight again
_BLINK_PULL = 0.7  # seconds: a phrase's end so near draws a blink to it


def speech_motion(
    path: Path,
    fps: float,
    rng: np.random.Generator,
    seconds: float,
    remedy: str = "cut it by --seconds, or lower --fps",
) -> Motion:
    """The motion of the voice in a file (the first ``seconds`` of it; 0: all).

    remedy: of a sound that is too long.

    Raises:
        InputError: it holds no sound, or more than a motion may be long.
    """
    longest = MAX_FRAMES / fps
    voice = read_voice(path, min(seconds or math.inf, longest + 1))
    if voice.seconds > longest:
        raise InputError(
            f"{path}: longer than {longest:.0f} s, which are {MAX_FRAMES} frames at {fps:g} a "
            f"second; {remedy}"
        )
    note = f"{path}: nothing is heard in it; the mouth stays closed"
    return motion_of_voice(voice, fps, rng, (note,) if voice.is_silent else ())


def motion_of_voice(
    voice: Voice, fps: float, rng: np.random.Generator, notes: tuple[str, ...] = ()
) -> Motion:
    """As long as the voice; each frame as in its middle."""
    frames = max(1, round(voice.seconds * fps))
    time = np.arange(frames) / fps
    loud = presence(voice)
    phrases = phrases_of(loud)
    idle, _ = MOTIONS["idle"]
    tracks = dict(idle(time, frames / fps, rng))
    extra = {name: _postures(phrases, len(loud), most, rng) for name, most in _POSTURES.items()}
    extra["head_x"] = _DIP * _stress(loud)
    for name, values in extra.items():
        tracks[name] = tracks[name] + _sampled(values, time, fps)
    tracks["mouth"] = _sampled(mouth_track(voice), time, fps)
    starts = _drawn_to_ends(blink_starts(frames / fps, rng), phrases)
    whole = [start for start in starts if start < frames / fps - BLINK_SECONDS]
    tracks["left_eye"] = tracks["right_eye"] = blinks(time, frames / fps, whole)
    return Motion(fps, poses_of_tracks(frames, tracks), notes)


def _sampled(values: F64, time: F64, fps: float) -> F64:
    """Values of moments at the middles of frames."""
    at: F64 = np.interp(time + 0.5 / fps, (np.arange(len(values)) + 0.5) * STEP, values)
    return at


def phrases_of(loud: F64) -> Phrases:
    """First moment of each phrase, and the one after its last, (phrases, 2), of a ``presence``."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], loud > _SPOKEN, [False]]).astype(int)))
    runs = edges.reshape(-1, 2)
    if not len(runs):
        return runs
    apart = (runs[1:, 0] - runs[:-1, 1]) * STEP >= _SHORTEST_PAUSE
    starts = runs[np.concatenate([[True], apart]), 0]
    ends = runs[np.concatenate([apart, [True]]), 1]
    is_phrase = (ends - starts) * STEP >= _SHORTEST_PHRASE
    return np.column_stack([starts[is_phrase], ends[is_phrase]])


def _stress(loud: F64) -> F64:
    """How far each moment stands out from the speech around it, in [0, 1]."""
    stress: F64 = np.clip(bell(loud, _STRESS_FAST) - bell(loud, _STRESS_SLOW), 0, 1)
    return stress


def _postures(phrases: Phrases, moments: int, most: float, rng: np.random.Generator) -> F64:
    """A new place at each phrase, now to one side, now to the other."""
    places = np.zeros(moments)
    side = rng.choice([-1.0, 1.0])
    hold = round(_POSTURE_HOLD / STEP)
    following = np.append(phrases[:, 0], moments)[1:]
    for (start, end), next_start in zip(phrases, following, strict=True):
        places[start : min(end + hold, next_start)] = side * rng.uniform(0.3, 1.0) * most
        side = -side if rng.random() < 0.7 else side
    return bell(places, _POSTURE_SMOOTHING)


def _drawn_to_ends(starts: list[float], phrases: Phrases) -> list[float]:
    """Blinks, in seconds, at the nearest end of a phrase where one is near."""
    ends = phrases[:, 1] * STEP
    if not len(ends):
        return starts
    nearest = [float(ends[np.argmin(np.abs(ends - start))]) for start in starts]
    return [
        end if abs(end - start) < _BLINK_PULL else start
        for start, end in zip(starts, nearest, strict=True)
    ]
