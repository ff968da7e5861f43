"""Packets of trackers: a file is the tracker's name, a line end, and a packet."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from contract.errors import InputError
from tests.support.fuzzing.mutation import Rng, any_number, anywhere
from tests.support.fuzzing.target import Seed, Target


def _packets(_folder: Path) -> list[Seed]:
    given = ((name, packet) for name, packets in _sound_packets().items() for packet in packets)
    return [Seed(name.encode() + b"\n" + packet, (in_packet, in_packet)) for name, packet in given]


@cache
def _sound_packets() -> Mapping[str, tuple[bytes, ...]]:
    from tests.support.tracker_packets import mocap, osc, see_face, turn, vmc_bone, vmc_frame

    seen = turn(10, 20, 5)
    weights = {"eyeBlink_L": 30, "jawOpen": 60}
    return {
        "vmc": (
            vmc_frame(seen, Blink_L=0.5, A=0.7),
            vmc_bone("Head", seen),
            osc("/VMC/Ext/OK", 1, 3, 0, 1),
        ),
        "openseeface": (see_face((0.1, 0.2, 0.0, 0.97), left_open=0.2, lips=12),),
        "ifacialmocap": (mocap(3, 4, 5, weights, "-"), mocap(3, 4, 5, weights, "&")),
    }


def in_packet(rng: Rng, data: bytes) -> bytes:
    """The packet changed: its bytes, or its numbers in either order of bytes."""
    name, _, packet = data.partition(b"\n")
    if rng.random() < 0.4:
        packet = anywhere(rng, packet)
    else:
        packet = any_number(rng, packet)
        if rng.random() < 0.5 and len(packet) >= 4:
            at = int(rng.integers(len(packet) // 4)) * 4  # OSC's numbers
            packet = packet[:at] + packet[at : at + 4][::-1] + packet[at + 4 :]
    return name + b"\n" + packet


def _read_packet(path: Path) -> None:
    """Between sound ones; one that is refused changes nothing."""
    from animate.listen.address import TRACKERS
    from animate.listen.packet import PacketError

    name, _, packet = path.read_bytes().partition(b"\n")
    kind = name.decode()
    decoder, (sound, *_) = TRACKERS[kind].make_decoder(), _sound_packets()[kind]
    before = decoder.take(sound)
    try:
        with np.errstate(all="raise", under="ignore"):
            said = decoder.take(packet)
    except PacketError as error:
        after = decoder.take(sound)
        assert before is not None
        assert after is not None
        assert np.array_equal(before, after, equal_nan=True), "it was remembered"
        raise InputError(f"{kind}: {error}") from error
    if said is not None:
        assert said.shape == (6,), "other measures"
        assert np.isfinite(said).all() or np.isnan(said).all(), "half a face"


TARGETS: Mapping[str, Target] = {
    "packets": Target("packet.bin", _packets, _read_packet),
}
