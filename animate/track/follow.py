"""A person's measures as they come, one by one, as poses: what is done to a recording, live."""

from __future__ import annotations

import math

import numpy as np

from animate.track.calibration import Calibration, calibrate, poses
from animate.track.face_measures import F64, Measures
from animate.track.reach import Reach
from animate.track.smoothing import AT_REST, OneEuro, held
from contract.pose import AXES, Pose, pose_from_vector

CALIBRATION_SECONDS = 3.0
"""How much of the beginning a calibration looks at, unless another is said."""
_SILENT_SECONDS = 0.25  # without measures for so long nobody is seen
_LOW, _HIGH = (np.array([getattr(axis, end) for axis in AXES]) for end in ("low", "high"))


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
