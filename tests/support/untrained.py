"""Bundles of networks that have learnt nothing: noise, but the same for the same seed."""

from __future__ import annotations

import torch

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
