from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from contract.errors import InputError
from contract.image import Stored
from contract.pose import Pose
from contract.progress import LogProgress
from dataset.build.sampling import draw_light_shadings
from dataset.build.verify import MAX_FAULTS_A_SHARD, Verdict, verify
from dataset.commands.main import main
from dataset.shards.schema import TABLE_TYPES, tables_crc32
from dataset.shards.shard import ShardWriter
from tests.support.shard_bytes import HEADER, SIZE, add_model, model_row, write_shard
from tests.support.tiny_builds import run, write_models


def _verify(*paths: Path) -> Verdict:
    return verify(paths, LogProgress(io.StringIO(), "shards"))


def _faults(*paths: Path) -> list[str]:
    return list(_verify(*paths).faults)


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    write_shard(tmp_path / "a.h5")
    return tmp_path / "a.h5"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a finished run: three shards, and one of four models quarantined."""
    folder = tmp_path_factory.mktemp("built")
    behaviours = {"a": "ok", "b": "ok", "c": "refuse", "d": "ok", "e": "ok", "f": "ok"}
    run(write_models(folder / "models", behaviours), folder / "out")
    return {path.name: path.read_bytes() for path in (folder / "out").iterdir()}


@pytest.fixture
def out(built: dict[str, bytes], tmp_path: Path) -> Path:
    for name, data in built.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def test_a_sound_folder_and_a_sound_shard_have_no_faults(out: Path) -> None:
    verdict = _verify(out)
    assert (verdict.shards, verdict.samples, verdict.faults) == (3, 25, ())
    assert _faults(out / "shard-00001.h5") == []


# What a folder lacks or has too much.


def test_a_deleted_shard_is_missed(out: Path) -> None:
    (out / "shard-00000.h5").unlink()
    assert _faults(out) == [f"{out}/shard-00000.h5: missing, with 2 models; run the build again"]


def test_a_folder_without_any_of_its_shards_is_at_fault(out: Path) -> None:
    for path in out.glob("*.h5"):
        path.unlink()
    assert len(_faults(out)) == 3


def test_a_leftover_and_a_stranger_are_named(out: Path) -> None:
    (out / ".shard-00001.h5.77.tmp").write_bytes(b"half")
    write_shard(out / "mine.h5")
    assert _faults(out) == [
        f"{out}/.shard-00001.h5.77.tmp: left by an interrupted run; run the build again, "
        "or delete it",
        f"{out}/mine.h5: is not in the plan",
    ]


def test_a_shard_with_other_models_than_planned_is_named(out: Path) -> None:
    (out / "quarantine.jsonl").unlink()
    fault = f"{out}/shard-00001.h5: does not hold the 2 models that the plan has for it"
    assert _faults(out) == [fault]


def test_a_shard_of_another_data_set_is_named(out: Path) -> None:
    write_shard(out / "shard-00001.h5")
    assert _faults(out) == [f"{out}/shard-00001.h5: is a shard of another data set"]


def test_a_data_set_of_several_parts_is_checked_whole(
    built: dict[str, bytes], tmp_path: Path
) -> None:
    for part in ("train", "validation", "test"):
        (tmp_path / part).mkdir()
        for name, data in built.items():
            (tmp_path / part / name).write_bytes(data)
    verdict = _verify(tmp_path)
    assert (verdict.shards, verdict.samples, verdict.faults) == (9, 75, ())
    assert "9 shards" in CliRunner().invoke(main, ["inspect", str(tmp_path)]).stdout
    missing = tmp_path / "test" / "shard-00001.h5"
    missing.unlink()
    assert _faults(tmp_path) == [f"{missing}: missing, with 1 model; run the build again"]


def test_a_folder_without_shards_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no shard; give a shard or a folder"):
        _faults(tmp_path)


# What is wrong with a shard.


def test_a_shard_cut_short_is_one_fault(shard: Path) -> None:
    shard.write_bytes(shard.read_bytes()[:-1])
    assert _faults(shard) == [f"{shard}: no whole HDF5 file: cut short, damaged or no shard"]


def test_a_shard_that_is_not_there_is_one_fault(tmp_path: Path) -> None:
    path = tmp_path / "none.h5"
    assert _faults(path) == [f"{path}: there is no such shard; check the path or build it"]


def test_a_flipped_bit_in_a_picture_is_one_fault(shard: Path) -> None:
    with h5py.File(shard) as file:
        place = file["frames"].id.get_offset() + int(file["frame_offsets"][4]) + 30
    data = bytearray(shard.read_bytes())
    data[place] ^= 1
    shard.write_bytes(data)
    assert _faults(shard) == [f"{shard}: frame 4: its bytes changed (checksum differs)"]


def test_faults_of_one_shard_are_not_endless(shard: Path) -> None:
    with h5py.File(shard, "r+") as file:
        file["frames"][:] = 0
        _seal(file, lambda samples: samples["index"].__setitem__(slice(None), 9))
    faults = _faults(shard)
    assert len(faults) <= MAX_FAULTS_A_SHARD + 1


def _seal(file: h5py.File, change: Callable[[np.ndarray], object]) -> None:
    """Change the samples table and give it the checksum it then has."""
    samples = file["samples"][:]
    change(samples)
    file["samples"][...] = samples
    file.attrs["tables_crc32"] = tables_crc32([file[name][:] for name in TABLE_TYPES])


def _put(field: str, row: int, value: object) -> Callable[[np.ndarray], None]:
    def change(samples: np.ndarray) -> None:
        samples[field][row] = value

    return change


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (_put("pose", 1, [0.5] * 6), "源/mio.pmx: sample 1 is not the one of its seed"),
        (_put("index", 1, 2), "源/mio.pmx: its samples are not numbers 0 to 2, in order"),
        (
            _put("posed", 1, 4),
            "the frames are not each used once, as rest, expression, posed or origins",
        ),
    ],
)
def test_samples_that_were_changed_are_found(
    change: Callable[[np.ndarray], object], fault: str, shard: Path
) -> None:
    with h5py.File(shard, "r+") as file:
        _seal(file, change)
    assert f"{shard}: {fault}" in _faults(shard)


def test_shadings_that_nobody_drew_are_found(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    sha256, seed = model_row("mio", 3).sha256, HEADER.seed
    drawn = draw_light_shadings(seed, sha256, 2, "mixed")
    for shadings, faults in (
        (drawn, []),
        (drawn[::-1] if drawn[0] != drawn[1] else ("phong", "toon"), [_SHADINGS_FAULT]),
    ):
        with ShardWriter(path, replace(HEADER, shading="mixed")) as writer:
            add_model(writer, replace(model_row("mio", 3), light_shadings=shadings))
            writer.finish()
        assert _faults(path) == [f"{path}: {fault}" for fault in faults]


_SHADINGS_FAULT = "源/mio.pmx: the shadings of its light levels are not those of its seed"


def test_a_second_rest_picture_under_one_light_is_found(shard: Path) -> None:
    with h5py.File(shard, "r+") as file:
        _seal(file, _put("rest", 2, 0))
    assert f"{shard}: sample 2: another rest picture than its model has under this light" in (
        _faults(shard)
    )


def test_samples_of_a_sampling_we_do_not_know_are_not_judged(shard: Path) -> None:
    with h5py.File(shard, "r+") as file:
        file.attrs["sampling_version"] = 2
        _seal(file, _put("pose", 1, [0.5] * 6))
    assert _faults(shard) == []


def _picture(change: Callable[[Stored], object]) -> Stored:
    picture = np.full((SIZE, SIZE, 4), 200, np.uint8)
    change(picture)
    return picture


@pytest.mark.parametrize(
    ("rest", "posed", "fault"),
    [
        (lambda p: None, lambda p: p.fill(0), "frame 2: the picture is empty"),
        (
            lambda p: None,
            lambda p: p[0, 0].__setitem__(3, 0),
            "frame 2: there is colour under alpha 0",
        ),
        (
            lambda p: p[4:].fill(0),
            lambda p: None,
            "frame 0: the head does not fill the middle half of the rows",
        ),
    ],
)
def test_pictures_that_are_not_as_agreed_are_found(
    rest: Callable[[Stored], object],
    posed: Callable[[Stored], object],
    fault: str,
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.h5"
    row = replace(model_row("mio", 1), light_levels=(0.5,))
    with ShardWriter(path, replace(HEADER, ambient_high=0.5, sampling_version=99)) as writer:
        with writer.model(row):
            pictures = [_picture(rest), _picture(lambda p: None), _picture(posed)]
            frames = [writer.add_frame(picture) for picture in pictures]
            writer.add_sample(Pose(), 0, 0, (frames[0], frames[1], frames[2]))
        writer.finish()
    assert _faults(path) == [f"{path}: {fault}"]


# The command.


def test_the_command_prints_each_fault_and_exits_with_1(out: Path) -> None:
    (out / "shard-00000.h5").unlink()
    done = CliRunner().invoke(main, ["verify", str(out)])
    assert done.exit_code == 1
    assert done.stdout == f"{out}/shard-00000.h5: missing, with 2 models; run the build again\n"
    assert done.stderr == "2 shards, 15 samples, 35 pictures: 1 fault\n"


def test_the_command_says_what_it_verified(shard: Path) -> None:
    done = CliRunner().invoke(main, ["verify", str(shard)])
    assert (done.exit_code, done.stdout) == (0, "1 shard, 5 samples, 14 pictures: no faults\n")
