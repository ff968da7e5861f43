"""The flow of a stiff head: small exact cases, and MMD's own turns of a head and a neck bone."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from contract.convention import MMD_TO_VIEW
from contract.pose import Pose
from models.base.config import NetworkConfig
from models.base.rigid import turned
from models.networks.face_rotator import FaceRotator, flowing, warp
from renderer.deform.quaternion import from_axis_angle, multiply, to_rows

SIDE = 64
NECK_Y, HEAD_Y, USUAL_DEPTH = -0.62, -0.42, 0.3  # of -0.5, the chin's height
FIFTEEN = math.radians(15)


def _pose(head_x: float = 0, head_y: float = 0, neck_z: float = 0) -> Tensor:
    return torch.tensor([[head_x, head_y, neck_z]], dtype=torch.float32)


def _nearness(value: float = 0.0, side: int = SIDE) -> Tensor:
    return torch.full((1, 1, side, side), value)


def _source(flow: Tensor, row: int, column: int) -> tuple[float, float]:
    """Where a pixel's content comes from: x and y in heights of the head, y up."""
    side = flow.shape[-1]
    x, y = (flow[0, :, row, column] * (side - 1) / side).tolist()
    return x + (2 * column + 1) / side - 1, -(y + (2 * row + 1) / side - 1)


def test_a_head_at_rest_stays() -> None:
    assert turned(_pose(), _nearness(0.3)).abs().max() < 1e-6


@pytest.mark.parametrize(("row", "column"), [(0, 0), (10, 50), (63, 20)])
def test_a_neck_leans_about_its_joint(row: int, column: int) -> None:
    """The picture turns about (0, -0.62), by 15 degrees toward the viewer's left, at any depth."""
    flow = turned(_pose(neck_z=1), _nearness(0.7))
    x, y = (2 * column + 1) / SIDE - 1, 1 - (2 * row + 1) / SIDE - NECK_Y
    cosine, sine = math.cos(FIFTEEN), math.sin(FIFTEEN)
    expected = cosine * x + sine * y, cosine * y - sine * x + NECK_Y
    assert _source(flow, row, column) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("nearness", [-0.3, 0.0, 0.2])
def test_what_is_near_moves_far_as_a_head_turns(nearness: float) -> None:
    """Beside the axis at depth z, x was z sin(15 degrees) farther to the right."""
    depth = USUAL_DEPTH + nearness
    x, y = _source(turned(_pose(head_y=1), _nearness(nearness, 63)), 31, 31)
    assert (x, y) == pytest.approx((depth * math.sin(FIFTEEN), 0), abs=1e-5)
    x, y = _source(turned(_pose(head_x=1), _nearness(nearness, 63)), 31, 31)
    above = -HEAD_Y
    lower = math.cos(FIFTEEN) * above - math.sin(FIFTEEN) * depth + HEAD_Y
    assert (x, y) == pytest.approx((0, lower), abs=1e-5)


@pytest.mark.parametrize(
    ("pose", "moves"),
    [(_pose(head_x=1), (-1, 0)), (_pose(head_y=1), (0, -1)), (_pose(neck_z=1), (0, -1))],
    ids=["up", "to the viewer's left", "to the viewer's left"],
)
def test_what_the_pose_says_comes_about(pose: Tensor, moves: tuple[int, int]) -> None:
    """A dot on the face goes where the pose vector says that the face goes: rows, columns."""
    picture = torch.zeros(1, 4, SIDE, SIDE)
    picture[..., 30:33, 30:33] = 1
    seen = warp(picture, turned(pose, _nearness(0.2)))[0, 0] > 0.3
    rows, columns = (float(found.float().mean()) for found in seen.nonzero(as_tuple=True))
    for by, way in zip((rows - 31, columns - 31), moves, strict=True):
        assert by * way > 2 if way else abs(by) < 1


def test_it_turns_back_what_mmds_bones_turn() -> None:
    """Points that head and neck bone turned, as the renderer turns them, are found again."""
    pose = Pose(head_x=0.7, head_y=-0.9, neck_z=0.8)
    angles = np.array([pose.head_x, pose.head_y, pose.neck_z]) * FIFTEEN
    tilt, turn, lean = (
        np.array(to_rows(from_axis_angle(tuple(axis), float(angle))))
        for axis, angle in zip(np.eye(3), angles, strict=True)
    )
    flip = MMD_TO_VIEW[:3, :3]
    head, neck = np.array([0, HEAD_Y, 0]), np.array([0, NECK_Y, 0])
    nodded = np.array(
        to_rows(
            multiply(
                from_axis_angle((0, 1, 0), float(angles[1])),
                from_axis_angle((1, 0, 0), float(angles[0])),
            )
        )
    )
    np.testing.assert_allclose(nodded, turn @ tilt, atol=1e-6)
    side = 2048  # so that a pixel's middle lies near any place
    for x, y, z in ((0.1, 0.2, 0.4), (-0.5, 0.3, -0.2), (0.0, -0.4, 0.45)):
        by_head = flip @ nodded @ flip @ (np.array([x, y, z]) - head) + head
        place = flip @ lean @ flip @ (by_head - neck) + neck
        column, row = round((place[0] + 1) * side / 2 - 0.5), round((1 - place[1]) * side / 2 - 0.5)
        flow = turned(
            _pose(pose.head_x, pose.head_y, pose.neck_z),
            torch.full((1, 1, side, side), place[2] - USUAL_DEPTH),
        )
        assert _source(flow, row, column) == pytest.approx((x, y), abs=2 / side)


def test_a_flow_is_added_to_what_belongs_to_the_head() -> None:
    said = torch.zeros(1, 4, SIDE, SIDE)
    said[:, 0] = 0.1
    said[:, 3, :, :32], said[:, 3, :, 32:] = -80.0, 80.0
    flow = flowing(said, _pose(neck_z=1))
    whole = turned(_pose(neck_z=1), _nearness())
    added = torch.tensor([0.1, 0.0])[None, :, None, None].expand(-1, -1, SIDE, 32)
    torch.testing.assert_close(flow[..., :32], added)
    torch.testing.assert_close(flow[..., 32:], whole[..., 32:] + added)


def test_only_rigid_rotators_say_more_than_a_flow() -> None:
    config = NetworkConfig(16, 4, 8, 1)
    assert FaceRotator(config).flow_head.out_channels == 2
    assert FaceRotator(NetworkConfig(16, 4, 8, 1, rigid=True)).flow_head.out_channels == 4
    assert "rigid" not in config.to_json()
