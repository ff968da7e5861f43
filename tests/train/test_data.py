"""Batches are stored pictures in network form, in an order that seed and position decide."""

from __future__ import annotations

import json
import multiprocessing
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from contract.errors import InputError, ShardError
from contract.image import stored_to_network
from contract.pose import pose_from_vector
from dataset.shards.split_file import PARTS
from tests.support.tiny_shards import SIZE, draw_face, write_shards
from train.data.batch import (
    Batch,
    _convert,
    load_batch,
    read_batch,
    require_size,
    to_network,
)
from train.data.order import SampleOrder, Share, batches
from train.data.samples import SampleSet, open_samples, open_splits


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shards(tmp_path_factory.mktemp("shards"))


def _picture_sum(samples: SampleSet) -> float:
    return float(load_batch(samples, [0, 5], ("rest", "posed"), SIZE).target.sum())


def test_a_batch_is_the_stored_pictures_in_network_form(shards: Path) -> None:
    samples = open_samples(shards)
    numbers = [0, 17, 40]
    batch = load_batch(samples, numbers, ("rest", "posed"), SIZE)
    assert batch.image.shape == batch.target.shape == (3, 4, SIZE, SIZE)
    for place, number in enumerate(numbers):
        reader, row = samples.readers[samples.shard[number]], int(samples.row[number])
        stored = reader.sample(row)
        assert np.array_equal(batch.image[place].numpy(), stored_to_network(stored.rest))
        assert np.array_equal(batch.target[place].numpy(), stored_to_network(stored.posed))
        assert np.array_equal(batch.pose[place].numpy(), stored.pose)
        colour = 30 + 25 * int(samples.character[number]) % 200
        assert np.array_equal(stored.posed, draw_face(colour, pose_from_vector(stored.pose)))


def test_mirror_images_are_samples_of_their_own(shards: Path) -> None:
    """The drawn faces are symmetric: a mirror image is the face drawn in the mirrored pose."""
    samples = open_samples(shards)
    both = samples.with_mirror_images()
    count = len(samples)
    assert len(both) == 2 * count
    assert both.fingerprint() == samples.fingerprint()
    plain, mirrored = (
        read_batch(both, [7 + start, 30 + start], ("expression", "posed")) for start in (0, count)
    )
    for turned, one in ((mirrored.inputs, plain.inputs), (mirrored.targets, plain.targets)):
        assert np.array_equal(turned, np.flip(one, 2))
    assert not np.array_equal(mirrored.targets, plain.targets)
    for place, number in enumerate((7, 30)):
        pose = pose_from_vector(mirrored.pose[place].numpy())
        assert pose.left_eye == plain.pose[place, 4]
        colour = 30 + 25 * int(samples.character[number]) % 200
        assert np.array_equal(mirrored.targets[place], draw_face(colour, pose))
    assert both.identify(count + 7) == both.identify(7)[:-1] + ", mirrored)"
    kept = both.of_sources(samples.sources[:1])
    assert kept.mirror.sum() == len(kept) // 2 == 12


def test_conversion_is_the_contracts_bit_for_bit_for_every_byte() -> None:
    draw = np.random.Generator(np.random.PCG64(0))
    stored = draw.integers(0, 256, (3, 64, 64, 4), np.uint8)
    stored[0, ..., 0] = stored[0, ..., 3] = np.arange(4096).reshape(64, 64) % 256
    stored[stored[..., 3] == 0] = 0
    found = to_network(list(stored), torch.device("cpu"), 64)
    for picture, one in zip(stored, found, strict=True):
        assert np.array_equal(one.numpy(), stored_to_network(picture))
    # As devices other than this one do it: all at once.
    at_once = torch.empty(3, 64, 64, 4)
    _convert(torch.from_numpy(stored), at_once)
    assert torch.equal(at_once.movedim(-1, 1), found)


def test_reducing_takes_means_of_light_on_the_character_only(tmp_path: Path) -> None:
    samples = open_samples(write_shards(tmp_path, sources=1, models=1, samples=1, size=32))
    whole = load_batch(samples, [0], ("rest", "posed"), 32).image[0].numpy()
    half = load_batch(samples, [0], ("rest", "posed"), 16).image[0].numpy()
    # The face's edges lie on even pixels, so each block is of one colour.
    assert np.allclose(half, whole[:, ::2, ::2], atol=1e-6)
    with pytest.raises(InputError, match="--resize"):
        require_size(samples, 16, resize=False)
    with pytest.raises(InputError, match="whole fraction"):
        require_size(samples, 24, resize=True)
    require_size(samples, 16, resize=True)


def test_each_epoch_holds_each_sample_once_and_any_position_can_be_entered() -> None:
    order = SampleOrder(10, seed=3)
    epochs = order.between(0, 30).reshape(3, 10)
    assert (np.sort(epochs, axis=1) == np.arange(10)).all()
    assert not np.array_equal(epochs[0], epochs[1])
    assert np.array_equal(SampleOrder(10, seed=3).between(7, 24), epochs.ravel()[7:24])
    assert not np.array_equal(SampleOrder(10, seed=4).between(0, 10), epochs[0])


@pytest.mark.parametrize("ranks", [1, 2, 3, 5])
def test_processes_share_a_batch_without_gap_or_overlap(ranks: int) -> None:
    numbers = np.arange(11)
    parts = [Share(rank, ranks).of(numbers) for rank in range(ranks)]
    assert np.array_equal(np.concatenate(parts), numbers)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_reading_ahead_changes_nothing(shards: Path) -> None:
    samples, order = open_samples(shards), SampleOrder(48, seed=0)

    def run(workers: int, start: int) -> list[Batch]:
        found = batches(samples, order, ("rest", "posed"), range(start, 40, 8), workers=workers)
        return [one.to_network(torch.device("cpu"), SIZE) for one in found]

    plain, ahead, entered = run(1, 0), run(3, 0), run(2, 16)
    assert [one.numbers for one in plain] == [one.numbers for one in ahead]
    assert [one.numbers for one in plain[2:]] == [one.numbers for one in entered]
    assert all((a.target == b.target).all() for a, b in zip(plain, ahead, strict=True))
    alone = load_batch(samples, plain[3].numbers, ("rest", "posed"), SIZE)
    assert (plain[3].target == alone.target).all()


def test_a_set_can_be_sent_to_a_spawned_process(shards: Path) -> None:
    samples = open_samples(shards)
    expected = _picture_sum(samples)  # its files are open now
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_picture_sum, (pickle.loads(pickle.dumps(samples)),)) == expected


def test_no_source_is_in_two_parts(shards: Path) -> None:
    splits = open_splits(shards)
    sources = splits.sources()
    assert {len(sources[part]) for part in ("validation", "test")} == {1}
    assert sorted(name for part in sources.values() for name in part) == ["s0", "s1", "s2", "s3"]
    for part in PARTS:
        found = splits.part(part)
        assert {found.identify(i).split("(")[1].split("/")[0] for i in range(len(found))} == set(
            found.sources
        )
    assert splits.train.fingerprint() != splits.test.fingerprint()
    assert splits.train.fingerprint() == open_splits(shards).train.fingerprint()


def test_a_split_file_decides_and_is_checked(shards: Path, tmp_path: Path) -> None:
    path = tmp_path / "split.json"
    lists = {"train": ["s3", "s1"], "validation": ["s0"], "test": ["s2"]}
    path.write_text(json.dumps(lists))
    assert open_splits(shards, path).test.sources == ("s2",)
    path.write_text(json.dumps(lists | {"test": ["s1"]}))
    with pytest.raises(InputError, match="s1 is in both train and test"):
        open_splits(shards, path)
    path.write_text(json.dumps(lists | {"test": []}))
    with pytest.raises(InputError, match="test has no sample"):
        open_splits(shards, path)
    path.write_text("{")
    with pytest.raises(InputError, match="no JSON"):
        open_splits(shards, path)


def test_folders_of_shards_can_be_the_parts_but_share_no_source(tmp_path: Path) -> None:
    for part in ("train", "validation", "test"):
        write_shards(tmp_path / part, sources=1, names=f"{part}{{}}")
    assert open_splits(tmp_path).validation.sources == ("validation0",)
    write_shards(tmp_path / "test", sources=1, names="train{}")
    with pytest.raises(InputError, match="train0 is in both"):
        open_splits(tmp_path)


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no shard"):
        open_splits(tmp_path)
    few = write_shards(tmp_path / "few", sources=1)
    with pytest.raises(InputError, match="1 sources"):
        open_splits(few)
    write_shards(tmp_path / "other", sources=2, size=32)
    (tmp_path / "other" / "shard-00001.h5").rename(few / "shard-00009.h5")
    with pytest.raises(InputError, match=r"shard-00009\.h5: pictures of 32"):
        open_samples(few)


def test_a_damaged_picture_names_its_shard_and_is_left_out_only_on_demand(tmp_path: Path) -> None:
    folder = write_shards(tmp_path)
    path = folder / "shard-00002.h5"
    data = path.read_bytes()
    at = data.index(b"qoif") + 20
    path.write_bytes(data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :])
    samples = open_samples(folder)
    with pytest.raises(ShardError, match=r"shard-00002\.h5"):
        load_batch(samples, range(len(samples)), ("rest", "expression"), SIZE)
    kept = open_samples(folder, skip_broken=True)
    assert kept.sources == ("s0", "s1", "s3")
