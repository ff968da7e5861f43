"""What origins teach, against distances and neighbours written out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from contract.origins import HIDDEN, NOTHING, ORIGINS_SIDE, SEEN
from train.data.batch import Traces
from train.loss.traced import continued, flow_error, uncopied

LOOK = 64
STEP = 2 / (LOOK - 1)  # one pixel of the look, as a flow has it


def _still(shown: int = SEEN, count: int = 1) -> Traces:
    """Every pixel shows what lay there before."""
    place = (torch.arange(ORIGINS_SIDE) + 0.5) * 2 / ORIGINS_SIDE - 1
    x, y = torch.meshgrid(place, place, indexing="xy")
    places = torch.stack([x, y], -1).expand(count, -1, -1, -1).clone()
    state = torch.full((count, ORIGINS_SIDE, ORIGINS_SIDE), shown, dtype=torch.uint8)
    return Traces(places, state)


def _flow(x_pixels: float, y_pixels: float, count: int = 1) -> Tensor:
    return (
        torch.tensor([x_pixels, y_pixels])[None, :, None, None].expand(count, 2, LOOK, LOOK) * STEP
    )


def _soft(distance: float) -> float:
    return float((distance**2 + 0.01) ** 0.5 - 0.1)


def test_the_error_of_a_flow_is_its_distance_in_pixels_of_the_look() -> None:
    assert float(flow_error(_flow(0, 0), _still())) == pytest.approx(0, abs=1e-6)
    assert float(flow_error(_flow(3, -4), _still())) == pytest.approx(_soft(5), rel=1e-4)
    moved = _still()
    moved.places[..., 0] += 3 * 2 / LOOK  # three pixels of the look from the right
    assert float(flow_error(_flow(3, 0), moved)) == pytest.approx(0, abs=1e-4)
    assert float(flow_error(_flow(0, 4), moved)) == pytest.approx(_soft(5), rel=1e-4)


def test_what_is_not_shown_or_was_hidden_has_no_say() -> None:
    for state in (NOTHING, HIDDEN):
        assert float(flow_error(_flow(9, 9, 2), _still(state, 2))) == 0
    both = _still(SEEN, 2)
    both.shown[1] = HIDDEN
    off = torch.cat([_flow(1, 0), _flow(9, 9)])
    assert float(flow_error(off, both)) == pytest.approx(_soft(1), rel=1e-4)


def test_the_error_of_a_flow_has_a_gradient_that_leads_to_the_origins() -> None:
    flow = _flow(2, 0).clone().requires_grad_()
    flow_error(flow, _still()).backward()  # type: ignore[no-untyped-call]
    assert flow.grad is not None
    assert (flow.grad[:, 0] > 0).all()
    assert flow.grad[:, 1].abs().max() < 1e-3 * flow.grad[:, 0].max()


@pytest.mark.parametrize("look", [16, 48, 96, 128, 256])
def test_a_flow_is_compared_as_it_is_applied_whatever_its_look(look: int) -> None:
    """One that says nothing moved, and one that is a pixel of the look beside."""
    still = torch.zeros(1, 2, look, look)
    assert float(flow_error(still, _still())) == pytest.approx(0, abs=1e-6)
    beside = still + 2 / (look - 1)
    assert float(flow_error(beside, _still())) == pytest.approx(_soft(2**0.5), rel=1e-4)


def test_what_could_be_copied_and_is_not_counts() -> None:
    """A quarter of the picture was seen; there a half of each channel but alpha is copied."""
    traces = _still(NOTHING)
    traces.shown[:, : ORIGINS_SIDE // 2, : ORIGINS_SIDE // 2] = SEEN
    copied = torch.zeros(1, 4, LOOK, LOOK)
    assert float(uncopied(copied, traces)) == 1
    copied[:, :3, : LOOK // 2, : LOOK // 2] = 0.5
    copied[:, 3, : LOOK // 2, : LOOK // 2] = 1
    assert float(uncopied(copied, traces)) == pytest.approx(3 / 8)
    copied[..., LOOK // 2 :] = 0.3  # elsewhere nothing is asked
    assert float(uncopied(copied, traces)) == pytest.approx(3 / 8)
    traces.shown[:, ::2, ::2] = NOTHING  # of no pixel of the look was all seen
    assert float(uncopied(copied, traces)) == 0


def test_what_hid_a_pixel_is_continued_into_it() -> None:
    """A column of a chin that moved by 8, three pixels of hair that came into view under it and
    moved by -10, and hair of the same kind that had been seen: ring by ring the chin goes on,
    though the hair moved more, and never takes what is known."""
    motion = torch.tensor([8.0, -10, -10, -10, -10, -10]).repeat(1, 2, 6, 1)
    motion[:, 1] = 0
    state = [SEEN, HIDDEN, HIDDEN, HIDDEN, SEEN, SEEN]
    shown = torch.tensor(state, dtype=torch.uint8).repeat(1, 6, 1)
    one, known_one = continued(motion, shown, 1, 1.0)
    assert one[0, 0, 2].tolist() == [8, 8, -10, -10, -10, -10]
    assert known_one[0, 2].tolist() == [True, True, False, False, True, True]
    three, known_three = continued(motion, shown, 3, 1.0)
    assert three[0, 0, 2].tolist() == [8, 8, 8, 8, -10, -10]
    assert known_three.all()
    assert not three[:, 1].any()


def test_a_motion_is_continued_to_the_corners_and_not_from_beyond_the_picture() -> None:
    moved = torch.tensor([-3.0, 4.0])[:, None, None]
    motion = torch.zeros(1, 2, 5, 5)
    motion[0, :, 2, 2] = moved[:, 0, 0]
    shown = torch.full((1, 5, 5), HIDDEN, dtype=torch.uint8)
    shown[0, 2, 2] = SEEN
    around, there = continued(motion, shown, 1, 4.9)
    assert there[0].sum() == 9
    assert (around[0, :, 1:4, 1:4] == moved).all()
    everywhere, there = continued(motion, shown, 3, 4.9)
    assert there.all()
    assert (everywhere[0] == moved).all()
    shown[0, 1] = NOTHING
    assert continued(motion, shown, 3, 4.9)[1][0].sum(1).tolist() == [0, 0, 5, 5, 5]
    for same in (continued(motion, shown, 3, 5.0), continued(motion, shown * 0, 3, 0.0)):
        assert same[1].sum() <= 1
        assert (same[0] == motion).all()


def test_a_flow_follows_what_moved_a_little_beyond_its_edge() -> None:
    """Half the picture moved up, the rest stays, and between them eight rows came into view: the
    first four of those belong to the half that moved, and the error of staying is there, too."""
    traces = _still()
    traces.places[:, :60, :, 1] += 3 * 2 / LOOK
    traces.shown[:, 60:68] = HIDDEN
    up = _flow(0, 3).clone()
    up[:, :, 32:] = 0  # of the look, two of the origins each
    late = up.clone()
    late[:, :, 30:32] = 0
    assert float(flow_error(up, traces)) < 0.7 * float(flow_error(late, traces))
    traces.shown[:, 60:68] = NOTHING
    assert float(flow_error(up, traces)) == pytest.approx(0, abs=1e-3)
