"""What drives a drawing by a voice: one that is heard now, or a sound that the page plays."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from animate.motion.motion import NEUTRAL, Motion, built_in
from animate.serve.driver import LIVE_FPS
from contract.easing import smoothstep
from contract.pose import Pose, pose_from_vector

_SOFT_SECONDS = 0.4
_SILENT_SECONDS = 0.25  # without samples for so long nobody speaks
_IDLE_SECONDS = 60.0
_STRESS_FAST, _STRESS_SLOW = 0.1, 0.6  # seconds: a syllable, and what it stands out from
_DIP = -0.4  # head_x of a syllable that stands out wholly
_LEAD_SECONDS = 0.05  # about what a picture takes to be drawn and shown
_JUMP_SECONDS = 0.3  # off from where a sound should be by now: somebody has moved it


class Softly:
    """A source that begins, jumps and ends softly: from where it was to what is wanted."""

    def __init__(self, name: str, wanted: Callable[[float], Pose], start: Pose, now: float) -> None:
        """wanted: the pose at a time, seconds of ``time.monotonic``; start: the pose ``now``."""
        self.name = name
        self._wanted = wanted
        self.begin(start, now)
        self._off = math.inf
        self._is_at_rest = False

    def begin(self, start: Pose, now: float) -> None:
        """See ``animate.serve.driver.Voice``."""
        self._from, self._since = start, now

    def jump(self, now: float) -> None:
        """From now on something else is wanted."""
        self.begin(self._at(now), now)

    def turn_off(self, now: float) -> None:
        """It comes to rest, then to its end."""
        self.jump(now)
        self._off = now

    def pose(self, now: float) -> Pose | None:
        """As ``animate.serve.driver.Source``; the last is rest itself, however rarely asked."""
        if self._is_at_rest:
            return None
        self._is_at_rest = now - self._off > _SOFT_SECONDS
        return self._at(now)

    def _at(self, now: float) -> Pose:
        wanted = NEUTRAL if now >= self._off else self._wanted(now)
        share = min(1.0, max(0.0, (now - self._since) / _SOFT_SECONDS))
        return _between(self._from, wanted, smoothstep(share))


def _between(first: Pose, second: Pose, share: float) -> Pose:
    from_, to = (np.array([*vars(pose).values()]) for pose in (first, second))
    between = from_ + share * (to - from_)
    return pose_from_vector(np.clip(between, np.minimum(from_, to), np.maximum(from_, to)))


class Talking:
    """A mouth as it is heard, eyes that blink, a head that sways and dips at syllables."""

    def __init__(self, began: float, seed: int = 0) -> None:
        """began: seconds of ``time.monotonic``."""
        self._idle, self._began = built_in("idle", _IDLE_SECONDS, LIVE_FPS, seed), began
        self._mouth, self._heard = 0.0, began
        self._fast = self._slow = 0.0

    def take(self, now: float, mouth: float) -> None:
        """How wide the mouth is open ``now``, in [0, 1]."""
        step = max(0.0, now - self._heard)
        self._fast += (1 - math.exp(-step / _STRESS_FAST)) * (mouth - self._fast)
        self._slow += (1 - math.exp(-step / _STRESS_SLOW)) * (mouth - self._slow)
        self._mouth, self._heard = mouth, now

    def pose(self, now: float) -> Pose:
        """The pose at ``now``; the mouth is shut where nothing is heard any more."""
        frame = int((now - self._began) * LIVE_FPS) % len(self._idle.poses)
        idle = self._idle.pose(frame)
        if now - self._heard > _SILENT_SECONDS:
            return replace(idle, mouth=0.0)
        dip = _DIP * max(0.0, self._fast - self._slow)
        return replace(idle, mouth=self._mouth, head_x=max(-1.0, idle.head_x + dip))


class Playback:
    """The motion of a sound that somebody else plays, and says where it is."""

    def __init__(self, motion: Motion) -> None:
        self._motion = motion
        self._at, self._told, self._is_playing = 0.0, 0.0, False

    def is_jump(self, now: float, seconds: float, is_playing: bool) -> bool:
        """Whether that is not where the sound should be by now."""
        by_now = self._at + (now - self._told) * self._is_playing
        return is_playing != self._is_playing or abs(by_now - seconds) > _JUMP_SECONDS

    def take(self, now: float, seconds: float, is_playing: bool) -> None:
        """The sound is at ``seconds`` ``now``."""
        self._at, self._told, self._is_playing = seconds, now, is_playing

    def pose(self, now: float) -> Pose:
        """The pose at ``now``, between those of two frames; at rest while nothing is played."""
        at = self._at + now - self._told + _LEAD_SECONDS
        place = at * self._motion.fps - 0.5  # a frame is as in its middle
        if not self._is_playing or place > len(self._motion.poses):
            return NEUTRAL
        last = len(self._motion.poses) - 1
        first = min(last, max(0, math.floor(place)))
        second = min(last, first + 1)
        share = min(1.0, max(0.0, place - first))
        return _between(self._motion.pose(first), self._motion.pose(second), share)
