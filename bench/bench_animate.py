"""Milliseconds a frame of each way to animate, beside a plain eager transcription in one run.

    python bench/bench_animate.py [--rounds 5] [--compiled]

At full size (256 pixels, 64 channels) and the demo's (64 pixels, 12 channels), then the networks of
the preset live, which look at 64 pixels and draw 256, 512 and 1024; untrained, for weights change
no time. Rounds alternate between all ways, each of which draws a few frames a time, and ratios are
of medians; the last tables' are to the plain networks of the first. "turn": eyes and mouth stay, so
the morpher is skipped; "all": they change with every frame. "several at once" is how gif, video and
track draw, "by itself" how the page does, where the next pose is not known yet, "deciding once" how
it does where there is no bfloat16 (`--pace quick`). Exit code 1 when the way that `animate` takes
by itself is no faster than the plain one, or the small look's, several at once, is not a hundred
times faster at 256 pixels.
"""

from __future__ import annotations

import sys
import tempfile
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import click
import numpy as np
import torch

from animate.pose.ahead import drawn_ahead
from animate.pose.onnx_networks import OnnxNetworks
from animate.pose.poser import Networks, Poser
from animate.pose.torch_networks import TorchNetworks, open_torch_networks
from contract.image import Stored, network_to_stored, stored_to_network
from contract.pose import FACE, JOINTS, Pose
from models.base.config import PAPER, NetworkConfig
from models.base.execution import Execution
from models.files.onnx_export import export_onnx
from tests.support.plain_networks import PlainCombiner, PlainMorpher, PlainRotator
from tests.support.timing import seconds_of
from tests.support.untrained import untrained
from train.plan.presets import PRESETS

DEMO = NetworkConfig(size=64, channels=12, max_channels=96, residual_blocks=3)
LIVE = PRESETS["live"][0].network
DRAWN = {256: 45, 512: 20, 1024: 8}
"""Pixels a side: pictures a second to be reached on two cores."""
LEAST_RATIO = 100
BY_ITSELF = "ours, as by itself"
QUICK = "ours, deciding once"
AT_ONCE = "ours, several at once"
FRAMES = 16
CPU = torch.device("cpu")
Times = Mapping[str, tuple[float, float]]
Draw = Callable[[Pose], Stored]


@dataclass(frozen=True)
class Way:
    """Draws every one of the poses it is given; ``frames`` of them are drawn a time."""

    draw_all: Callable[[Sequence[Pose]], object]
    frames: int

    @staticmethod
    def one_by_one(draw: Draw, frames: int) -> Way:
        """By what draws a single pose."""
        return Way(lambda poses: [draw(pose) for pose in poses], frames)


@click.command()
@click.option("--rounds", default=5, show_default=True)
@click.option("--compiled", is_flag=True, help="torch.compile as well; needs a C++ compiler.")
def main(rounds: int, compiled: bool) -> None:
    """Print the table; see the module's own words."""
    slow, paper = False, (0.0, 0.0)
    for title, config in (("full size", PAPER), ("demo size", DEMO)):
        with tempfile.TemporaryDirectory() as folder:
            ways = open_ways(config, config.size, Path(folder), compiled)
            picture = _block(config.size)
            times = measure({"plain eager": plain(config, picture), **ways}, rounds)
        plain_times = times["plain eager"]
        paper = paper if any(paper) else plain_times
        print(f"{title}: {config.size} pixels, {torch.get_num_threads()} threads")
        show(times, plain_times)
        slow |= times[BY_ITSELF][1] >= plain_times[1]
    for side, wanted in DRAWN.items():
        with tempfile.TemporaryDirectory() as folder:
            times = measure(open_ways(LIVE, side, Path(folder), compiled), rounds)
        rates = ", ".join(f"{1e3 / times[way][0]:.1f} {way}" for way in (BY_ITSELF, AT_ONCE))
        print(f"look of {LIVE.sees}: {side} pixels, pictures a second: {rates} (goal: {wanted})")
        show(times, paper)
        slow |= side == LIVE.size and paper[0] / times[AT_ONCE][0] < LEAST_RATIO
    sys.exit(slow)


def show(times: Times, against: tuple[float, float]) -> None:
    """Print a table, with ratios to the times ``against``."""
    print(f"  {'':<26}{'all, ms':>10}{'':>8}{'turn, ms':>10}")
    for name, (whole, turn) in times.items():
        print(
            f"  {name:<26}{whole:10.1f}{against[0] / whole:7.2f}x{turn:10.1f}"
            f"{against[1] / turn:7.2f}x"
        )


def _block(side: int) -> Stored:
    picture = np.zeros((side, side, 4), np.uint8)
    picture[side // 4 :, side // 4 : -side // 4] = (200, 150, 120, 255)
    return picture


def open_ways(config: NetworkConfig, side: int, folder: Path, compiled: bool) -> Mapping[str, Way]:
    """Our ways to draw pictures of ``side`` pixels, by name."""
    name = export_onnx(untrained(config, "L1"), None, folder / "onnx")

    def torch_networks(**options: object) -> Networks:
        return TorchNetworks(untrained(config, "L1"), name, CPU, Execution(**options))  # type: ignore[arg-type]

    quick: dict[str, Networks] = {}
    if config.both_sides:
        quick[QUICK] = open_torch_networks(untrained(config, "L1"), name, "cpu", pace="quick")
    ways: dict[str, Networks] = {
        "ours, float32": torch_networks(),
        "ours, bfloat16": torch_networks(precision="bfloat16"),
        BY_ITSELF: open_torch_networks(untrained(config, "L1"), name, "cpu"),
        **quick,
        "onnx": OnnxNetworks(folder / "onnx"),
    }
    if compiled:
        ways["ours, float32 compiled"] = torch_networks(compiled=True)
    posers = {way: Poser(networks, _block(side)) for way, networks in ways.items()}
    frames = _frames(config)
    one_by_one = {way: Way.one_by_one(poser.draw, frames) for way, poser in posers.items()}
    if frames < FRAMES:  # all of them would be one thread's
        return one_by_one
    return {
        **one_by_one,
        AT_ONCE: Way(partial(draw_at_once, posers[BY_ITSELF]), frames),
        "onnx, several at once": Way(partial(draw_at_once, posers["onnx"]), frames),
    }


def _frames(config: NetworkConfig) -> int:
    """How many a time: of full-size networks, which take seconds each, few."""
    return 2 if config.sees == 0 and config.size == PAPER.size else FRAMES


def draw_at_once(poser: Poser, poses: Sequence[Pose]) -> None:
    """As gif, video and track do."""
    deque(drawn_ahead(poser, poses, lambda picture, _: picture), 0)


def plain(config: NetworkConfig, picture: Stored) -> Way:
    """A transcription of the three networks, called one after the other for every frame."""
    morpher, rotator, combiner = (
        kind(config.widths, config.residual_blocks).eval()
        for kind in (PlainMorpher, PlainRotator, PlainCombiner)
    )
    rest = torch.from_numpy(stored_to_network(picture))[None]

    @torch.no_grad()
    def draw(pose: Pose) -> Stored:
        vector = torch.from_numpy(pose.to_vector())[None]
        expression = morpher(rest, vector[:, FACE])[0]
        turned = rotator(expression, vector[:, JOINTS])
        output = combiner(turned[0], turned[1], vector[:, JOINTS])[0]
        return network_to_stored(output[0].numpy())

    return Way.one_by_one(draw, _frames(config))


def measure(ways: Mapping[str, Way], rounds: int) -> Times:
    """Milliseconds a frame (all, turn) of each way."""
    times: dict[str, tuple[list[float], list[float]]] = {way: ([], []) for way in ways}
    for round_number in range(rounds + 1):
        for name, way in ways.items():
            for kind in (0, 1):
                way.draw_all([Pose(mouth=0.5)])
                poses = [
                    Pose(head_y=0.3 + 0.02 * k, mouth=0.5 if kind else 0.1 + 0.01 * k)
                    for k in range(round_number, round_number + way.frames)
                ]
                seconds = seconds_of(partial(way.draw_all, poses))
                times[name][kind].append(1e3 * seconds / way.frames)
    # The first round warms up.
    return {way: (median(a[1:]), median(b[1:])) for way, (a, b) in times.items()}


if __name__ == "__main__":
    main()
