"""Bundles of networks that have learnt nothing: noise, but the same for the same seed.

And a picture to show them.
"""

from __future__ import annotations

import torch

from contract.image import NetworkPicture
from models.base.config import NetworkConfig
from models.base.configurations import LossName
from models.files.bundle import Bundle
from models.networks.combiner import Combiner
from models.networks.face_morpher import FaceMorpher
from models.networks.face_rotator import FaceRotator


def untrained(config: NetworkConfig, *losses: LossName, seed: int = 0) -> Bundle:
    """A morpher, a rotator for each of the losses, and a combiner for each pair, in eval mode."""
    torch.manual_seed(seed)
    bundle = Bundle(
        FaceMorpher(config),
        {a: FaceRotator(config) for a in losses},
        {(a, b): Combiner(config) for a in losses for b in losses},
    )
    for network in bundle.networks().values():
        network.eval()
    return bundle


def soft_picture(side: int) -> NetworkPicture:
    """(4, side, side): a smooth picture, for noise turns a last bit of a flow into much."""
    draw = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 4, 6, 6, generator=draw) * 2 - 1
    picture: NetworkPicture = torch.nn.functional.interpolate(coarse, (side, side), mode="bicubic")[
        0
    ].numpy()
    return picture
