"""A tracker that is heard, as a source of poses; the newest wins."""

from __future__ import annotations

from animate.listen.address import TRACKERS, Address
from animate.listen.listener import Listener
from animate.track.calibration import Calibration
from animate.track.follow import Follower
from contract.pose import Pose


class LiveTracker:
    """Asked as often as one likes, by one thread; the listener's own thread hears meanwhile."""

    def __init__(
        self,
        listener: Listener,
        address: Address,
        calibration: Calibration | None = None,
        *,
        mirrored: bool | None = None,
    ) -> None:
        """mirrored: None mirrors a person and copies an avatar."""
        if mirrored is None:
            mirrored = TRACKERS[address.tracker].shows_a_person
        self.name = str(address)
        self.follower = Follower(calibration, mirrored=mirrored)
        self._listener = listener
        self._taken = 0

    def pose(self, now: float) -> Pose:
        """The pose at ``now`` (seconds of ``time.monotonic``); at rest where nothing is heard."""
        heard = self._listener.newest()
        if heard and heard.number > self._taken:
            self._taken = heard.number
            self.follower.take(heard.seconds, heard.measures)
        return self.follower.pose(now)
