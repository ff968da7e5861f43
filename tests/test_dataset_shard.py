from __future__ import annotations

import json
import multiprocessing
import zlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest
import qoi

from contract.errors import InputError, ModelError, ShardError
from contract.image import PICTURE_CONVENTION
from contract.pose import AXIS_NAMES
from contract.space import AXES_DESCRIPTION
from dataset.codec import CODECS, Codec, decode, encode, max_encoded_bytes
from dataset.records import SAMPLE_DTYPE
from dataset.sampling import draw_sample
from dataset.shard import ShardReader, ShardWriter
from tests.shard_bytes import HEADER, SIZE, add_model, model_row, write_shard

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
        assert sample.ambient == model_row("mio", 3).light_levels[0]
        for picture, frame in ((sample.rest, 3), (sample.expression, 6), (sample.posed, 7)):
            np.testing.assert_array_equal(picture, pictures[frame])


def test_any_two_pictures_of_a_sample_can_be_had(tmp_path: Path) -> None:
    pictures = write_shard(tmp_path / "a.h5")
    reader = ShardReader(tmp_path / "a.h5")
    rest, expression = reader.pictures(2, ("rest", "expression"))
    np.testing.assert_array_equal(rest, pictures[3])
    np.testing.assert_array_equal(expression, pictures[6])
    out = np.empty((2, SIZE, SIZE, 4), np.uint8)
    reader.decode_into(2, ("posed", "rest"), out)
    np.testing.assert_array_equal(out, [pictures[7], pictures[3]])


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


# Codecs.


@pytest.mark.parametrize("codec", CODECS)
def test_codecs_keep_every_byte(codec: Codec) -> None:
    generator = np.random.default_rng(5)
    noise = generator.integers(0, 256, (33, 33, 4), np.uint8)
    noise[:16, :, 3] = 0  # colour under alpha 0 must not change either
    data = encode(noise, codec)
    assert len(data) <= max_encoded_bytes(33)
    np.testing.assert_array_equal(decode(data, codec, 33), noise)


@pytest.mark.parametrize("codec", CODECS)
def test_a_picture_of_another_size_is_not_decoded(codec: Codec) -> None:
    data = encode(np.zeros((8, 8, 4), np.uint8), codec)
    with pytest.raises(ShardError, match="8x8"):
        decode(data, codec, 16)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(
    "data", [b"", b"qoif", b"\xff" * 64, b"RIFF\x20\0\0\0WEBPVP8L" + b"\0" * 32]
)
def test_bytes_that_are_no_picture_are_refused(codec: Codec, data: bytes) -> None:
    with pytest.raises(ShardError):
        decode(data, codec, 8)


def test_a_qoi_header_that_lies_allocates_nothing() -> None:
    data = bytearray(encode(np.zeros((8, 8, 4), np.uint8), "qoi"))
    data[4:12] = b"\x7f\xff\xff\xff" * 2
    with pytest.raises(ShardError, match="2147483647x2147483647"):
        decode(bytes(data), "qoi", 8)


# Hostile shards.


def _set(file: h5py.File, table: str, row: int, field: str | None, value: object) -> None:
    values = file[table][:]
    if field:
        values[field][row] = value
    else:
        values[row] = value
    file[table][...] = values


def _replace(file: h5py.File, name: str, **options: object) -> None:
    values = file[name][:]
    del file[name]
    file.create_dataset(name, data=values, **options)


def _replace_models(file: h5py.File, text: str) -> None:
    del file["models"]
    file["models"] = np.frombuffer(text.encode(), np.uint8)


def _link_out(file: h5py.File) -> None:
    del file["frames"]
    file["frames"] = h5py.ExternalLink("/etc/passwd", "frames")


def _store_outside(file: h5py.File) -> None:
    count = len(file["frames"])
    del file["frames"]
    file.create_dataset("frames", (count,), np.uint8, external=[("/etc/passwd", 0, count)])


def _hollow(file: h5py.File) -> None:
    del file["frames"]
    file.create_dataset("frames", (1 << 40,), np.uint8)


HOSTILE: dict[str, tuple[Callable[[h5py.File], object], str]] = {
    "another schema": (
        lambda f: f.attrs.modify("schema", np.bytes_(b"other")),
        "schema is 'other'",
    ),
    "a later version": (lambda f: f.attrs.modify("schema_version", 2), "schema_version is 2"),
    "other axes": (
        lambda f: f.attrs.modify("pose_axes", np.bytes_(b"mouth")),
        "pose_axes is 'mouth'",
    ),
    "no codec": (lambda f: f.attrs.pop("codec"), "attribute codec is None"),
    "an unknown codec": (lambda f: f.attrs.modify("codec", np.bytes_(b"exe")), "codec 'exe'"),
    "a text in a heap": (lambda f: f.attrs.create("codec", "qoi"), "attribute codec is None"),
    "endless pictures": (lambda f: f.attrs.modify("size", 1 << 30), "1073741824 pixels"),
    "a list for a size": (lambda f: f.attrs.create("size", [8, 8]), "attribute size"),
    "NaN light": (lambda f: f.attrs.modify("ambient_low", float("nan")), "ambient light"),
    "no frames": (lambda f: f.pop("frames"), "frames is missing"),
    "frames elsewhere": (_link_out, "frames is missing"),
    "frames stored outside": (_store_outside, "frames does not lie whole and plain"),
    "hollow frames": (_hollow, "frames does not lie whole and plain"),
    "compressed frames": (
        lambda f: _replace(f, "frames", compression="gzip"),
        "frames does not lie whole and plain",
    ),
    "offsets as floats": (
        lambda f: _replace(f, "frame_offsets", dtype="f8"),
        "frame_offsets is not the table",
    ),
    "two-dimensional samples": (
        lambda f: _replace(f, "samples", shape=(5, 1)),
        "samples is not the table",
    ),
    "an offset below": (lambda f: _set(f, "frame_offsets", 1, None, -(2**63)), "do not ascend"),
    "an offset above": (lambda f: _set(f, "frame_offsets", 1, None, 2**62), "do not ascend"),
    "offsets that end early": (lambda f: _set(f, "frame_offsets", -1, None, 5), "do not span"),
    "fewer checksums": (
        lambda f: (
            (f.pop("frame_crc32"), f.create_dataset("frame_crc32", (1,), "<u4"))
            and _set(f, "frame_crc32", 0, None, 1)
        ),
        "frame_offsets and frame_crc32 disagree",
    ),
    "a model too far": (lambda f: _set(f, "samples", 1, "model", 2), "sample 1: model"),
    "a model below": (lambda f: _set(f, "samples", 1, "model", -1), "sample 1: model"),
    "a frame too far": (lambda f: _set(f, "samples", 4, "posed", 2**31 - 1), "sample 4: posed"),
    "a frame below": (lambda f: _set(f, "samples", 4, "rest", -5), "sample 4: rest"),
    "a light too far": (lambda f: _set(f, "samples", 0, "light", 9), "sample 0: light"),
    "another ambient": (lambda f: _set(f, "samples", 0, "ambient", 0.7), "sample 0: ambient"),
    "a pose too far": (
        lambda f: _set(f, "samples", 0, "pose", [0, 0, 0, -0.1, 0, 0]),
        r"sample 0: left_eye lies outside \[0, 1\]",
    ),
    "a pose of NaN": (
        lambda f: _set(f, "samples", 2, "pose", [np.nan, 0, 0, 0, 0, 0]),
        "sample 2: head_x",
    ),
    "models that are no JSON": (lambda f: _replace_models(f, "{"), "Expecting"),
    "models without a hash": (lambda f: _replace_models(f, "{}"), "'sha256' is missing"),
    "models nested deep": (lambda f: _replace_models(f, "[" * 100_000), "nested too deep"),
    "one model too few": (
        lambda f: _replace_models(f, f["models"][:].tobytes().decode().splitlines()[0]),
        "sample 3: model",
    ),
    "a pose that changed": (
        lambda f: _set(f, "samples", 0, "pose", [0.5] * 6),
        "its tables changed",
    ),
    "a model that promises more": (
        lambda f: _replace_models(
            f, f["models"][:].tobytes().decode().replace('"samples": 3', '"samples": 4')
        ),
        "models row 0 promises 4 samples; there are 3",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_shard_is_refused_in_one_line(name: str, shard: Path) -> None:
    change, fault = HOSTILE[name]
    with h5py.File(shard, "r+") as file:
        change(file)
    with pytest.raises(ShardError, match=fault) as caught:
        len(ShardReader(shard))
    assert str(caught.value).startswith(f"{shard}: ")
    assert "\n" not in str(caught.value)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match=r"none\.h5: there is no such shard"):
        len(ShardReader(tmp_path / "none.h5"))


def _read_all(path: Path) -> list[object]:
    with ShardReader(path) as reader:
        pictures = [reader.frame(n).tobytes() for n in range(len(reader.frame_bytes))]
        return [reader.header, reader.models, reader.samples.tobytes(), *pictures]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_shard_cut_short_is_refused(share: float, shard: Path) -> None:
    data = shard.read_bytes()
    shard.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ShardError, match=r"a\.h5: no whole HDF5 file"):
        _read_all(shard)


def test_a_flipped_bit_is_found_or_harmless(shard: Path) -> None:
    whole, sound = shard.read_bytes(), _read_all(shard)
    found = 0
    for place in np.random.default_rng(2).integers(0, len(whole), 300):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(place % 8)
        shard.write_bytes(damaged)
        try:
            assert _read_all(shard) == sound
        except ShardError:
            found += 1
    assert found > 200
