"""A person's measures as poses without jitter, without lag, and without holes.

Of a recording, all at once; live, one by one as they come.
"""

from __future__ import annotations

import math

import numpy as np

from animate.motion.motion import NEUTRAL
from animate.track.calibration import Calibration, calibrate, poses
from animate.track.face_measures import F64, Measures
from animate.track.reach import Reach
from contract.easing import smoothstep
from contract.pose import AXES, Pose, pose_from_vector

CALIBRATION_SECONDS = 3.0
"""How much of the beginning a calibration looks at, unless another is said."""
_SILENT_SECONDS = 0.25  # without measures for so long nobody is seen
_LOW, _HIGH = (np.array([getattr(axis, end) for axis in AXES]) for end in ("low", "high"))
HOLD_SECONDS, RETURN_SECONDS = 0.4, 0.8
AT_REST: F64 = NEUTRAL.to_vector().astype(np.float64)

# Hz at rest, and how much of it more per unit a second: lids and lips are quick, heads are not.
_LEAST_CUTOFF = np.array([1.5, 1.5, 1.5, 5.0, 5.0, 5.0])
_CUTOFF_PER_SPEED = np.array([1.5, 1.5, 1.5, 4.0, 4.0, 4.0])
_SPEED_CUTOFF = 8.0


class Follower:
    """Calibrates itself in the first seconds with a face, unless it is given a calibration.

    Until then it goes by what it has seen so far; from then on it learns how far this person's
    mouth opens and lids shut (``animate.track.reach``). Used by one thread at a time.
    """

    def __init__(
        self,
        calibration: Calibration | None = None,
        *,
        mirrored: bool,
        calibration_seconds: float = CALIBRATION_SECONDS,
    ) -> None:
        """mirrored: see ``animate.track.calibration.poses``."""
        self.calibration = calibration
        self.is_calibrated = calibration is not None
        self._reach = Reach(calibration) if calibration else None
        self._mirrored = mirrored
        self._lookback = calibration_seconds
        self._looked_at: list[tuple[float, F64]] = []
        self._face, self._seen = AT_REST, -math.inf
        self._measured = -math.inf
        self._one_euro: OneEuro | None = None
        self._pose = AT_REST

    def recalibrate(self) -> None:
        """Make a new calibration of the next seconds with a face."""
        self.is_calibrated, self._looked_at = False, []
        self._reach = None

    def take(self, seconds: float, measures: F64) -> None:
        """What was measured (6,) at ``seconds``, later than what was before; NaN without a face."""
        self._measured = seconds
        if np.isnan(measures).any():
            self._step(seconds, held(self._face, seconds - self._seen))
            return
        if not self.is_calibrated:
            self._look(seconds, measures)
        if self._reach:
            self.calibration = self._reach.take(seconds, measures)
        assert self.calibration
        row = Measures(np.array([seconds]), measures[None])
        self._face = poses(row, self.calibration, mirrored=self._mirrored)[0]
        self._seen = seconds
        self._step(seconds, self._face)

    def _look(self, seconds: float, measures: F64) -> None:
        self._looked_at.append((seconds, measures))
        at, values = zip(*self._looked_at, strict=True)
        self.calibration = calibrate(Measures(np.array(at), np.array(values)), math.inf)
        if seconds - at[0] >= self._lookback:
            self.is_calibrated, self._looked_at = True, []
            self._reach = Reach(self.calibration)

    def _step(self, seconds: float, pose: F64) -> None:
        if self._one_euro is None:
            self._one_euro, self._pose = OneEuro(seconds, pose), pose
        else:
            self._pose = self._one_euro.step(seconds, pose)

    def pose(self, now: float) -> Pose:
        """The pose at ``now``; on its way to rest where no measures come any more."""
        if now - self._measured > _SILENT_SECONDS:
            self._step(now, held(self._face, now - self._seen))
        return pose_from_vector(np.clip(self._pose, _LOW, _HIGH))


def filled(seconds: F64, poses: F64) -> F64:
    """Poses where frames without a face (NaN) hold the last one, then return to neutral."""
    made = poses.copy()
    last, seen = AT_REST, -math.inf
    for frame, (now, pose) in enumerate(zip(seconds, poses, strict=True)):
        if np.isnan(pose).any():
            made[frame] = held(last, float(now) - seen)
        else:
            last, seen = pose, float(now)
    return made


def held(last: F64, unseen: float) -> F64:
    """The pose (6,) of a face that was last seen ``unseen`` seconds ago, at ``last`` (6,)."""
    share = min(1.0, max(0.0, (unseen - HOLD_SECONDS) / RETURN_SECONDS))
    pose: F64 = last + smoothstep(share) * (AT_REST - last)
    return pose


class OneEuro:
    """The one-euro filter: slow values are smoothed most, quick ones hardly at all.

    Source: Casiez, Roussel and Vogel, "1 Euro Filter", CHI 2012; each step by its own length.
    """

    def __init__(self, seconds: float, pose: F64) -> None:
        """It begins with a pose (6,), which is taken as it is."""
        self._seconds, self._pose = seconds, pose
        self._speed = np.zeros(len(pose))

    def step(self, seconds: float, pose: F64) -> F64:
        """The smoothed pose (6,) at ``seconds``, where ``pose`` was measured."""
        step = max(seconds - self._seconds, 1e-3)
        change = (pose - self._pose) / step
        self._speed = self._speed + _share(np.array(_SPEED_CUTOFF), step) * (change - self._speed)
        cutoff = _LEAST_CUTOFF + _CUTOFF_PER_SPEED * np.abs(self._speed)
        self._pose = self._pose + _share(cutoff, step) * (pose - self._pose)
        self._seconds = seconds
        return self._pose


def smoothed(seconds: F64, poses: F64) -> F64:
    """Poses (frames, 6) as ``OneEuro`` smooths them, one after another."""
    one_euro = OneEuro(float(seconds[0]), poses[0])
    steps = [
        one_euro.step(float(now), pose) for now, pose in zip(seconds[1:], poses[1:], strict=True)
    ]
    return np.array([poses[0], *steps])


def _share(cutoff: F64, step: float) -> F64:
    """How much of a new value an exponential filter of that cutoff (Hz) takes."""
    turn = 2 * math.pi * cutoff * step
    share: F64 = turn / (1 + turn)
    return share
