"""Pictures changed by chance: alike for input and target, clean at edges, decided by position."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from contract.errors import InputError
from contract.image import stored_to_network
from contract.origins import HIDDEN, NOTHING, ORIGINS_SIDE, SEEN
from tests.support.tiny_runs import open_run, tiny_plan
from tests.support.tiny_shards import write_shards
from train.data.augmentation import Augmentation, _changed, _draws, _moved_traces, augmented
from train.data.batch import Batch, Traces
from train.data.jpeg import compressed
from train.plan.plan import StageSettings
from train.plan.presets import LIVE, PRESETS
from train.plan.stages import STAGES
from train.run.checkpoint import load_checkpoint
from train.run.loop import train_stage

SIZE = 64
EVERYTHING = Augmentation(0.12, 0.08, 0.07, 0.75, 1.2, 0.3, 0.2, 0.2, 0.5, 1.0, 1.0)


def _disc(count: int = 1, colour: tuple[float, float, float] = (0.8, 0.4, 0.1)) -> Tensor:
    """A disc of one colour in linear light, with a soft edge: (N, 4, SIZE, SIZE)."""
    line = torch.arange(SIZE) - SIZE / 2 + 0.5
    alpha = (20.5 - torch.hypot(line, line[:, None])).clamp(0, 1)
    unit = torch.stack([*(channel * (alpha > 0) for channel in colour), alpha])
    return (unit * 2 - 1).expand(count, -1, -1, -1).clone()


def _batch(image: Tensor, target: Tensor | None = None) -> Batch:
    count = len(image)
    return Batch(image, image if target is None else target, torch.zeros(count, 6), (0,) * count)


def _coverage(picture: Tensor) -> Tensor:
    return (picture[3] + 1) / 2


def test_switched_off_it_is_the_very_batch() -> None:
    batch = _batch(_disc())
    assert augmented(batch, Augmentation(), 0, [0]) is batch
    assert PRESETS["paper"][0].augmentation == Augmentation()


def test_input_and_target_change_alike_and_differ_where_they_differed() -> None:
    image = _disc(3)
    target = image.clone()
    target[:, :3, 30:34, 30:34] = -1
    same = augmented(_batch(image), EVERYTHING, 0, range(3))
    assert torch.equal(same.image, same.target)
    without = replace(EVERYTHING, jpeg=0.0)
    made = augmented(_batch(image, target), without, 0, range(3))
    assert torch.equal(made.image[:, 3], made.target[:, 3])
    differing = (made.image != made.target).any(1)
    for one in differing:
        rows, columns = torch.nonzero(one, as_tuple=True)
        assert 16 <= len(rows) <= 14 * 14
        assert max(rows.max() - rows.min(), columns.max() - columns.min()) < 14
    assert not torch.equal(made.image[0], made.image[1])


def test_seed_and_position_alone_decide() -> None:
    batch = _batch(_disc(4))
    whole = augmented(batch, EVERYTHING, 7, range(20, 24)).image
    part = augmented(_batch(_disc(2)), EVERYTHING, 7, range(22, 24)).image
    torch.testing.assert_close(whole[2:], part, rtol=0, atol=0)
    assert not torch.equal(augmented(batch, EVERYTHING, 8, range(20, 24)).image, whole)
    # Another kind switched on leaves the others as they were.
    moves = Augmentation(scale=0.1, turn_radians=0.1, shift=0.1)
    both = replace(moves, gain_low=0.5)
    one, other = (augmented(batch, by, 7, range(4)).image[:, 3] for by in (moves, both))
    torch.testing.assert_close(one, other)


@pytest.mark.parametrize("by", [EVERYTHING, replace(EVERYTHING, jpeg=0.0)])
def test_off_the_character_nothing_is_exactly_nothing(by: Augmentation) -> None:
    made = augmented(_batch(_disc(6)), by, 0, range(6)).image
    is_off = (made[:, 3] == -1)[:, None].expand(-1, 4, -1, -1)
    assert 0.2 < is_off.float().mean() < 0.8
    assert (made[is_off] == -1).all()
    assert (made[:, 3][made[:, 3] > -1] >= 1 / 255 - 1).all()
    assert made.amin() >= -1 and made.amax() <= 1


def test_edges_keep_their_colour_where_pictures_move_and_blur() -> None:
    by = Augmentation(scale=0.12, turn_radians=0.08, shift=0.07, blur=2.0)
    made = augmented(_batch(_disc(6)), by, 0, range(6)).image
    is_on = made[:, 3] > -0.9
    for channel, value in enumerate((0.8, 0.4, 0.1)):
        seen = (made[:, channel][is_on] + 1) / 2
        torch.testing.assert_close(seen, torch.full_like(seen, value), rtol=0, atol=2e-3)


def test_places_are_those_of_the_ranges() -> None:
    by = Augmentation(shift=0.1)
    line = torch.arange(SIZE) + 0.5
    shifts = []
    for picture in augmented(_batch(_disc(64)), by, 0, range(64)).image:
        share = _coverage(picture)
        shifts.append([float((share.sum(axis) * line).sum() / share.sum()) for axis in (0, 1)])
    found = np.array(shifts) / SIZE - 0.5
    assert np.abs(found).max() <= 0.1 + 1e-3 and np.abs(found).max() > 0.08
    assert np.abs(found.mean(0)).max() < 0.02
    sized = augmented(_batch(_disc(64)), Augmentation(scale=0.12), 0, range(64)).image
    ratios = np.array([float(_coverage(one).sum()) for one in sized])
    ratios /= float(_coverage(_disc()[0]).sum())
    assert 0.88**2 - 0.01 <= ratios.min() < 0.85 and 1.15 < ratios.max() <= 1.12**2 + 0.01


def test_a_turn_turns_about_the_middle_without_stretching() -> None:
    image = torch.full((16, 4, SIZE, SIZE), -1.0)
    image[:, :, 30:34, 8:56] = 1
    turned = augmented(_batch(image), Augmentation(turn_radians=0.3), 0, range(16)).image
    line = torch.arange(SIZE) - SIZE / 2 + 0.5
    angles = []
    for picture in turned:
        share = _coverage(picture)
        xx, yy = (share.sum(axis) * line**2 for axis in (0, 1))
        xy = (share * line[:, None] * line).sum()
        angles.append(0.5 * np.arctan2(2 * float(xy), float(xx.sum() - yy.sum())))
        assert float(xx.sum() + yy.sum()) / float(share.sum()) == pytest.approx(193.25, rel=0.02)
    assert 0.2 < max(angles) <= 0.3 + 0.01 and -0.3 - 0.01 <= min(angles) < -0.2


def test_gains_scale_each_colour_in_linear_light() -> None:
    by = Augmentation(gain_low=0.75, gain_high=1.2)
    made = augmented(_batch(_disc(64)), by, 0, range(64)).image
    colours = (made[:, :3, 32, 32] + 1) / 2
    gains = colours / torch.tensor([0.8, 0.4, 0.1])
    assert 0.75 - 1e-5 <= gains.min() < 0.78 and 1.15 < gains.max() <= 1.2 + 1e-5
    correlations = np.corrcoef(gains.T.numpy())[np.triu_indices(3, 1)]
    assert np.abs(correlations).max() < 0.35  # each its own


def test_hues_turn_about_grey_and_leave_grey_as_it_is() -> None:
    by = Augmentation(hue_radians=0.5)
    grey = augmented(_batch(_disc(4, (0.3, 0.3, 0.3))), by, 0, range(4)).image
    torch.testing.assert_close(grey, _disc(4, (0.3, 0.3, 0.3)), rtol=0, atol=1e-5)
    turned = augmented(_batch(_disc(4, (0.5, 0.3, 0.3))), by, 0, range(4)).image
    colours = (turned[:, :3, 32, 32] + 1) / 2
    torch.testing.assert_close(colours.sum(1), torch.full((4,), 1.1))
    assert (colours[:, 1] - colours[:, 2]).abs().min() > 1e-3


def test_lines_grow_and_shrink_but_the_outline_stays() -> None:
    image = _disc(16)
    image[:, :3, 31:33] = torch.where(image[:, 3:, 31:33] > -1, -0.9, -1.0)
    made = augmented(_batch(image), Augmentation(lines=1.0), 0, range(16)).image
    assert torch.equal(made[:, 3], image[:, 3])
    beside, line = made[:, 0, 30, 32], made[:, 0, 31, 32]
    assert beside.min() < 0.4 and beside.max() == image[0, 0, 30, 32]
    assert line.max() > -0.7
    edge = image[:, 3] > -1
    assert (made[:, 0][edge] >= -0.9 - 1e-6).all()  # nothing off the character is drawn in


@pytest.mark.parametrize(
    "by", [replace(EVERYTHING, jpeg=0.5), replace(EVERYTHING, jpeg=0.0), LIVE.augmentation]
)
def test_samples_at_once_come_out_as_one_by_one(by: Augmentation) -> None:
    """Some of them blurred, compressed, with larger lines, and some not."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(12, 2, 3, SIZE, SIZE, generator=generator) * 2 - 1
    pairs = _disc(24).view(12, 2, 4, SIZE, SIZE)
    pairs[:, :, :3] = torch.where(pairs[:, :, 3:] > -1, noise, -1)
    draws = _draws(3, range(12))
    for chosen in (draws[:, 0] > 0, draws[:, 12] > 0, (draws[:, 13] + 1) / 2 < 0.5):
        assert 2 < chosen.sum() < 10
    one_by_one = [_changed(pairs[[i]], by, draws[[i]]) for i in range(12)]
    at_once = _changed(pairs, by, draws)
    torch.testing.assert_close(at_once, torch.cat(one_by_one), rtol=0, atol=1e-6)


def test_jpegs_at_once_have_each_its_quality() -> None:
    colour = torch.rand(3, 3, 16, 24, generator=torch.Generator().manual_seed(0))
    qualities = np.array([40.0, 60.5, 95.0])
    each = [compressed(colour[[i]], quality) for i, quality in enumerate(qualities)]
    torch.testing.assert_close(compressed(colour, qualities), torch.cat(each), rtol=0, atol=1e-6)
    assert not torch.allclose(compressed(colour, 60.5)[0], each[0][0], atol=0.01)


@pytest.mark.parametrize("quality", [40, 75, 95])
def test_jpeg_is_that_of_a_library(quality: int) -> None:
    generator = np.random.Generator(np.random.PCG64(0))
    coarse = generator.integers(0, 256, (16, 16, 3), np.uint8)
    picture = np.asarray(Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC))
    packed = io.BytesIO()
    Image.fromarray(picture).save(packed, "JPEG", quality=quality, subsampling=0)
    theirs = np.asarray(Image.open(packed)).astype(np.float32)
    linear = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None] / 255
    ours = compressed(linear.square(), quality).sqrt()[0].permute(1, 2, 0).numpy() * 255
    error, effect = np.abs(ours.clip(0, 255) - theirs).mean(), np.abs(picture - theirs).mean()
    assert error < 1.5 and error < 0.7 * effect  # it rounds colours to bytes on its way, we do not


def test_the_live_preset_changes_pictures_within_what_drawings_are() -> None:
    rest = np.zeros((SIZE, SIZE, 4), np.uint8)
    rest[16:, 12:52] = 200, 150, 120, 255
    picture = torch.from_numpy(stored_to_network(rest))[None]
    made = augmented(_batch(picture), LIVE.augmentation, 0, [3]).image
    assert not torch.equal(made, picture)
    assert (made - picture).abs().mean() < 0.5


def test_resuming_is_exact_and_augmentation_is_part_of_what_decides(tmp_path: Path) -> None:
    shards = write_shards(tmp_path / "shards")
    plan = replace(tiny_plan(StageSettings(4, 24)), augmentation=Augmentation(0.1, shift=0.1))
    runs = [open_run(shards, tmp_path / name, plan) for name in ("whole", "parts")]
    train_stage(runs[0], STAGES["morpher"], None)
    train_stage(runs[1], STAGES["morpher"], None, stop_after=3)
    train_stage(runs[1], STAGES["morpher"], None)
    whole, parts = (load_checkpoint(run.rolling("morpher")).network for run in runs)
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    with pytest.raises(InputError, match=r"augmentation.shift = 0.1, now None"):
        other = replace(plan, augmentation=Augmentation(0.1))
        train_stage(open_run(shards, tmp_path / "parts", other), STAGES["morpher"], None)


def test_kept_pictures_and_augmentation_exclude_each_other(tmp_path: Path) -> None:
    plan = replace(tiny_plan(StageSettings(4, 4)), augmentation=Augmentation(0.1))
    run = open_run(write_shards(tmp_path / "shards"), tmp_path / "run", plan)
    train_stage(run, STAGES["rotator-L1"], None)
    kept = replace(run, upkeep=replace(run.upkeep, precompute=True))
    with pytest.raises(InputError, match="precompute keeps pictures as they are"):
        train_stage(kept, STAGES["combiner-L1-L1"], None)


# Origins are moved as the pictures are.


def _blob(x: float, y: float) -> Tensor:
    """A soft spot at a place of the picture, in halves of it: (1, 4, SIZE, SIZE)."""
    line = (torch.arange(SIZE) + 0.5) * 2 / SIZE - 1
    alpha = torch.exp(-((line - x) ** 2 + (line[:, None] - y) ** 2) / 0.02)
    alpha = torch.where(alpha > 0.01, alpha, 0)
    colours = [0.5 * (alpha > 0)] * 3
    return torch.stack([*colours, alpha])[None] * 2 - 1


def _centre(picture: Tensor) -> Tensor:
    line = (torch.arange(SIZE) + 0.5) * 2 / SIZE - 1
    weight = _coverage(picture)
    return torch.stack([(weight * line).sum(), (weight * line[:, None]).sum()]) / weight.sum()


@pytest.mark.parametrize("position", range(6))
def test_origins_lead_to_where_the_input_was_moved(position: int) -> None:
    """A spot that the pose takes from (-0.2, 0.1) to (0.15, -0.1): so says the origin there."""
    image, target = _blob(-0.2, 0.1), _blob(0.15, -0.1)
    places = torch.empty(1, ORIGINS_SIDE, ORIGINS_SIDE, 2)
    line = (torch.arange(ORIGINS_SIDE) + 0.5) * 2 / ORIGINS_SIDE - 1
    places[..., 0] = line - 0.35
    places[..., 1] = line[:, None] + 0.2
    shown = torch.full((1, ORIGINS_SIDE, ORIGINS_SIDE), SEEN, dtype=torch.uint8)
    batch = replace(_batch(image, target), traces=Traces(places, shown))
    moves = Augmentation(scale=0.3, turn_radians=0.4, shift=0.1)
    made = augmented(batch, moves, 0, [position])
    assert made.traces is not None
    there = (_centre(made.target[0]) + 1) * ORIGINS_SIDE / 2
    column, row = there.floor().long().tolist()
    found = made.traces.places[0, row, column]
    torch.testing.assert_close(found, _centre(made.image[0]), rtol=0, atol=0.02)


def test_origins_beyond_the_moved_picture_are_hidden_or_nothing() -> None:
    places = torch.zeros(1, ORIGINS_SIDE, ORIGINS_SIDE, 2)
    places[..., 0] = 0.95  # all of it came from the right edge
    shown = torch.full((1, ORIGINS_SIDE, ORIGINS_SIDE), SEEN, dtype=torch.uint8)
    batch = replace(_batch(_disc()), traces=Traces(places, shown))
    states = set()
    for position in range(20):
        made = augmented(batch, Augmentation(shift=0.2), 0, [position]).traces
        assert made is not None
        states |= set(made.shown.flatten().tolist())
        out = (made.places.abs() > 1).any(-1)
        assert (made.shown[out] != SEEN).all()
        assert (made.shown[(made.shown != NOTHING) & ~out] == SEEN).all()
    assert states == {NOTHING, HIDDEN, SEEN}


def test_origins_at_once_are_moved_as_one_by_one() -> None:
    generator = torch.Generator().manual_seed(0)
    shape = 6, ORIGINS_SIDE, ORIGINS_SIDE
    places = torch.rand(*shape, 2, generator=generator) * 2 - 1
    shown = torch.randint(0, 3, shape, dtype=torch.uint8, generator=generator)
    draws = _draws(0, range(6))
    at_once = _moved_traces(Traces(places, shown), EVERYTHING, draws)
    for i in range(6):
        alone = _moved_traces(Traces(places[[i]], shown[[i]]), EVERYTHING, draws[[i]])
        torch.testing.assert_close(at_once.places[[i]], alone.places, rtol=0, atol=1e-6)
        assert torch.equal(at_once.shown[[i]], alone.shown)


def test_changes_of_colour_alone_leave_origins() -> None:
    places = torch.rand(1, ORIGINS_SIDE, ORIGINS_SIDE, 2) * 2 - 1
    shown = torch.full((1, ORIGINS_SIDE, ORIGINS_SIDE), SEEN, dtype=torch.uint8)
    batch = replace(_batch(_disc()), traces=Traces(places, shown))
    made = augmented(batch, Augmentation(hue_radians=0.3, blur=1.0), 0, [0]).traces
    assert made is not None
    torch.testing.assert_close(made.places, places)
    assert torch.equal(made.shown, shown)
