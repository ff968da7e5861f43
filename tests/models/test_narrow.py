"""Strands and gaps of the picture stay the flow's; what the flow tears does not."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from models.base.config import NetworkConfig
from models.base.narrow import left_to_the_flow, narrow_parts
from models.networks.combiner import Combiner
from models.networks.face_rotator import FaceRotator
from models.system import Turn

CONFIG = NetworkConfig(64, 4, 8, 1, sees=16, rests=True, flow_outlines=True)
PIXEL = 2 / 15  # one of 16, as ``warp`` counts
STILL = torch.zeros(1, 2, 16, 16)
COMB = torch.zeros(16, 16)
COMB[4:12, 2:5] = COMB[4:12, 6:9] = COMB[4:12, 12] = 1  # two teeth, a narrow gap, a strand
NARROW = torch.zeros(16, 16)
NARROW[4:12, 5] = NARROW[4:12, 12] = 1


def _picture(coverage: Tensor) -> Tensor:
    return torch.cat([torch.zeros(3, 16, 16), coverage[None] * 2 - 1])[None]


def test_strands_and_gaps_are_narrow_and_straight_edges_and_corners_are_not() -> None:
    found = narrow_parts(_picture(COMB), STILL)[0, 0]
    torch.testing.assert_close(found, NARROW, rtol=0, atol=1e-5)


def test_what_is_narrow_goes_with_the_flow() -> None:
    offset = torch.cat([torch.full((1, 1, 16, 16), 2 * PIXEL), torch.zeros(1, 1, 16, 16)], 1)
    found = narrow_parts(_picture(COMB), offset)[0, 0]
    torch.testing.assert_close(found, NARROW.roll(-2, 1), rtol=0, atol=1e-4)


def test_edges_that_are_a_little_uneven_are_not_narrow() -> None:
    found = narrow_parts(_picture(COMB * 0.19), STILL)
    assert found.abs().max() < 1e-5


def test_nothing_is_added_to_what_the_flow_hardly_shows_but_it_may_be_taken_away() -> None:
    narrow = torch.ones(1, 1, 16, 16)
    faint, full = (_picture(torch.full((16, 16), value)) for value in (0.05, 1.0))
    nothing = _picture(torch.zeros(16, 16))
    for shown, change, share in ((faint, full, 1), (faint, nothing, 0), (full, nothing, 1)):
        torch.testing.assert_close(left_to_the_flow(narrow, shown, change), share * narrow)
    assert left_to_the_flow(0 * narrow, faint, full).max() == 0


def test_a_combiner_leaves_what_is_narrow_to_the_flow() -> None:
    generator = torch.Generator().manual_seed(3)
    combiner = Combiner(replace(CONFIG, size=16, sees=0), generator).eval()
    pathways = torch.rand(2, 1, 4, 16, 16, generator=generator) * 2 - 1
    pathways[1, :, 3] = 1
    pose = torch.full((1, 3), 0.5)
    output = combiner(*pathways, pose, NARROW[None, None]).output
    left = NARROW.expand(4, -1, -1) > 0
    torch.testing.assert_close(output[0][left], pathways[1, 0][left], rtol=0, atol=1e-6)
    assert (output[0] - pathways[1, 0])[:3][~left[:3]].abs().mean() > 0.01
    learnt = combiner.train()(*pathways, pose, NARROW[None, None]).output
    torch.testing.assert_close(learnt, combiner(*pathways, pose).output, rtol=0, atol=0)


def test_a_head_that_turns_is_told_of_the_strands_of_its_expression() -> None:
    generator = torch.Generator().manual_seed(4)
    rotator, combiner = (kind(CONFIG, generator).eval() for kind in (FaceRotator, Combiner))
    assert isinstance(rotator, FaceRotator)
    assert isinstance(combiner, Combiner)
    comb = _picture(COMB).repeat_interleave(4, 2).repeat_interleave(4, 3)
    pose = torch.full((1, 3), 0.5)
    with torch.inference_mode():
        turned = rotator(comb, pose)
        narrow = narrow_parts(_picture(COMB), turned.offset)
        told, untold = (combiner(*turned[:2], pose, one).output for one in (narrow, None))
        whole = Turn(rotator, combiner, None)(comb, pose)
    torch.testing.assert_close(whole, told, rtol=0, atol=1e-5)
    assert (whole - untold).abs().max() > 1e-3
