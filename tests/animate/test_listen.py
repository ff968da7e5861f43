"""Trackers heard over real sockets on loopback, and recorded by the command."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from animate.commands.main import main
from animate.listen import listener as recording
from animate.listen.address import LOOPBACK, Address, parse_address
from animate.listen.ifacialmocap import GREETING
from animate.listen.listener import Heard, Listener
from animate.motion.motion import read_csv
from contract.errors import InputError
from tests.support.tracker_packets import bundle, mocap, osc, see_face, turn, vmc_frame
from tests.support.tracker_sender import Sender, free_port, sending

HEAD_X, HEAD_Y, NECK_Z, LEFT_EYE, RIGHT_EYE, MOUTH = range(6)
STRAIGHT = (0.5**0.5, -(0.5**0.5), 0.0, 0.0)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def vmc(port: int) -> Iterator[Listener]:
    with Listener(Address("vmc", LOOPBACK, port)) as listener:
        yield listener


def newest(listener: Listener, than: int = 0) -> Heard:
    heard = listener.wait_for_newer(than, 5)
    assert heard
    return heard


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


# Addresses.


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("vmc", Address("vmc", "127.0.0.1", 39539)),
        ("openseeface", Address("openseeface", "127.0.0.1", 11573)),
        ("ifacialmocap", Address("ifacialmocap", "127.0.0.1", 49983)),
        ("vmc:5000", Address("vmc", "127.0.0.1", 5000)),
        ("vmc:0.0.0.0:39539", Address("vmc", "0.0.0.0", 39539)),
        ("vmc:[::1]:5000", Address("vmc", "::1", 5000)),
    ],
)
def test_an_address_is_loopback_unless_told_otherwise(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no tracker is called ''"),
        ("osf:1", "no tracker is called 'osf'; give vmc, openseeface, ifacialmocap"),
        ("vmc:0", "'0' is no port; write vmc:39539"),
        ("vmc:99999", "'99999' is no port"),
        ("vmc:localhost", "'localhost' is no port"),
        ("vmc:1.2.3.4:x", "'x' is no port"),
        ("vmc:1" + "0" * 5000, "is no port"),
    ],
)
def test_what_is_no_address_is_refused(text: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        parse_address(text)


# Listening.


def test_what_is_sent_is_heard(vmc: Listener, port: int) -> None:
    assert vmc.newest() is None
    send = Sender(port)
    began = time.monotonic()
    send(vmc_frame(turn(15, 0, 0), Blink_L=1.0))
    first = newest(vmc)
    np.testing.assert_allclose(first.measures, [1, 0, 0, 0, 1, 0], atol=1e-5)
    assert began <= first.seconds <= time.monotonic()
    send(vmc_frame(turn(0, 15, 0)))
    second = newest(vmc, first.number)
    assert (first.number, second.number) == (1, 2)
    np.testing.assert_allclose(second.measures[:3], [0, 1, 0], atol=1e-5)
    assert vmc.wait_for_newer(second.number, 0.05) is None


def test_the_newest_wins(vmc: Listener, port: int) -> None:
    send = Sender(port)
    for degrees in range(15):
        send(vmc_frame(turn(degrees, 0, 0)))
    until(lambda: vmc.counts.packets == 15)
    until(lambda: newest(vmc).number == 15)
    assert newest(vmc).measures[0] == pytest.approx(14 / 15, abs=1e-5)


def test_malformed_packets_are_counted_and_ignored(vmc: Listener, port: int) -> None:
    send, rng = Sender(port), np.random.default_rng(5)
    send(vmc_frame(turn(9, 0, 0)))
    first = newest(vmc)
    for _ in range(300):
        send(b"\1" + rng.bytes(int(rng.integers(0, 1200))))
        time.sleep(0.0005)  # a full buffer loses packets
    send(b"")
    until(lambda: vmc.counts.packets > 250)
    assert vmc.counts.malformed == vmc.counts.packets - 1
    assert newest(vmc) == first
    send(vmc_frame(turn(3, 0, 0)))
    assert newest(vmc, first.number).measures[0] == pytest.approx(0.2, abs=1e-5)


def test_a_second_sender_waits_until_the_first_is_silent(
    vmc: Listener, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("animate.listen.listener._FAITHFUL_SECONDS", 1.0)
    first, second = Sender(port), Sender(port, "127.0.0.2")
    first(vmc_frame(turn(15, 0, 0)))
    number = newest(vmc).number
    second(vmc_frame(turn(-15, 0, 0)))
    until(lambda: vmc.counts.others == 1)
    assert newest(vmc).number == number
    time.sleep(1.1)
    second(vmc_frame(turn(-15, 0, 0)))
    assert newest(vmc, number).measures[0] == pytest.approx(-1, abs=1e-5)


def test_a_port_that_is_taken_and_an_address_of_another_machine_are_one_line(port: int) -> None:
    with Listener(Address("vmc", LOOPBACK, port)):
        with pytest.raises(InputError, match=rf"vmc:127\.0\.0\.1:{port}: cannot be listened to"):
            Listener(Address("vmc", LOOPBACK, port))
        with pytest.raises(InputError, match="cannot be listened to"):
            Listener(Address("vmc", "203.0.113.7", port))
        with pytest.raises(InputError, match="cannot be listened to"):
            Listener(Address("vmc", "no such host.invalid", port))
    with Listener(Address("vmc", LOOPBACK, port)):  # it was given back
        pass


def test_a_telephone_is_asked_until_it_answers(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as telephone:
        try:
            telephone.bind(("127.0.0.3", 49983))
        except OSError:
            pytest.skip("this machine has no address 127.0.0.3, or the port is taken")
        telephone.settimeout(5)
        with Listener(Address("ifacialmocap", "0.0.0.0", port), "127.0.0.3") as listener:
            for _ in range(2):  # the first may be lost
                packet, sender = telephone.recvfrom(100)
                assert packet == GREETING
            telephone.sendto(mocap(15, 0, 0, {"jawOpen": 100}, "-"), sender)
            np.testing.assert_allclose(newest(listener).measures, [1, 0, 0, 1, 1, 0.25], atol=1e-5)


# The command.


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["track", *map(str, arguments)])
    return result.exit_code, result.output


def swinging(seconds: float) -> bytes:
    """The head goes round once in a second, far beyond the axes; the left eye winks in between."""
    phase = 2 * np.pi * seconds
    wink = 1.0 if 0.4 < seconds % 1 < 0.6 else 0.0
    rotation = turn(30 * np.sin(phase), 12 * np.cos(phase), 0)
    return vmc_frame(rotation, Blink_L=wink, A=float(0.5 - 0.5 * np.cos(phase)))


def test_the_command_records_a_tracker(port: int, tmp_path: Path) -> None:
    table = tmp_path / "out.csv"
    with sending(port, swinging):
        code, said = run("--listen", f"vmc:{port}", "--seconds", 2.5, "--fps", 30, "--csv", table)
    name = f"vmc:127.0.0.1:{port}"
    assert code == 0, said
    assert said.splitlines()[:2] == [
        f"{name}: listening",
        f"{name}: recording 2.5 s; Ctrl-C ends it earlier",
    ]
    assert "poses at 30 a second" in said
    poses = read_csv(table, 30).poses
    assert len(poses) == pytest.approx(75, abs=8)
    assert poses[:, HEAD_X].max() > 0.98 and poses[:, HEAD_X].min() < -0.98
    assert 0.5 < poses[:, HEAD_Y].max() < 1
    assert poses[:, RIGHT_EYE].max() < 0.05
    assert poses[:, MOUTH].max() > 0.9 and poses[:, MOUTH].min() < 0.1
    # The wink is where the mouth is widest, a second after another.
    starts = np.flatnonzero(np.diff((poses[:, LEFT_EYE] > 0.5).astype(int)) == 1)
    assert len(starts) in (2, 3)
    np.testing.assert_allclose(np.diff(starts), 30, atol=6)
    assert poses[poses[:, LEFT_EYE] > 0.9][:, MOUTH].min() > 0.5


@pytest.mark.parametrize(
    ("tracker", "options", "is_mirrored"),
    [
        ("openseeface", [], True),
        ("openseeface", ["--not-mirrored"], False),
        ("ifacialmocap", [], True),
        ("vmc", [], False),
        ("vmc", ["--mirrored"], True),
    ],
)
def test_a_person_is_mirrored_and_an_avatar_copied(
    tracker: str, options: list[str], is_mirrored: bool, port: int, tmp_path: Path
) -> None:
    """The left eye closes in the second half of a second."""

    def packet(seconds: float) -> bytes:
        closed = 1.0 if seconds % 1 > 0.5 else 0.0
        return {
            "vmc": vmc_frame(turn(0, 0, 0), blinkLeft=closed),
            "openseeface": see_face(STRAIGHT, left_open=1 - closed),
            "ifacialmocap": mocap(0, 0, 0, {"eyeBlink_L": 100 * closed}, "&"),
        }[tracker]

    table = tmp_path / "out.csv"
    with sending(port, packet):
        code, said = run(
            "--listen", f"{tracker}:{port}", "--seconds", 1.2, "--csv", table, *options
        )
    assert code == 0, said
    poses = read_csv(table, 30).poses
    closed, open_ = (RIGHT_EYE, LEFT_EYE) if is_mirrored else (LEFT_EYE, RIGHT_EYE)
    assert poses[:, closed].max() > 0.9
    assert poses[:, open_].max() < 0.05


def test_a_tracker_that_falls_silent_comes_to_rest(port: int, tmp_path: Path) -> None:
    table, send = tmp_path / "out.csv", Sender(port)

    def speak() -> None:
        ends = time.monotonic() + 0.4
        while time.monotonic() < ends:
            send(vmc_frame(turn(0, 14, 0), A=1.0))
            send(b"nonsense")
            time.sleep(0.005)

    kept = tmp_path / "me.json"
    kept.write_text(
        '{"head_x": 0, "head_y": 0, "neck_z": 0, "left_shut": 0.3, "left_open": 1, '
        '"right_shut": 0.3, "right_open": 1, "mouth_shut": 0, "mouth_open": 0.25}'
    )
    thread = threading.Timer(0.3, speak)
    thread.start()
    code, said = run(
        "--listen", f"vmc:{port}", "--seconds", 4, "--csv", table, "--calibration", kept
    )
    thread.join()
    assert code == 0, said
    assert "packets ignored: malformed" in said
    assert re.search(r"no face at [01]\.", said)
    poses = read_csv(table, 30).poses
    assert poses[5, HEAD_Y] > 0.9 and poses[5, MOUTH] > 0.9
    np.testing.assert_allclose(poses[-1], 0, atol=0.05)


def test_what_does_not_come_is_said_in_one_line(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "PATIENCE_SECONDS", 0.6)
    table = tmp_path / "out.csv"
    code, said = run("--listen", f"vmc:{port}", "--csv", table)
    assert code == 1
    assert f"error: vmc:127.0.0.1:{port}: no packet in 1 s; start the tracker" in said
    with sending(port, lambda _: see_face(STRAIGHT)):
        code, said = run("--listen", f"vmc:{port}", "--csv", table)
    assert code == 1
    assert "and none of a face; is it that tracker that sends?" in said.splitlines()[-1]
    with sending(port, lambda _: bundle(osc("/VMC/Ext/OK", 0))):
        code, said = run("--listen", f"vmc:{port}", "--seconds", 0.3, "--csv", table)
    assert code == 1
    assert "no face in any of" in said.splitlines()[-1]
    assert not table.exists()


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["--listen", "osf", "--csv", "a.csv"], "no tracker is called 'osf'"),
        (["--listen", "vmc", "--camera", "0", "--csv", "a.csv"], "give one of --video FILE"),
        (["--camera", "0", "--ask", "1.2.3.4", "--csv", "a.csv"], "--ask: goes with --listen"),
        (["a.png", "--listen", "vmc", "--side-by-side", "-o", "a.gif"], "sends no pictures"),
    ],
)
def test_a_wrong_command_line_ends_with_2(arguments: list[str], fault: str) -> None:
    code, said = run(*arguments)
    assert code == 2
    assert fault in said
