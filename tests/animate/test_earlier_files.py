"""What version 0.1.0 wrote for animating opens, and means what it meant.

``data/0.1.0/onnx`` holds networks that version exported, of tests/models/data/0.1.0/bundle: without
the exporter's notes on source lines, and compressed.
"""

from __future__ import annotations

import lzma
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest

from animate.motion.motion import read_csv, write_csv
from animate.pose.open_poser import open_networks, open_poser
from animate.track.calibration import load, save
from contract.image import Stored
from contract.pose import Pose
from models.files.onnx_record import RECORD_FILE
from tests.conftest import REPOSITORY

EARLIER = Path(__file__).parent / "data" / "0.1.0"
WITH_BUNDLE = REPOSITORY / "tests" / "models" / "data" / "0.1.0"
POSE = Pose(0.5, -0.75, 0.25, 1.0, 0.5, 0.0)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    (tmp_path / RECORD_FILE).write_bytes((EARLIER / "onnx" / RECORD_FILE).read_bytes())
    for path in (EARLIER / "onnx").glob("*.xz"):
        (tmp_path / path.stem).write_bytes(lzma.decompress(path.read_bytes()))
    return tmp_path


def _posed(networks: Path, backend: str) -> Stored:
    opened = open_networks(networks, None, "cpu", backend)
    return open_poser(opened, WITH_BUNDLE / "drawing.png")[0].draw(POSE)


def test_exported_networks_draw_what_their_bundle_draws(export: Path) -> None:
    exported = _posed(export, "onnx").astype(int)
    bundled = _posed(WITH_BUNDLE / "bundle", "torch").astype(int)
    assert exported.std() > 50
    assert np.abs(exported - bundled).max() <= 8  # torch may run in bfloat16


def test_a_calibration_says_what_it_said(tmp_path: Path) -> None:
    calibration = load(EARLIER / "calibration.json")
    lids = (0.0625, 0.3125, 0.125, 0.375)
    assert astuple(calibration) == (0.5, -1.25, 2.0, *lids, 0.015625, 0.25)
    save(calibration, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (EARLIER / "calibration.json").read_bytes()


def test_a_table_of_poses_moves_as_it_did() -> None:
    motion = read_csv(EARLIER / "poses.csv", 4)
    assert motion.fps == 4
    assert [motion.pose(frame) for frame in range(len(motion.poses))] == [
        Pose(),
        Pose(0.5, -0.25, 1, 0.125, 1, 0),
        Pose(-1, 1, -1, 1, 0.0625, 0.5),
    ]
    assert write_csv(motion) == (EARLIER / "poses.csv").read_text("utf-8")
