"""A bundle that version 0.1.0 wrote opens, and draws what that version drew.

``data/0.1.0``: untrained networks of one channel at 16 pixels, a picture, and what they made of it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from contract.image import Stored, network_to_stored, stored_to_network
from contract.pose import Pose
from models.base.config import NetworkConfig
from models.files.bundle import load_bundle, save_bundle

EARLIER = Path(__file__).parent / "data" / "0.1.0"
POSE = Pose(0.5, -0.75, 0.25, 1.0, 0.5, 0.0)


def _picture(name: str) -> Stored:
    return np.array(Image.open(EARLIER / name))


def test_a_bundle_draws_what_it_drew() -> None:
    bundle = load_bundle(EARLIER / "bundle")
    assert bundle.configurations() == ("PU-L1", "ZH-L1", "FU-L1-L1")
    rest = torch.from_numpy(stored_to_network(_picture("drawing.png")))[None]
    with torch.inference_mode():
        system = bundle.system("FU-L1-L1").eval()
        made = system(rest, torch.from_numpy(POSE.to_vector())[None])
    ours = network_to_stored(made[0].numpy()).astype(int)
    theirs = _picture("posed.png").astype(int)
    assert theirs.std() > 50
    assert np.abs(ours - theirs).max() <= 1  # another processor may round otherwise


def test_a_bundle_says_what_it_said() -> None:
    bundle = load_bundle(EARLIER / "bundle")
    assert bundle.morpher is not None
    assert bundle.morpher.config == NetworkConfig(16, 1, 2, 1, 0.0)
    assert bundle.data_fingerprint == "f1a9e7"
    assert bundle.metrics == {"FU-L1-L1": {"mse": 0.25}}
    sources = {"train": ["a"], "validation": ["b"], "test": ["c"]}
    assert bundle.stages == ({"stage": "morpher", "sources": sources},)


def test_a_bundle_is_written_as_it_was(tmp_path: Path) -> None:
    save_bundle(tmp_path / "bundle", load_bundle(EARLIER / "bundle"))
    for path in (EARLIER / "bundle").iterdir():
        assert (tmp_path / "bundle" / path.name).read_bytes() == path.read_bytes()
