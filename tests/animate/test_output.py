"""Stills and animations, from networks whose answers are known, read back by other code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image, ImageSequence

from animate.commands.main import main
from animate.commands.sheet import POSES
from animate.drawing.backdrop import open_backdrop
from animate.drawing.output import gif_durations, write_animation, write_still
from animate.pose.poser import AtBothSizes, Poser
from animate.pose.torch_networks import TorchNetworks, open_bundle, open_torch_networks
from contract.errors import DeviceError, InputError
from contract.image import Stored, stored_to_network
from contract.pose import FACE, JOINTS, Pose
from models.base.config import NetworkConfig
from models.base.configurations import choose_configuration
from models.base.device import open_device
from models.base.execution import Execution
from models.files.bundle import save_bundle
from tests.support.shifting import SIZE, Shifting, drawing
from tests.support.untrained import untrained

CLEAR = (0, 0, 0, 0)


def columns(picture: Stored) -> tuple[int, int]:
    seen = np.flatnonzero((picture[..., 3] > 0).any(axis=0))
    return int(seen[0]), int(seen[-1])


# The poser.


def test_a_pose_changes_the_picture_the_right_way() -> None:
    poser = Poser(Shifting(), drawing())
    np.testing.assert_array_equal(poser.draw(Pose(mouth=0)), drawing())
    assert columns(poser.draw(Pose(head_y=1, mouth=0))) == (0, 7)  # to the viewer's left
    assert columns(poser.draw(Pose(head_y=-1, mouth=0))) == (8, 15)
    assert poser.draw(Pose(left_eye=1))[8, 8].tolist() == [0, 0, 0, 255]


def test_the_morpher_runs_only_when_the_face_changes() -> None:
    networks = Shifting()
    poser = Poser(networks, drawing())
    for head_y in (0.0, 0.5, 1.0):
        poser.draw(Pose(head_y=head_y))
    assert networks.calls == ["express", "turn", "turn", "turn"]
    poser.draw(Pose(left_eye=0.5))
    poser.draw(Pose(left_eye=0.5, neck_z=1))
    assert networks.calls[4:] == ["express", "turn", "turn"]


def test_nothing_runs_for_a_pose_that_stays() -> None:
    networks = Shifting()
    poser = Poser(networks, drawing())
    first = poser.draw(Pose(head_y=1, mouth=0))
    kept = first.copy()
    first[:] = 7  # a caller's own
    np.testing.assert_array_equal(poser.draw(Pose(head_y=1, mouth=0)), kept)
    assert networks.calls == ["express", "turn"]


def test_a_larger_drawing_is_drawn_at_its_size() -> None:
    large = np.repeat(np.repeat(drawing(), 3, 0), 3, 1)
    poser = Poser(Shifting(), large)
    assert poser.size == 48
    np.testing.assert_array_equal(poser.draw(Pose(mouth=0)), large)
    assert columns(poser.draw(Pose(head_y=1, mouth=0))) == (8, 31)
    with pytest.raises(InputError, match=r"48x48, but the networks draw 16x16$"):
        Poser(Shifting(draws_wide=False), large)


def test_a_drawing_of_another_size_is_refused() -> None:
    with pytest.raises(InputError, match="8x8, but the networks draw 16x16 or more"):
        Poser(Shifting(), np.zeros((8, 8, 4), np.uint8))


CONFIG = NetworkConfig(size=SIZE, channels=4, max_channels=8, residual_blocks=1)


@pytest.mark.parametrize("name", ["PU-L1", "ZH-L1", "FU-L1-L1"])
def test_a_poser_does_what_the_bundle_does(name: str) -> None:
    pose = Pose(0.3, -0.6, 0.9, 0.2, 0.7, 0.4)
    bundle = untrained(CONFIG, "L1")
    image = torch.from_numpy(stored_to_network(drawing()))[None]
    with torch.inference_mode():
        expected = bundle.system(name)(image, torch.from_numpy(pose.to_vector())[None])[0].numpy()
    networks = TorchNetworks(bundle, name, torch.device("cpu"), Execution())
    vector = pose.to_vector()
    rest = AtBothSizes(stored_to_network(drawing()))
    expression = networks.express(rest, vector[FACE])
    np.testing.assert_allclose(networks.turn(expression, vector[JOINTS]), expected, atol=1e-6)
    # The fastest way is of half precision where the processor has it: rounded, but the same.
    fast = open_torch_networks(bundle, name, "cpu")
    rounded = fast.turn(fast.express(rest, vector[FACE]), vector[JOINTS])
    assert np.abs(rounded - expected).mean() < 0.05


def test_the_best_configuration_of_a_bundle_is_taken() -> None:
    whole = untrained(CONFIG, "L1").networks()
    assert choose_configuration(whole) == "FU-L1-L1"
    assert choose_configuration(whole, "PU-L1") == "PU-L1"
    assert choose_configuration(["morpher", "rotator-L1"]) == "ZH-L1"
    with pytest.raises(InputError, match="FU-P-P: not in this bundle, which can run: PU-L1"):
        choose_configuration(whole, "FU-P-P")
    with pytest.raises(InputError, match="holds morpher, but posing takes"):
        choose_configuration(["morpher"])


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no bundle .* `make demo` trains a small one"):
        open_bundle(tmp_path)
    if not torch.cuda.is_available():
        with pytest.raises(DeviceError, match="cuda: not on this machine"):
            open_device("cuda")
    assert open_device("cpu") == torch.device("cpu")


# Files.

COUNT = 5


def frames(wanted: range) -> Iterator[Stored]:
    """A block of 8 pixels that moves 2 pixels a frame, half transparent in its lower half."""
    for number in wanted:
        frame = np.zeros((32, 32, 4), np.uint8)
        frame[8:24, 2 * number : 2 * number + 16] = (200, 40, 90, 255)
        frame[16:24, 2 * number : 2 * number + 16, 3] = 128
        yield frame


def read_images(path: Path) -> list[Stored]:
    with Image.open(path) as image:
        return [np.array(frame.convert("RGBA")) for frame in ImageSequence.Iterator(image)]


@pytest.mark.parametrize("suffix", [".png", ".apng"])
def test_an_apng_keeps_every_byte(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    write_animation(path, frames, COUNT, 20)
    for read, drawn in zip(read_images(path), frames(range(COUNT)), strict=True):
        np.testing.assert_array_equal(read, drawn)
    with Image.open(path) as image:
        assert image.info["duration"] == 50


def test_a_webp_keeps_soft_transparency(tmp_path: Path) -> None:
    write_animation(tmp_path / "a.webp", frames, COUNT, 20)
    for read, drawn in zip(read_images(tmp_path / "a.webp"), frames(range(COUNT)), strict=True):
        np.testing.assert_array_equal(read[..., 3], drawn[..., 3])
        assert np.abs(read.astype(int) - drawn)[drawn[..., 3] == 255].mean() < 8


def test_a_gif_has_hard_edges_on_its_matte(tmp_path: Path) -> None:
    write_animation(tmp_path / "a.gif", frames, COUNT, 20, "white")
    for read, drawn in zip(read_images(tmp_path / "a.gif"), frames(range(COUNT)), strict=True):
        np.testing.assert_array_equal(read[..., 3], np.where(drawn[..., 3] >= 128, 255, 0))
        solid = drawn[..., 3] == 255
        assert np.abs(read[solid].astype(int) - drawn[solid]).max() <= 4
        half = read[drawn[..., 3] == 128]
        assert np.abs(half[:, :3].astype(int) - [227, 147, 172]).max() <= 4  # half on white
    with Image.open(tmp_path / "a.gif") as image:
        assert (image.info["duration"], image.info["loop"]) == (50, 0)


def read_video(path: Path, alpha: bool) -> list[Stored]:
    """Every frame; libvpx itself gives the alpha that the built-in decoder leaves out."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if not alpha:
            return [_rgba(frame) for frame in container.decode(stream)]
        decoder = av.CodecContext.create("libvpx-vp9", "r")
        packets = [*container.demux(stream)]
        assert isinstance(decoder, av.VideoCodecContext)
        return [_rgba(frame) for packet in packets for frame in decoder.decode(packet)]


def _rgba(frame: av.VideoFrame) -> Stored:
    return np.asarray(frame.to_ndarray(format="rgba"), np.uint8)


def test_a_webm_keeps_soft_transparency(tmp_path: Path) -> None:
    write_animation(tmp_path / "a.webm", frames, COUNT, 20)
    read = read_video(tmp_path / "a.webm", alpha=True)
    assert len(read) == COUNT
    for got, drawn in zip(read, frames(range(COUNT)), strict=True):
        assert np.abs(got[..., 3].astype(int) - drawn[..., 3]).mean() < 6
        inside = drawn[..., 3] == 255
        assert np.abs(got[inside].astype(int) - drawn[inside]).mean() < 16


def test_an_mp4_stands_on_its_matte(tmp_path: Path) -> None:
    write_animation(tmp_path / "a.mp4", frames, COUNT, 20, "#0000ff")
    read = read_video(tmp_path / "a.mp4", alpha=False)
    assert len(read) == COUNT
    assert np.abs(read[0][0, 28, :3].astype(int) - [0, 0, 255]).max() < 40


def test_a_folder_gets_a_png_a_frame(tmp_path: Path) -> None:
    write_animation(tmp_path / "seen", frames, COUNT, 20)
    names = sorted(path.name for path in (tmp_path / "seen").iterdir())
    assert names == [f"frame-{number:04}.png" for number in range(COUNT)]
    (last,) = frames(range(4, 5))
    np.testing.assert_array_equal(read_images(tmp_path / "seen" / names[4])[0], last)


def test_a_failure_leaves_no_half_written_file(tmp_path: Path) -> None:
    def failing(wanted: range) -> Iterator[Stored]:
        yield from frames(wanted[:2])
        raise InputError("the camera went away")

    for suffix in (".gif", ".png", ".webp", ".mp4", ".webm"):
        with pytest.raises(InputError, match="camera"):
            write_animation(tmp_path / f"a{suffix}", failing, COUNT, 20)
    with pytest.raises(InputError, match=r"unknown kind; give one of \.gif"):
        write_animation(tmp_path / "a.avi", frames, COUNT, 20)
    with pytest.raises(InputError, match=r"a still is written as \.png"):
        write_still(tmp_path / "a.jpg", drawing())
    odd = (np.zeros((15, 15, 4), np.uint8) for _ in range(2))
    with pytest.raises(InputError, match="sides are even"):
        write_animation(tmp_path / "a.mp4", lambda _: odd, 2, 20)
    assert list(tmp_path.iterdir()) == []


# Backgrounds and the commands.


def test_a_background_is_a_colour_or_a_picture(tmp_path: Path) -> None:
    half = np.full((1, 1, 4), (255, 255, 255, 128), np.uint8)
    assert open_backdrop("#000000", 1).behind(half).tolist() == [[[128, 128, 128, 255]]]
    Image.new("RGB", (40, 20), (9, 8, 7)).save(tmp_path / "room.png")
    page = open_backdrop(str(tmp_path / "room.png"), 4)
    assert page.behind(np.zeros((4, 4, 4), np.uint8))[0, 0].tolist() == [9, 8, 7, 255]
    with pytest.raises(InputError, match="is no colour and no file"):
        open_backdrop("blackish", 4)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[object]:
    save_bundle(tmp_path / "bundle", untrained(CONFIG, "L1"))
    write_still(tmp_path / "a.png", drawing())

    def invoke(*arguments: object) -> Result:
        given = [str(tmp_path / "a.png"), "--bundle", str(tmp_path / "bundle"), "--device", "cpu"]
        command, *rest = map(str, arguments)
        return CliRunner().invoke(main, [command, *given, *rest])

    return invoke  # type: ignore[return-value]


def test_the_commands_write_what_their_options_say(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    out = tmp_path / "still.png"
    done = run("still", "--pose", "head_x=0.5", "--size", 24, "--background", "white", "-o", out)
    assert done.exit_code == 0, done.output
    (picture,) = read_images(out)
    assert picture.shape == (24, 24, 4)
    assert (picture[..., 3] == 255).all()
    out = tmp_path / "moving.gif"
    done = run("gif", "--motion", "nod", "--seconds", 0.5, "--fps", 10, "-o", out)
    assert done.exit_code == 0, done.output
    assert f"{out}: 5 frames of 16x16, 0.50 s at 10 a second" in done.stderr
    with Image.open(out) as image:  # equal frames in a row are one that is shown longer
        assert sum(frame.info["duration"] for frame in ImageSequence.Iterator(image)) == 500


def test_a_sheet_has_a_row_a_drawing_and_a_column_a_pose(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    other = np.where(drawing()[..., 3:] > 0, np.array([255, 0, 0, 255], np.uint8), 0)
    write_still(tmp_path / "red.png", other.astype(np.uint8))
    done = run("sheet", tmp_path / "red.png", "--side", 32, "-o", tmp_path / "sheet.png")
    assert done.exit_code == 0, done.output
    with Image.open(tmp_path / "sheet.png") as image:
        page = np.array(image)
    assert page.shape == (20 + 2 * 36, (1 + len(POSES)) * 36, 3)
    reddish = (page.astype(int)[..., 0] - page[..., 1] > 100).any(1)  # by line
    assert not reddish[: 20 + 36].any()
    assert reddish[20 + 36 :].any()
    first = page[20 + 36 : 20 + 36 + 32, :32]
    assert (first == np.array([255, 0, 0])).all(2).any()


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["still", "--configuration", "FU-P-P", "-o", "x.png"], "not in this bundle"),
        (["gif", "--csv", "none.csv", "-o", "x.gif"], "none.csv: cannot be read"),
        (["gif", "-o", "x.avi"], "unknown kind"),
    ],
)
def test_a_fault_is_one_line(run, arguments: list[str], fault: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    done = run(*arguments)
    assert done.exit_code == 1
    assert fault in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["still", "--pose", "head_x=2"], "head_x is 2.0; it must lie in [-1, 1]"),
        (["still", "--pose", "tail=1"], "no axis is called tail"),
        (["still", "--pose", "mouth"], "'mouth' is no axis=number, as head_x=0.5"),
        (["gif", "--seconds", "nan"], "nan is no number that is finite"),
        (["still", "--device", "warp"], "'warp' is no device; give auto, cpu"),
        (
            ["gif", "--motion", "nod", "--vmd", "a.vmd"],
            "give one of --motion, --csv, --vmd and --audio",
        ),
    ],
)
def test_a_wrong_command_line_ends_with_2(run, arguments: list[str], fault: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    done = run(*arguments, "-o", "x.png")
    assert done.exit_code == 2
    assert fault in done.stderr.splitlines()[-1]


def test_a_gif_lasts_as_long_as_its_motion() -> None:
    assert gif_durations(3, 25) == [40, 40, 40]
    assert gif_durations(6, 12) == [80, 90, 80, 80, 90, 80]  # ends at 8, 17, 25, 33, 42, 50
    assert sum(gif_durations(300, 30)) == 10_000
    assert gif_durations(2, 120) == [20, 20]
