"""Packets of other trackers: what they say of a face, and that no packet does harm."""

from __future__ import annotations

import math
import struct
import warnings

import numpy as np
import pytest

from animate.listen.ifacialmocap import IFacialMocapDecoder
from animate.listen.open_see_face import OpenSeeFaceDecoder
from animate.listen.packet import Decoder, PacketError, eyes_and_mouth, plain_name
from animate.listen.vmc import VmcDecoder, messages
from animate.track.face_measures import F64, MEASURES
from tests.support.tracker_packets import (
    bundle,
    mocap,
    osc,
    osc_text,
    see_face,
    see_face_quaternion,
    turn,
    vmc_bone,
    vmc_frame,
)

POSES = [(0, 0, 0), (10, 0, 0), (0, 12, 0), (0, 0, 14), (-8, 5, 9), (15, -15, -15)]


def in_axes(up: float, left: float, lean: float) -> F64:
    return np.array([up, left, lean]) / 15


def taken(decoder: Decoder, packet: bytes) -> F64:
    made = decoder.take(packet)
    assert made is not None
    return made


# OSC.


def test_the_specifications_own_examples_are_read() -> None:
    first = bytes.fromhex("2f6f7363 696c6c61 746f722f 342f6672 65717565 6e637900 2c660000 43dc0000")
    assert messages(first) == [("/oscillator/4/frequency", (440.0,))]
    second = bytes.fromhex(
        "2f666f6f 00000000 2c696973 66660000 000003e8 ffffffff 68656c6c 6f000000 3f9df3b6 40b5b22d"
    )
    ((address, values),) = messages(second)
    assert address == "/foo"
    assert values[:3] == (1000, -1, "hello")
    assert values[3:] == pytest.approx((1.234, 5.678))


def test_all_kinds_of_arguments_are_read_past() -> None:
    data = struct.pack(">qdQ", 7, 0.5, 9) + struct.pack(">i", 3) + b"abc\0"
    ((_, values),) = messages(osc_text("/a") + osc_text(",hdtbTFNI") + data)
    assert values == (7, 0.5, 9, b"abc", True, False, None, None)


def test_bundles_hold_messages_and_bundles_in_order() -> None:
    packet = bundle(osc("/a", 1), bundle(osc("/b", "x"), bundle()), osc("/c"))
    assert messages(packet) == [("/a", (1,)), ("/b", ("x",)), ("/c", ())]


def _deep(depth: int) -> bytes:
    packet = osc("/a")
    for _ in range(depth):
        packet = bundle(packet)
    return packet


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\0\0\0\0",
        b"/a",
        b"/a\0\0",
        osc_text("a") + osc_text(","),
        osc_text("/a") + osc_text("i") + bytes(4),
        osc("/a", 1)[:-1],
        osc("/a", 1) + bytes(4),
        osc_text("/a") + osc_text(",x"),
        osc_text("/a") + osc_text(",b") + struct.pack(">i", 2**31 - 1),
        osc_text("/a") + osc_text(",b") + struct.pack(">i", -8),
        osc_text("/a") + osc_text(",s") + b"\xff\xfe\0\0",
        b"#bundle\0",
        bundle(osc("/a"))[:-4],
        bundle() + struct.pack(">i", 0),
        bundle() + struct.pack(">i", -4) + bytes(8),
        _deep(1000),
    ],
)
def test_what_is_no_osc_is_refused(packet: bytes) -> None:
    with pytest.raises(PacketError):
        messages(packet)


# VMC.


@pytest.mark.parametrize("pose", POSES)
def test_vmc_turns_the_head_as_the_avatar_does(pose: tuple[float, float, float]) -> None:
    made = taken(VmcDecoder(), vmc_frame(turn(*pose)))
    np.testing.assert_allclose(made[:3], in_axes(*pose), atol=1e-5)
    np.testing.assert_allclose(made[3:], [1, 1, 0], atol=1e-6)


def test_unitys_turns_have_their_signs() -> None:
    """By Unity's rules: about x looks down, about y to one's right, about z leans to one's left."""
    half = math.radians(15) / 2
    about = {
        "x": (math.sin(half), 0.0, 0.0, math.cos(half)),
        "y": (0.0, math.sin(half), 0.0, math.cos(half)),
        "z": (0.0, 0.0, math.sin(half), math.cos(half)),
    }
    expected = {"x": (-1, 0, 0), "y": (0, 1, 0), "z": (0, 0, -1)}
    for axis, quaternion in about.items():
        packet = osc("/VMC/Ext/Bone/Pos", "Head", 0.0, 0.0, 0.0, *quaternion)
        np.testing.assert_allclose(taken(VmcDecoder(), packet)[:3], expected[axis], atol=1e-5)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"Blink_L": 0.7}, (0.3, 1, 0)),
        ({"blinkRight": 0.7}, (1, 0.3, 0)),
        ({"Blink": 1.0, "Blink_L": 0.2}, (0, 0, 0)),
        ({"A": 1.0}, (1, 1, 0.25)),
        ({"ou": 1.0}, (1, 1, 0.0625)),
        ({"EyeBlinkLeft": 0.5, "JawOpen": 0.6, "MouthClose": 0.2}, (0.5, 1, 0.1)),
        ({"A": 1.0, "O": 1.0, "Joy": 1.0}, (1, 1, 0.25)),
        ({"Blink": -3.0, "aa": 900.0}, (1, 1, 0.25)),
    ],
)
def test_vmc_moves_eyes_and_mouth(weights: dict[str, float], expected: tuple[float, ...]) -> None:
    made = taken(VmcDecoder(), vmc_frame(turn(0, 0, 0), **weights))
    np.testing.assert_allclose(made[3:], expected, atol=1e-6)


def test_vmc_over_several_packets() -> None:
    decoder = VmcDecoder()
    assert decoder.take(osc("/VMC/Ext/Blend/Val", "Blink", 1.0)) is None
    made = taken(decoder, bundle(vmc_bone("Head", turn(9, 0, 0))))
    np.testing.assert_allclose(made, [0.6, 0, 0, 1, 1, 0], atol=1e-5)  # not applied yet
    made = taken(decoder, osc("/VMC/Ext/Blend/Apply"))
    np.testing.assert_allclose(made, [0.6, 0, 0, 0, 0, 0], atol=1e-5)
    assert decoder.take(osc("/VMC/Ext/T", 1.0)) is None
    assert decoder.take(osc("/another/programs", "message", 1)) is None


def test_vmc_says_when_it_sees_nobody() -> None:
    decoder = VmcDecoder()
    for state in ((0,), (1, 3, 0, 0)):
        assert np.isnan(taken(decoder, osc("/VMC/Ext/OK", *state))).all()
        assert np.isnan(taken(decoder, vmc_bone("Head", turn(9, 0, 0)))).all()
        assert decoder.take(osc("/VMC/Ext/OK", 1)) is None
    assert taken(decoder, vmc_bone("Head", turn(9, 0, 0)))[0] == pytest.approx(0.6, abs=1e-5)


@pytest.mark.parametrize(
    "bad",
    [
        osc("/VMC/Ext/Bone/Pos", "Head", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        osc("/VMC/Ext/Bone/Pos", "Head", 0.0, 0.0, 0.0, math.nan, 0.0, 0.0, 1.0),
        osc("/VMC/Ext/Bone/Pos", "Head", 1.0),
        osc("/VMC/Ext/Bone/Pos", 1, *[1.0] * 7),
        osc("/VMC/Ext/Blend/Val", "Blink", "much"),
        osc("/VMC/Ext/Blend/Val", "Blink", math.inf),
    ],
)
def test_nothing_of_a_malformed_vmc_packet_is_kept(bad: bytes) -> None:
    decoder = VmcDecoder()
    with pytest.raises(PacketError):
        decoder.take(bundle(vmc_bone("Neck", turn(15, 0, 0)), bad))
    made = taken(decoder, vmc_bone("Head", turn(0, 15, 0)))
    np.testing.assert_allclose(made[:3], [0, 1, 0], atol=1e-5)


# OpenSeeFace.


@pytest.mark.parametrize("pose", POSES)
def test_openseeface_turns_the_head_as_the_person_does(pose: tuple[float, float, float]) -> None:
    made = taken(OpenSeeFaceDecoder(), see_face(see_face_quaternion(pose)))
    np.testing.assert_allclose(made[:3], in_axes(*pose), atol=2e-3)


STRAIGHT = (math.sqrt(0.5), -math.sqrt(0.5), 0.0, 0.0)


@pytest.mark.parametrize("has_features", [True, False])
def test_openseeface_moves_eyes_and_mouth(has_features: bool) -> None:
    packet = see_face(STRAIGHT, right_open=0.25, left_open=0.75, lips=14, has_features=has_features)
    assert len(packet) == (1785 if has_features else 1729)
    made = taken(OpenSeeFaceDecoder(), packet)
    np.testing.assert_allclose(made, [0, 0, 0, 0.75, 0.25, 0.1], atol=1e-6)


def test_openseeface_stays_with_one_face_and_says_when_it_is_lost() -> None:
    decoder = OpenSeeFaceDecoder()
    first, second = see_face(STRAIGHT, face=4), see_face(STRAIGHT, face=2, left_open=0.0)
    assert taken(decoder, first)[3] == 1
    assert taken(decoder, second + first)[3] == 1
    assert taken(decoder, second)[3] == 0
    assert np.isnan(taken(decoder, see_face(STRAIGHT, face=2, is_found=False))).all()
    for bad in (b"", first[:-1], first + b"\0", see_face((0, 0, 0, 0)), see_face((9e9, 0, 0, 0))):
        with pytest.raises(PacketError):
            decoder.take(bad)


# iFacialMocap.


@pytest.mark.parametrize("sign", ["-", "&"])
@pytest.mark.parametrize("pose", POSES)
def test_ifacialmocap_turns_the_head_as_the_person_does(
    pose: tuple[float, float, float], sign: str
) -> None:
    weights = {"eyeBlink_L": 70, "eyeBlink_R": 20, "jawOpen": 40, "cheekPuff": 99}
    made = taken(IFacialMocapDecoder(), mocap(*pose, weights, sign))
    np.testing.assert_allclose(made[:3], in_axes(*pose), atol=1e-5)
    np.testing.assert_allclose(made[3:], [0.3, 0.8, 0.1], atol=1e-6)


def test_ifacialmocaps_published_example_is_read() -> None:
    """Its eyes look down and its head is seen from below, so the head is turned up."""
    packet = (
        b"mouthSmile_R-0|eyeBlink_R-7|eyeLookDown_L-17|eyeBlink_L-7|jawOpen-12|mouthClose-8|=head#"
        b"-21.488958,-6.038993,-6.6019735,-0.030653415,-0.10287084,-0.6584072|rightEye#6.0297494,"
        b"2.4403017,0.25649446|leftEye#6.034903,-1.6660284,-0.17520553|"
    )
    made = taken(IFacialMocapDecoder(), packet)
    np.testing.assert_allclose(made[:3], in_axes(21.488958, 6.038993, -6.6019735), atol=1e-5)
    np.testing.assert_allclose(made[3:], [0.93, 0.93, 0.01], atol=1e-6)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\xff\xfe",
        b"hello",
        b"jawOpen-1|",
        b"=head#1,2,3|",
        b"jawOpen-1|=head#1,2|",
        b"jawOpen-1|=head#1,two,3|",
        b"jawOpen-1|=head#nan,0,0|",
        b"jawOpen-1|=head#1e9,0,0|",
        b"jawOpen-1|" * 2000 + b"=head#1,2,3|",
    ],
)
def test_what_is_no_mocap_is_refused(packet: bytes) -> None:
    with pytest.raises(PacketError):
        IFacialMocapDecoder().take(packet)


def test_shapes_have_one_name_each() -> None:
    assert plain_name("eyeBlink_L") == plain_name("EyeBlinkLeft") == "eyeblinkleft"
    assert eyes_and_mouth({}) == (0, 0, 0)


# Whatever comes.

FUZZED: dict[str, tuple[type[VmcDecoder | OpenSeeFaceDecoder | IFacialMocapDecoder], bytes]] = {
    "vmc": (VmcDecoder, vmc_frame(turn(5, 6, 7), Blink_L=0.5, A=0.7, JawOpen=0.1)),
    "openseeface": (OpenSeeFaceDecoder, see_face(STRAIGHT, lips=7)),
    "ifacialmocap": (
        IFacialMocapDecoder,
        mocap(5, 6, 7, {"eyeBlink_L": 70, "jawOpen": 40, "mouthClose": 3}, "-"),
    ),
}


def _mutated(packet: bytes, rng: np.random.Generator) -> bytes:
    data = bytearray(packet)
    for _ in range(rng.integers(1, 6)):
        at = int(rng.integers(len(data) + 1))
        match rng.integers(6):
            case 0:
                data[at : at + 1] = rng.bytes(1)
            case 1:
                data[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\x7f\x80\0\0", b"\0\0\0\0"])
            case 2:
                del data[at:]
            case 3:
                del data[at : at + int(rng.integers(1, 9))]
            case 4:
                data[at:at] = rng.bytes(int(rng.integers(1, 9)))
            case 5:
                data += data[at : at + 200]
    return bytes(data)


@pytest.mark.parametrize("name", FUZZED)
def test_thousands_of_mutated_packets_do_no_harm(name: str) -> None:
    make, packet = FUZZED[name]
    decoder, rng = make(), np.random.default_rng(11)
    refused = answered = 0
    for _ in range(4000):
        try:
            made = decoder.take(_mutated(packet, rng))
        except PacketError:
            refused += 1
            continue
        if made is None or np.isnan(made).all():
            continue
        answered += 1
        assert made.shape == (len(MEASURES),)
        assert np.isfinite(made).all()
        assert (made[3:] >= 0).all() and (made[3:] <= 1).all()
        assert np.abs(made[:3]).max() <= 12.001  # half a turn
    assert refused > 500 and answered > 20
    # And afterwards a good one is understood.
    np.testing.assert_allclose(taken(decoder, packet), taken(make(), packet), atol=1e-6)


def test_signalling_numbers_make_no_noise() -> None:
    packet = see_face((0.1, 0.2, 0.0, 0.97)).replace(
        struct.pack("<2f", 320, 300), bytes.fromhex("0100807f") * 2
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(PacketError, match="nowhere"):
            OpenSeeFaceDecoder().take(packet)
