"""The first seven convolutions of VGG16 (Simonyan & Zisserman 2015), for the perceptual loss.

The weights are torchvision's ``vgg16-397923af.pth``, trained on ImageNet. They are the user's own
copy: nothing is downloaded here.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from contract.errors import InputError
from models.files.torch_file import load_plain

FILE_NAME = "vgg16-397923af.pth"
SHA256_PREFIX = "397923af"
"""The file's name carries the first digits of its SHA-256."""
ADDRESS = f"https://download.pytorch.org/models/{FILE_NAME}"
VARIABLE = "OPENTHA_VGG16"

# (index in the file's ``features``, inputs, outputs) of conv1_1 ... conv3_3.
_CONVOLUTIONS = (
    (0, 3, 64),
    (2, 64, 64),
    (5, 64, 128),
    (7, 128, 128),
    (10, 128, 256),
    (12, 256, 256),
    (14, 256, 256),
)
_POOL_BEFORE = {2, 4}
_ANSWER_AFTER = {1, 3, 6}

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


class VggActivations(NamedTuple):
    """relu1_2 (N, 64, H, W), relu2_2 (N, 128, H/2, W/2), relu3_3 (N, 256, H/4, W/4)."""

    relu1_2: Tensor
    relu2_2: Tensor
    relu3_3: Tensor


class Vgg16(nn.Module):
    """VGG16 up to relu3_3; its weights are frozen, gradients reach its input only.

    The input is three channels of network form, [-1, 1]. They are mapped to [0, 1] and normalised
    by ImageNet's mean and deviation, as the weights expect, but stay in linear light: the loss that
    this serves compares the channels of the pictures as the networks see them, and alpha, which is
    no light, passes the same way.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 3, padding=1) for _, inputs, outputs in _CONVOLUTIONS
        )
        self.requires_grad_(False)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN)[:, None, None])
        self.register_buffer("deviation", torch.tensor(IMAGENET_DEVIATION)[:, None, None])

    def forward(self, channels: Tensor) -> VggActivations:
        """(N, 3, H, W) in [-1, 1] -> the three activations; H and W are multiples of 4."""
        features = ((channels + 1) / 2 - self.mean) / self.deviation
        answers: list[Tensor] = []
        for number, convolution in enumerate(self.convolutions):
            if number in _POOL_BEFORE:
                features = functional.max_pool2d(features, 2)
            features = torch.relu(convolution(features))
            if number in _ANSWER_AFTER:
                answers.append(features)
        return VggActivations(*answers)


def find_vgg16(path: Path | None = None) -> Path:
    """Where the weights lie: ``path``, else the variable OPENTHA_VGG16, else torch's cache.

    Raises:
        InputError: there is no such file; the message says where to get it and put it.
    """
    named = path or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    found = named or Path(torch.hub.get_dir()) / "checkpoints" / FILE_NAME
    if not found.is_file():
        raise InputError(
            f"{found}: VGG16's weights are not there; the perceptual loss needs {FILE_NAME} "
            f"(528 MB, {ADDRESS}): put it there, or name it by the option --vgg16 "
            f"or the variable {VARIABLE}"
        )
    return found


def load_vgg16(path: Path | None = None) -> Vgg16:
    """VGG16 with the weights of ``find_vgg16(path)``, verified and frozen.

    Raises:
        InputError: the file is missing, is another one, or cannot be read.
    """
    found = find_vgg16(path)
    with found.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not digest.startswith(SHA256_PREFIX):
        raise InputError(
            f"{found}: its SHA-256 begins with {digest[:8]}, not {SHA256_PREFIX}; "
            f"it is damaged or another file; get it again from {ADDRESS}"
        )
    try:
        state = load_plain(found)
    except (RuntimeError, EOFError) as error:
        raise InputError(f"{found}: not a file of weights; get it from {ADDRESS}") from error
    if not isinstance(state, Mapping):
        raise InputError(f"{found}: not a file of weights; get it from {ADDRESS}")
    return vgg16_from_state(state, str(found))


def vgg16_from_state(state: Mapping[str, Tensor], name: str) -> Vgg16:
    """VGG16 with the ``features.*`` of a torchvision state dict; everything else is left out.

    ``name`` is how errors call the state dict.

    Raises:
        InputError: a tensor is missing or has another shape.
    """
    vgg = Vgg16()
    for (index, _, _), convolution in zip(_CONVOLUTIONS, vgg.convolutions, strict=True):
        for part, parameter in convolution.named_parameters():
            key = f"features.{index}.{part}"
            given = state.get(key) if isinstance(state, Mapping) else None
            if given is None or given.shape != parameter.shape:
                shape = "missing" if given is None else f"of shape {tuple(given.shape)}"
                raise InputError(
                    f"{name}: {key} is {shape}, not {tuple(parameter.shape)}; "
                    f"use torchvision's {FILE_NAME}"
                )
            parameter.copy_(given)
    return vgg
