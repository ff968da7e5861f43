"""What poses a drawing: its sliders, and over them whatever gives poses by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from animate.motion.motion import NEUTRAL, built_in
from contract.errors import InputError
from contract.pose import AXIS_NAMES, Pose

LIVE_FPS = 60.0


class Source(Protocol):
    """Gives poses by itself: a motion, a camera, another program."""

    @property
    def name(self) -> str:
        """What people call it."""

    def pose(self, now: float) -> Pose | None:
        """The pose at ``now`` (seconds of ``time.monotonic``); None when it has come to its end."""


class Voice(Source, Protocol):
    """A source that may begin anew, softly, when the face beside it has gone."""

    def begin(self, start: Pose, now: float) -> None:
        """From ``start`` at ``now`` on to what it gives by itself."""


class Playing:
    """A built-in motion, again and again.

    Raises:
        InputError: there is no such motion.
    """

    def __init__(self, name: str, began: float) -> None:
        self.name = name
        self._motion, self._began = built_in(name, 0, LIVE_FPS), began

    def pose(self, now: float) -> Pose:
        """See ``Source``."""
        frame = int((now - self._began) * LIVE_FPS)
        return self._motion.pose(frame % len(self._motion.poses))


@dataclass(frozen=True)
class Moment:
    """``source``: the name of what drives, None for sliders; ``held``: the axes they keep."""

    pose: Pose
    source: str | None
    held: frozenset[str]


class Driver:
    """The pose of one drawing at any time; ``changed`` is set when it may have become another.

    While a source drives, the sliders follow it, all but those that are held. A face and a voice
    drive together: then the mouth is the voice's, and all else the face's.
    """

    def __init__(self, usual: Source | None = None) -> None:
        """usual: what drives where nothing else does."""
        self._usual = usual
        self._sliders = NEUTRAL
        self._held: frozenset[str] = frozenset()
        self._source = usual
        self._face: Source | None = None
        self._voice: Voice | None = None
        self.changed = asyncio.Event()

    @property
    def source(self) -> Source | None:
        """What drives, None for the sliders alone; where two do, the face."""
        return self._source

    def is_driven_by(self, source: Source) -> bool:
        """Whether that drives, alone or beside another."""
        return source in (self._source, self._voice)

    def moment(self, now: float) -> Moment:
        """All there is to say of ``now`` (seconds of ``time.monotonic``)."""
        pose = self.pose(now)
        names = dict.fromkeys(one.name for one in (self._source, self._voice) if one)
        return Moment(pose, " and ".join(names) or None, self._held)

    def pose(self, now: float) -> Pose:
        """The pose at ``now`` (seconds of ``time.monotonic``)."""
        given = self._given(now)
        if given is None:
            self._source, given, self._held = self._usual, self._sliders, frozenset()
            self._face = self._voice = None
        elif self._source:
            kept = {name: getattr(self._sliders, name) for name in self._held}
            # Where the sliders are when the source ends: nothing jumps then.
            given = self._sliders = Pose(**{**vars(given), **kept})
        return given

    def _given(self, now: float) -> Pose | None:
        given = self._source.pose(now) if self._source else self._sliders
        if self._voice is None or self._voice is self._source:
            return given
        if given is None:  # the face has gone
            self._source, self._face = self._voice, None
            self._voice.begin(self._sliders, now)
            return self._voice.pose(now)
        spoken = self._voice.pose(now)
        if spoken is None:
            self._voice = None
        return replace(given, mouth=spoken.mouth) if spoken else given

    def slide(self, pose: Pose) -> None:
        """Put the sliders somewhere; while a source drives, only those that are held matter."""
        self._sliders = pose
        self.changed.set()

    def hold(self, names: Iterable[str]) -> None:
        """Hold these axes and no others; ``InputError`` where one is none."""
        held = frozenset(names)
        if not held <= {*AXIS_NAMES}:
            raise InputError(f"held: no such axis; the axes are {', '.join(AXIS_NAMES)}")
        self._held = held
        self.changed.set()

    def follow(self, source: Source | None) -> None:
        """Let another source drive; none: the usual one, else the drawing stays as it is."""
        self.pose(time.monotonic())
        self._source = source or self._usual
        self._face = self._voice = None
        self._held = frozenset()
        self.changed.set()

    def follow_face(self, face: Source) -> None:
        """Let a person's face drive; a voice that drives keeps the mouth."""
        voice = self._voice
        self.follow(face)
        self._face, self._voice = face, voice

    def follow_voice(self, voice: Voice) -> None:
        """Let a person's voice drive: the mouth alone where a face is followed, else all."""
        if self._face is None:
            self.follow(voice)
        self._voice = voice
        self.changed.set()
