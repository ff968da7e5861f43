from __future__ import annotations

import io
import json
import multiprocessing
import zlib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest
import qoi

from contract.convention import AXES_DESCRIPTION
from contract.errors import InputError, ModelError, ShardError
from contract.image import PICTURE_CONVENTION
from contract.light import Light
from contract.pose import AXIS_NAMES, pose_from_vector
from contract.progress import LogProgress
from dataset.build.sampling import draw_sample
from dataset.build.verify import verify
from dataset.shards.codec import CODECS, Codec
from dataset.shards.records import SAMPLE_DTYPE
from dataset.shards.shard import ShardReader, ShardWriter
from tests.support.shard_bytes import HEADER, SIZE, add_model, mixed_row, model_row, write_shard
from tests.support.tiny_renderer import tiny_picture

DATA = Path(__file__).parent / "data"
TABLES = ("frame_offsets", "frame_crc32", "samples", "models")


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    write_shard(tmp_path / "a.h5")
    return tmp_path / "a.h5"


# The layout, read back by stock h5py and qoi.


def test_plain_h5py_and_qoi_read_every_picture(tmp_path: Path) -> None:
    pictures = write_shard(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        frames, offsets = file["frames"][:], file["frame_offsets"][:]
        encoded = [frames[start:end].tobytes() for start, end in pairwise(offsets)]
        assert file["frames"].chunks is None
        assert offsets[0] == 0
        assert offsets[-1] == len(frames)
        assert file["frame_crc32"][:].tolist() == [zlib.crc32(data) for data in encoded]
    assert len(encoded) == len(pictures)
    for data, picture in zip(encoded, pictures, strict=True):
        np.testing.assert_array_equal(qoi.decode(data), picture)


def test_the_attributes_say_how_to_read_the_shard(shard: Path) -> None:
    with h5py.File(shard) as file:
        attributes = {name: _python(value) for name, value in file.attrs.items()}
        tables = [file[name][:].tobytes() for name in TABLES]
        assert attributes == {
            "schema": "opentha-shard",
            "schema_version": 1,
            "pose_axes": "head_x head_y neck_z left_eye right_eye mouth",
            "axes": AXES_DESCRIPTION,
            "picture_convention": PICTURE_CONVENTION,
            "shading": "phong",
            "size": 8,
            "ambient_low": 0.5,
            "ambient_high": 1.2,
            "codec": "qoi",
            "number": 3,
            "seed": 11,
            "sampling_version": 1,
            "configuration_hash": "c0ffee",
            "generator": "opentha test",
            "gl_renderer": "tiny studio",
            "tables_crc32": zlib.crc32(b"".join(tables)),
        }


def _python(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else value


def test_the_samples_table_names_pose_model_light_and_frames(shard: Path) -> None:
    mio = model_row("mio", 3)
    drawn = [draw_sample(11, mio.sha256, i, 2) for i in range(3)]
    with h5py.File(shard) as file:
        table = file["samples"][:]
    assert table.dtype == SAMPLE_DTYPE
    assert table["model"].tolist() == [0, 0, 0, 1, 1]
    assert table["index"].tolist() == [0, 1, 2, 0, 1]
    np.testing.assert_array_equal(table["pose"][:3], [draw.pose.to_vector() for draw in drawn])
    lights = [draw.light for draw in drawn]
    assert table["light"][:3].tolist() == lights
    np.testing.assert_array_equal(
        table["ambient"][:3], np.array([mio.light_levels[light] for light in lights], np.float32)
    )
    # Rest where a light is first used, then expression and posed, in turn.
    assert lights == [1, 0, 0]
    assert table[["rest", "expression", "posed"]][:3].tolist() == [(0, 1, 2), (3, 4, 5), (3, 6, 7)]


def test_the_models_table_is_a_line_of_json_each(shard: Path) -> None:
    with h5py.File(shard) as file:
        lines = file["models"][:].tobytes().decode("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["facts"]["name"] for row in rows] == ["mio", "繭"]
    assert rows[1] == {
        "sha256": "繭".encode().hex().ljust(64, "0"),
        "path": "源/繭.pmx",
        "source": "源",
        "licence": {"path": "源/readme.txt", "text": "ご自由に\nどうぞ"},
        "facts": {
            "name": "繭",
            "comment": "",
            "head_box": {"chin_y": 16.5, "skull_top_y": 19.25, "centre_x": 0.0},
            "morphs": {
                axis: [{"name": f"morph of {axis}", "weight": 1.0, "side": "whole"}]
                for axis in AXIS_NAMES[3:]
            },
            "evidence": ["tiny"],
        },
        "seed": 11,
        "light_levels": list(model_row("繭", 2).light_levels),
        "first_index": 0,
        "samples": 2,
    }


# Reading.


@pytest.mark.parametrize("codec", CODECS)
def test_a_reader_gives_back_what_was_written(codec: Codec, tmp_path: Path) -> None:
    pictures = write_shard(tmp_path / "a.h5", codec)
    with ShardReader(tmp_path / "a.h5") as reader:
        assert (len(reader), len(reader.frame_bytes)) == (5, len(pictures))
        assert reader.models == (model_row("mio", 3), model_row("繭", 2))
        sample = reader.sample(2)
        np.testing.assert_array_equal(sample.pose, reader.samples["pose"][2])
        assert sample.light == Light(model_row("mio", 3).light_levels[0], "phong")
        for picture, frame in ((sample.rest, 3), (sample.expression, 6), (sample.posed, 7)):
            np.testing.assert_array_equal(picture, pictures[frame])


def test_of_mixed_shading_each_sample_says_its_own(tmp_path: Path) -> None:
    row = mixed_row("mio", 6)
    with ShardWriter(tmp_path / "a.h5", replace(HEADER, shading="mixed")) as writer:
        add_model(writer, row)
        writer.finish()
    with ShardReader(tmp_path / "a.h5") as reader:
        assert reader.models == (row,)
        lights = [reader.sample(i).light for i in range(6)]
    levels = [draw_sample(row.seed, row.sha256, i, 2).light for i in range(6)]
    assert set(levels) == {0, 1}
    assert lights == [
        Light(row.light_levels[level], "toon" if level else "phong") for level in levels
    ]


def test_a_shard_that_knows_nothing_of_mixed_shading_is_read() -> None:
    """Written before there was any: its rows say nothing of shading, its header all."""
    with ShardReader(DATA / "phong_shard.h5") as reader:
        assert reader.header.shading == "phong"
        assert reader.models == (model_row("mio", 3), model_row("繭", 2))
        sample = reader.sample(2)
        assert sample.light == Light(model_row("mio", 3).light_levels[0], "phong")
        pose = pose_from_vector(sample.pose)
        np.testing.assert_array_equal(sample.posed, tiny_picture("mio", pose, sample.light, SIZE))
    assert verify([DATA / "phong_shard.h5"], LogProgress(io.StringIO(), "shards")).faults == ()


def test_any_two_pictures_of_a_sample_can_be_had(tmp_path: Path) -> None:
    pictures = write_shard(tmp_path / "a.h5")
    reader = ShardReader(tmp_path / "a.h5")
    rest, expression = reader.pictures(2, ("rest", "expression"))
    np.testing.assert_array_equal(rest, pictures[3])
    np.testing.assert_array_equal(expression, pictures[6])
    again = reader.pictures(2, ("posed", "rest"))
    np.testing.assert_array_equal(again, [pictures[7], pictures[3]])


def test_only_the_pictures_asked_for_are_read(shard: Path) -> None:
    with h5py.File(shard, "r+") as file:
        file["frames"][int(file["frame_offsets"][7]) + 20] ^= 1
    reader = ShardReader(shard)
    reader.pictures(2, ("rest", "expression"))
    with pytest.raises(ShardError, match=r"a\.h5: frame 7: its bytes changed"):
        reader.pictures(2, ("posed",))


def test_a_used_reader_travels_to_a_spawned_process(shard: Path) -> None:
    reader = ShardReader(shard)
    here = reader.frame(4)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        np.testing.assert_array_equal(pool.submit(reader.frame, 4).result(), here)


def test_a_sample_beyond_the_last_is_an_index_error(shard: Path) -> None:
    with pytest.raises(IndexError):
        ShardReader(shard).sample(5)


def test_a_frame_beyond_the_last_is_a_shard_error(shard: Path) -> None:
    with pytest.raises(ShardError, match="no frame 99"):
        ShardReader(shard).frame(99)


def test_tables_cannot_be_changed_by_accident(shard: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        ShardReader(shard).samples["rest"][0] = 1


# Writing.


def test_a_model_that_fails_leaves_no_trace(tmp_path: Path) -> None:
    write_shard(tmp_path / "sound.h5")
    with ShardWriter(tmp_path / "a.h5", HEADER) as writer:
        add_model(writer, model_row("mio", 3))
        with pytest.raises(ModelError), writer.model(model_row("bad", 1)):
            writer.add_frame(np.full((SIZE, SIZE, 4), 77, np.uint8))
            raise ModelError("no good")
        add_model(writer, model_row("繭", 2))
        writer.finish()
    with h5py.File(tmp_path / "a.h5") as found, h5py.File(tmp_path / "sound.h5") as sound:
        for name in ("frames", *TABLES):
            np.testing.assert_array_equal(found[name][:], sound[name][:])


def test_a_shard_without_samples_is_not_written(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "a.h5", HEADER) as writer:
        writer.finish()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_of_a_shard_that_is_not_finished(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "a.h5", HEADER) as writer:
        add_model(writer, model_row("mio", 3))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere/a\.h5: cannot be written \(No such file"):
        ShardWriter(tmp_path / "nowhere" / "a.h5", HEADER)


def test_names_that_no_unicode_text_can_hold_are_written_all_the_same(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "a.h5", HEADER) as writer:
        row = model_row("mio", 1)
        add_model(writer, type(row)(**{**vars(row), "path": "broken \udc83 name.pmx"}))
        writer.finish()
    assert ShardReader(tmp_path / "a.h5").models[0].path == "broken ? name.pmx"
