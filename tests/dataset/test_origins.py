"""Origins in shards: kept, read back, carried along, and refused where they are not sound."""

from __future__ import annotations

import zlib
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import pytest
from isal import isal_zlib

from contract.errors import ShardError
from contract.origins import ORIGINS_SIDE, SEEN, Origins
from contract.pose import pose_from_vector
from dataset.build.configuration import Configuration, configuration_from
from dataset.curate.drop import copy_models
from dataset.shards.origins import MAX_ORIGINS_BYTES, decode_origins, encode_origins
from dataset.shards.records import PICTURE_NAMES
from dataset.shards.shard import ShardReader, ShardWriter
from tests.support.tiny_builds import FIVE, SIZE, assert_sound, run, tables, write_models
from tests.support.tiny_renderer import tiny_origins
from tests.support.tiny_shards import write_shards

T = ORIGINS_SIDE


def _noise() -> Origins:
    random = np.random.Generator(np.random.PCG64(0))
    places = random.integers(-32768, 32767, (T, T, 2), np.int16, endpoint=True)
    return Origins(places, random.integers(0, SEEN, (T, T), np.uint8, endpoint=True))


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    write_shards(tmp_path, sources=1, traced=True)
    return tmp_path / "shard-00000.h5"


def _same(one: Origins, other: Origins) -> bool:
    same = np.array_equal(one.places, other.places) and np.array_equal(one.shown, other.shown)
    return same and one.places.dtype == other.places.dtype and one.shown.dtype == other.shown.dtype


def test_any_origins_come_back_to_the_bit_within_the_bound() -> None:
    noise = _noise()
    data = encode_origins(noise)
    assert len(data) <= MAX_ORIGINS_BYTES
    assert _same(decode_origins(data), noise)


@pytest.mark.parametrize(
    "raw",
    [
        bytes(5 * T * T - 1),
        bytes(5 * T * T + 1),
        bytes(500_000_000),
        bytes(4 * T * T) + b"\x03" * T * T,
    ],
)
def test_bytes_of_anything_else_are_refused(raw: bytes) -> None:
    with pytest.raises(ShardError, match="origins"):
        decode_origins(isal_zlib.compress(raw))


@pytest.mark.parametrize("data", [b"", b"no zlib stream", encode_origins(_noise())[:-200]])
def test_what_cannot_be_inflated_is_refused(data: bytes) -> None:
    with pytest.raises(ShardError, match="origins"):
        decode_origins(data)


def test_a_build_keeps_them_on_demand_and_the_pictures_stay_the_same(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {f"a/{name}": "fine" for name in "xyz"})
    traced = Configuration(5, 3, SIZE, "mixed", 0.5, 1.2, 2, samples_per_shard=10, origins=True)
    run(models, tmp_path / "plain", FIVE)
    run(models, tmp_path / "traced", traced)
    assert_sound(tmp_path / "traced")
    for path in sorted((tmp_path / "traced").glob("*.h5")):
        with ShardReader(path) as reader, ShardReader(tmp_path / "plain" / path.name) as plain:
            assert plain.origin_frames is None
            for number in range(len(reader)):
                pose = pose_from_vector(reader.samples["pose"][number])
                assert _same(reader.origins(number), tiny_origins(pose))
                for name in PICTURE_NAMES:
                    ours, theirs = (getattr(one.sample(number), name) for one in (reader, plain))
                    np.testing.assert_array_equal(ours, theirs)


def test_a_shard_without_them_says_how_to_get_some(tmp_path: Path) -> None:
    write_shards(tmp_path, sources=1)
    with ShardReader(tmp_path / "shard-00000.h5") as reader:
        assert reader.origin_frames is None
        with pytest.raises(ShardError, match="has no origins; build it anew with --origins"):
            reader.origins(0)


def test_configurations_of_before_there_were_any_keep_their_hash() -> None:
    saved = {k: v for k, v in vars(FIVE).items() if k != "origins"}
    assert configuration_from(saved) == FIVE
    traced = Configuration(**vars(FIVE) | {"origins": True})
    assert traced.hash() != FIVE.hash()
    assert FIVE.differences(traced) == ("origins False -> True",)


def test_models_that_are_copied_take_theirs_along(shard: Path, tmp_path: Path) -> None:
    with ShardReader(shard) as reader:
        last = reader.models[1].sha256
        copy_models(reader, tmp_path / "copy.h5", reader.header, lambda row: row.sha256 == last)
        with ShardReader(tmp_path / "copy.h5") as copy:
            first = len(reader) - len(copy)
            for number in range(len(copy)):
                assert _same(copy.origins(number), reader.origins(first + number))


def test_the_layout_is_as_it_is_documented(shard: Path) -> None:
    with h5py.File(shard) as file:
        numbers = file["origins"][:]
        assert numbers.dtype == np.dtype("<i4")
        assert file.attrs["origins_crc32"] == zlib.crc32(numbers.tobytes())
        start, end = file["frame_offsets"][numbers[2] : numbers[2] + 2]
        data = file["frames"][start:end].tobytes()
    with ShardReader(shard) as reader:
        assert _same(decode_origins(data), reader.origins(2))
    assert tables(shard.parent)[shard.name]["origins"] == numbers.tobytes()


def _rewritten(
    shard: Path, numbers: npt.NDArray[np.integer], *, signed: bool = True
) -> ShardReader:
    with h5py.File(shard, "r+", locking=False) as file:
        del file["origins"]
        file["origins"] = numbers
        if signed:
            file.attrs["origins_crc32"] = zlib.crc32(numbers.tobytes())
    return ShardReader(shard)


def test_tables_that_point_elsewhere_are_refused(shard: Path) -> None:
    with ShardReader(shard) as reader:
        count, frames = len(reader), len(reader.frame_bytes)
        sound = np.array(reader.origin_frames)
    for numbers, fault in (
        (np.full(count, frames, "<i4"), "origins is outside"),
        (np.full(count, -1, "<i4"), "origins is outside"),
        (sound[:-1], "origins and samples disagree"),
        (sound.astype("<i8"), "origins is not the table"),
    ):
        with pytest.raises(ShardError, match=fault):
            _rewritten(shard, numbers).origins(0)
    with pytest.raises(ShardError, match="its origins changed"):
        _rewritten(shard, sound[::-1].copy(), signed=False).origins(0)


def test_a_picture_is_no_origins(shard: Path) -> None:
    with ShardReader(shard) as reader:
        posed = reader.samples["posed"].astype("<i4")
    with pytest.raises(ShardError, match=r"shard-00000\.h5: frame 2: the bytes are no origins"):
        _rewritten(shard, posed).origins(0)


def test_a_shard_has_all_or_none(tmp_path: Path) -> None:
    source = write_shards(tmp_path / "source", sources=1) / "shard-00000.h5"
    with (
        ShardReader(source) as reader,
        ShardWriter(tmp_path / "a.h5", reader.header) as writer,
        writer.model(reader.models[0]),
    ):
        frame = writer.add_encoded_frame(reader.encoded_frame(0))
        pose = pose_from_vector(reader.samples["pose"][0])
        writer.add_sample(pose, 0, 0, (frame, frame, frame), frame)
        writer.add_sample(pose, 1, 0, (frame, frame, frame))
        with pytest.raises(ValueError, match="some samples have origins"):
            writer.finish()
