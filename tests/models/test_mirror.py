"""Deciding on both sides: the mean of both, and its mirror image for a mirrored picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from contract.pose import FACE, JOINTS, mirrored_pose
from models.base.config import NetworkConfig
from models.base.mirror import both_faces, both_joints, both_looks, mean_blend, mean_flow
from models.networks.face_morpher import FaceMorpher
from models.networks.face_rotator import FaceRotator

ONE_SIDE = NetworkConfig(32, 8, 16, 1, 0.3, rests=True, skips=True, palette=3, rigid=True)
BOTH_SIDES = replace(ONE_SIDE, both_sides=True)


def _row(*values: float) -> Tensor:
    """Pictures of one row and one channel, one for each list of a pair."""
    return torch.tensor(values).reshape(2, 1, 1, -1)


@pytest.mark.parametrize(
    ("kept", "change", "mean_kept", "mean_change"),
    [
        ((0.5, 0.5), (0.8, -0.2), 0.5, 0.3),
        ((0.0, 1.0), (0.8, -0.2), 0.5, 0.8),  # who keeps all says nothing of what replaces it
        ((0.75, 0.25), (0.8, -0.2), 0.5, 0.05),
        ((1.0, 1.0), (0.8, -0.2), 1.0, 0.3),
    ],
)
def test_what_replaces_more_counts_more(
    kept: tuple[float, float],
    change: tuple[float, float],
    mean_kept: float,
    mean_change: float,
) -> None:
    shares, colours = mean_blend(_row(*kept), _row(*change))
    torch.testing.assert_close(shares.flatten(), torch.tensor([mean_kept]))
    torch.testing.assert_close(colours.flatten(), torch.tensor([mean_change]))


def test_what_was_decided_on_the_mirror_image_is_turned_back() -> None:
    shares, colours = mean_blend(_row(0, 1, 1, 1, 1, 0), _row(0.5, 0, 0, 0, 0, 0.7))
    torch.testing.assert_close(shares.flatten(), torch.tensor([0.0, 1.0, 1.0]))
    torch.testing.assert_close(colours[0, 0, 0, 0], torch.tensor(0.6))
    offset = torch.zeros(2, 2, 1, 2)
    offset[0, :, 0, 0] = torch.tensor([0.5, 0.3])  # x, y
    offset[1, :, 0, 1] = torch.tensor([-0.1, 0.1])
    made = mean_flow(offset)
    torch.testing.assert_close(made[0, :, 0, 0], torch.tensor([0.3, 0.2]))
    assert not made[..., 1].any()


def test_poses_are_mirrored_as_the_contract_has_it() -> None:
    poses = np.random.default_rng(0).uniform(0, 1, (3, 6)).astype(np.float32)
    mirrored = np.stack([mirrored_pose(pose) for pose in poses])
    for axes, both in ((FACE, both_faces), (JOINTS, both_joints)):
        wanted = torch.from_numpy(np.concatenate([poses[:, axes], mirrored[:, axes]]))
        assert torch.equal(both(torch.from_numpy(poses[:, axes])), wanted)
    look = torch.rand(2, 4, 3, 3)
    assert torch.equal(both_looks(look)[2:], look.flip(3))


@pytest.mark.parametrize("kind", [FaceMorpher, FaceRotator])
def test_a_mirrored_picture_is_decided_on_as_its_mirror_image(
    kind: type[FaceMorpher] | type[FaceRotator],
) -> None:
    torch.manual_seed(1)
    look = torch.rand(2, 4, 32, 32) * 2 - 1
    pose = torch.tensor([[0.5, 0.2, 0.3], [0.9, 0.1, 0.8]])
    mirrored = (both_faces if kind is FaceMorpher else both_joints)(pose)[2:]
    apart = []
    for config in (ONE_SIDE, BOTH_SIDES):
        network = kind(config, torch.Generator().manual_seed(0)).eval()
        with torch.no_grad():
            here, there = network.decide(look, pose), network.decide(look.flip(3), mirrored)
        wanted = {name: value.flip(3) for name, value in here._asdict().items()}
        if "offset" in wanted:
            wanted["offset"] = wanted["offset"] * torch.tensor([-1.0, 1.0])[None, :, None, None]
        given = there._asdict()
        apart.append(max(float((given[name] - wanted[name]).abs().max()) for name in wanted))
    assert apart[0] > 0.01
    assert apart[1] < 1e-4


@pytest.mark.parametrize("kind", [FaceMorpher, FaceRotator])
def test_it_learns_as_any_and_changes_nothing_at_rest(
    kind: type[FaceMorpher] | type[FaceRotator],
) -> None:
    picture, pose = torch.rand(2, 4, 32, 32) * 2 - 1, torch.full((2, 3), 0.5)
    one, both = (
        kind(config, torch.Generator().manual_seed(0)) for config in (ONE_SIDE, BOTH_SIDES)
    )
    for learnt, learnt_too in zip(
        one.train()(picture, pose), both.train()(picture, pose), strict=True
    ):
        assert torch.equal(learnt, learnt_too)
    rest = torch.tensor([[0.0, 0, 1]] if kind is FaceMorpher else [[0.0, 0, 0]]).expand(2, 3)
    with torch.no_grad():
        assert torch.equal(both.eval()(picture, rest)[0], picture)
