"""Shards and pictures from strangers are refused, in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from contract.errors import ShardError
from dataset.shards.codec import CODECS, Codec, decode, encode, max_encoded_bytes
from dataset.shards.shard import ShardReader
from tests.support.shard_bytes import write_shard


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    write_shard(tmp_path / "a.h5")
    return tmp_path / "a.h5"


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


def _with_shadings(file: h5py.File, shadings: str) -> None:
    """Give the rows of all models these shadings of their lights."""
    lines = file["models"][:].tobytes().decode("utf-8")
    said = f'"light_shadings": {shadings}' + "}\n"
    _replace_models(file, lines.replace("}\n", ", " + said))


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
    "shading of no kind": (
        lambda f: f.attrs.modify("shading", np.bytes_(b"shiny")),
        "shading 'shiny' is none of phong, toon, mixed",
    ),
    "mixed shading that nobody mixed": (
        lambda f: f.attrs.modify("shading", np.bytes_(b"mixed")),
        "models row 0 and the shading mixed disagree",
    ),
    "shadings where all are alike": (
        lambda f: _with_shadings(f, '["phong", "toon"]'),
        "models row 0 and the shading phong disagree",
    ),
    "fewer shadings than lights": (
        lambda f: _with_shadings(f, '["phong"]'),
        "light_levels and light_shadings disagree",
    ),
    "a light of no shading": (
        lambda f: _with_shadings(f, '["phong", "glossy"]'),
        "'glossy' is no",
    ),
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
            f.pop("frame_crc32"),
            f.create_dataset("frame_crc32", data=np.ones(1, "<u4")),
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
