"""Which tracker is heard, and where: ``vmc``, ``vmc:39539`` or ``vmc:0.0.0.0:39539``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from animate.listen.ifacialmocap import GREETING, IFacialMocapDecoder
from animate.listen.open_see_face import OpenSeeFaceDecoder
from animate.listen.packet import Decoder
from animate.listen.vmc import VmcDecoder
from contract.errors import InputError

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Tracker:
    """A protocol: the port that its senders know, and its decoder.

    shows_a_person: measures are those of a person before a camera, whom a drawing mirrors; else of
    an avatar, which it copies. greeting: what makes a sender begin that waits to be asked.
    """

    port: int
    make_decoder: Callable[[], Decoder]
    shows_a_person: bool
    greeting: bytes = b""


TRACKERS: Mapping[str, Tracker] = {
    "vmc": Tracker(39539, VmcDecoder, shows_a_person=False),
    "openseeface": Tracker(11573, OpenSeeFaceDecoder, shows_a_person=True),
    "ifacialmocap": Tracker(49983, IFacialMocapDecoder, shows_a_person=True, greeting=GREETING),
}
"""By the names that addresses have."""


@dataclass(frozen=True)
class Address:
    """Where a tracker's packets are taken: this machine alone, unless ``host`` says otherwise."""

    tracker: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.tracker}:{host}:{self.port}"


def parse_address(text: str) -> Address:
    """An address as people write it: the tracker, then host and port where they are not the usual.

    Raises:
        InputError: no such tracker, or no such port.
    """
    name, _, rest = text.partition(":")
    if name not in TRACKERS:
        raise InputError(f"{text}: no tracker is called {name!r}; give {', '.join(TRACKERS)}")
    host, _, port = rest.rpartition(":")
    port = port or str(TRACKERS[name].port)
    # isascii, for there are digits that int() reads and nobody means.
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise InputError(f"{text}: {port!r} is no port; write {name}:{TRACKERS[name].port}")
    return Address(name, host.removeprefix("[").removesuffix("]") or LOOPBACK, int(port[:6]))
