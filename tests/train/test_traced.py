"""What origins teach, against distances and neighbours written out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from contract.origins import HIDDEN, NOTHING, ORIGINS_SIDE, SEEN
from train.data.batch import Traces
from train.loss.traced import continued, flow_error, motions, surrounded, uncopied

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


def _picture(alpha: float = 1.0, count: int = 1) -> Tensor:
    """Of which alpha is everywhere what is given, 1 for all and -1 for nothing."""
    return torch.cat(
        [torch.zeros(count, 3, LOOK, LOOK), torch.full((count, 1, LOOK, LOOK), alpha)], 1
    )


def _error(flow: Tensor, traces: Traces, image: Tensor | None = None) -> float:
    """Of a picture that fills all, unless one is given."""
    image = _picture(1, len(flow)) if image is None else image
    return float(flow_error(flow, motions(traces, image)))


def _uncopied(copied: Tensor, traces: Traces) -> float:
    return float(uncopied(copied, motions(traces, _picture())))


def _soft(distance: float) -> float:
    return float((distance**2 + 0.01) ** 0.5 - 0.1)


def test_the_error_of_a_flow_is_its_distance_in_pixels_of_the_look() -> None:
    assert _error(_flow(0, 0), _still()) == pytest.approx(0, abs=1e-6)
    assert _error(_flow(3, -4), _still()) == pytest.approx(_soft(5), rel=1e-4)
    moved = _still()
    moved.places[..., 0] += 3 * 2 / LOOK  # three pixels of the look from the right
    assert _error(_flow(3, 0), moved) == pytest.approx(0, abs=1e-4)
    assert _error(_flow(0, 4), moved) == pytest.approx(_soft(5), rel=1e-4)


def test_what_is_not_shown_or_was_hidden_has_no_say() -> None:
    for state in (NOTHING, HIDDEN):
        assert _error(_flow(9, 9, 2), _still(state, 2)) == 0
    both = _still(SEEN, 2)
    both.shown[1] = HIDDEN
    off = torch.cat([_flow(1, 0), _flow(9, 9)])
    assert _error(off, both) == pytest.approx(_soft(1), rel=1e-4)


def test_the_error_of_a_flow_has_a_gradient_that_leads_to_the_origins() -> None:
    flow = _flow(2, 0).clone().requires_grad_()
    flow_error(flow, motions(_still(), _picture())).backward()  # type: ignore[no-untyped-call]
    assert flow.grad is not None
    assert (flow.grad[:, 0] > 0).all()
    assert flow.grad[:, 1].abs().max() < 1e-3 * flow.grad[:, 0].max()


@pytest.mark.parametrize("look", [16, 48, 96, 128, 256])
def test_a_flow_is_compared_as_it_is_applied_whatever_its_look(look: int) -> None:
    """One that says nothing moved, and one that is a pixel of the look beside."""
    still = torch.zeros(1, 2, look, look)
    assert _error(still, _still()) == pytest.approx(0, abs=1e-6)
    beside = still + 2 / (look - 1)
    assert _error(beside, _still()) == pytest.approx(_soft(2**0.5), rel=1e-4)


def test_what_could_be_copied_and_is_not_counts() -> None:
    """A quarter of the picture was seen; there a half of each channel but alpha is copied."""
    traces = _still(NOTHING)
    traces.shown[:, : ORIGINS_SIDE // 2, : ORIGINS_SIDE // 2] = SEEN
    copied = torch.zeros(1, 4, LOOK, LOOK)
    assert _uncopied(copied, traces) == 1
    copied[:, :3, : LOOK // 2, : LOOK // 2] = 0.5
    copied[:, 3, : LOOK // 2, : LOOK // 2] = 1
    assert _uncopied(copied, traces) == pytest.approx(3 / 8)
    copied[..., LOOK // 2 :] = 0.3  # elsewhere nothing is asked
    assert _uncopied(copied, traces) == pytest.approx(3 / 8)
    traces.shown[:, ::2, ::2] = NOTHING  # of no pixel of the look was all seen
    assert _uncopied(copied, traces) == 0


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
    assert _error(up, traces) < 0.7 * _error(late, traces)
    traces.shown[:, 60:68] = NOTHING
    assert _error(up, traces) == pytest.approx(0, abs=1e-3)


def test_air_takes_the_mean_of_the_motions_beside_ring_by_ring() -> None:
    """Two motions with five pixels of nothing between them, and a pixel that was hidden."""
    motion = torch.tensor([4.0, 0, 0, 0, 0, 0, 8, 0]).repeat(1, 2, 3, 1)
    known = torch.tensor([True, False, False, False, False, False, True, False]).repeat(1, 3, 1)
    shown = torch.tensor([SEEN, *[NOTHING] * 5, SEEN, HIDDEN], dtype=torch.uint8).repeat(1, 3, 1)
    one, reached = surrounded(motion, known, shown, 1)
    assert one[0, 0].tolist() == [[4, 4, 0, 0, 0, 8, 8, 0]] * 3
    assert reached[0, 1].tolist() == [True, True, False, False, False, True, True, False]
    all_of_it, reached = surrounded(motion, known, shown, 9)
    assert all_of_it[0, 1, 1].tolist() == [4, 4, 4, pytest.approx(6), 8, 8, 8, 0]
    assert reached[0, 1].tolist() == [True] * 7 + [False]
    alone, reached = surrounded(motion, known & False, shown, 9)
    assert torch.equal(alone, motion)
    assert not reached.any()


def test_the_air_around_a_head_goes_along_where_it_finds_air() -> None:
    """The left half of the picture moved by three pixels of the look; to the right is nothing."""
    traces, half = _still(), ORIGINS_SIDE // 2
    traces.places[..., 0] += 3 * 2 / LOOK
    traces.shown[:, :, half:] = NOTHING
    along, still = _flow(3, 0), _flow(3, 0).clone()
    still[..., LOOK // 2 :] = 0
    body = _picture()
    body[..., LOOK // 2 + 3 :] = -1  # what had moved lay three pixels farther to the right
    assert _error(along, traces, body) == pytest.approx(0, abs=1e-3)
    near = still.clone()
    near[..., LOOK // 2 : LOOK // 2 + 9] = along[..., :9]  # half a pixel more, for the enlargement
    assert _error(near, traces, body) == pytest.approx(0, abs=1e-3)
    assert _error(still, traces, body) > 0.2
    assert _error(still, traces) < 0.1  # there it would find the body


def test_air_that_goes_along_is_to_be_copied_too() -> None:
    """All to the left was seen; to the right is nothing, as before, and for eight pixels of the
    look that counts."""
    traces, half = _still(), LOOK // 2
    traces.shown[:, :, 2 * half :] = NOTHING
    image = _picture()
    image[..., half:] = -1
    copied = torch.zeros(1, 4, LOOK, LOOK)
    copied[..., :half] = 1
    assert float(uncopied(copied, motions(traces, image))) == pytest.approx(8 / (half + 8))
    copied[..., half : half + 8] = 1
    assert float(uncopied(copied, motions(traces, image))) == 0
    image[..., half:] = 1  # something lies there: that is no air
    copied[..., half:] = 0
    assert float(uncopied(copied, motions(traces, image))) == 0
