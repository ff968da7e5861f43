"""Exported pictures are the stored ones, and a program without this project finds its way."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from contract.errors import InputError
from contract.pose import AXIS_NAMES
from contract.progress import LogProgress
from dataset.commands.main import main
from dataset.curate.export import export
from dataset.shards.records import PICTURE_NAMES, Sample
from dataset.shards.shard import ShardReader
from tests.support.tiny_builds import run, write_models


@pytest.fixture
def built(tmp_path: Path) -> Path:
    models = write_models(tmp_path / "models", {"源/k": "ok", "s/l": "ok", "s/m": "ok"})
    run(models, tmp_path / "out")
    return tmp_path / "out"


def _stored(folder: Path) -> dict[tuple[str, int], Sample]:
    readers = [ShardReader(path) for path in sorted(folder.glob("*.h5"))]
    return {
        (reader.models[row["model"]].path, int(row["index"])): reader.sample(i)
        for reader in readers
        for i, row in enumerate(reader.samples)
    }


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _same_pose(values: dict[str, object], sample: Sample) -> bool:
    pose = np.array([np.float32(str(values[name])) for name in AXIS_NAMES])
    return bool(np.array_equal(pose, sample.pose))


def test_png_folders_hold_every_sample(built: Path, tmp_path: Path) -> None:
    stored, out = _stored(built), tmp_path / "pngs"
    done = CliRunner().invoke(main, ["export", str(built), "-o", str(out)])
    pictures = len(list(out.rglob("*.png")))
    assert (done.exit_code, done.stdout) == (0, f"{out}: 15 samples, {pictures} pictures\n")
    models = _rows(out / "model_table.csv")
    assert [row["path"] for row in models] == ["s/l.pmx", "s/m.pmx", "源/k.pmx"]
    found = set()
    for row in _rows(out / "sample_table.csv"):
        key = models[int(row["model"])]["path"], int(row["index"])
        sample = stored[key]
        found.add(key)
        assert _same_pose(dict(row), sample)
        assert float(row["ambient"]) == pytest.approx(sample.light.ambient)
        assert row["shading"] == sample.light.shading
        for name in PICTURE_NAMES:
            picture = np.array(Image.open(out / row[name]))
            np.testing.assert_array_equal(picture, getattr(sample, name))
    assert found == stored.keys()


def test_webdataset_tars_hold_every_sample_in_a_row(built: Path, tmp_path: Path) -> None:
    stored, out = _stored(built), tmp_path / "tars"
    export(built, out, "webdataset", LogProgress(io.StringIO(), "shards"))
    models = _rows(out / "model_table.csv")
    found = set()
    for path in sorted(out.glob("*.tar")):
        with tarfile.open(path) as tar:
            members = tar.getmembers()
            for group in (members[n : n + 4] for n in range(0, len(members), 4)):
                keys, kinds = zip(*(one.name.split(".", 1) for one in group), strict=True)
                assert len(set(keys)) == 1
                assert kinds == ("rest.png", "expression.png", "posed.png", "json")
                data = [tar.extractfile(one) for one in group]
                contents = [file.read() for file in data if file]
                values = json.loads(contents[3])
                key = models[values["model"]]["path"], values["index"]
                found.add(key)
                assert _same_pose(values, stored[key])
                for name, png in zip(PICTURE_NAMES, contents, strict=False):
                    picture = np.array(Image.open(io.BytesIO(png)))
                    np.testing.assert_array_equal(picture, getattr(stored[key], name))
    assert found == stored.keys()
    again = tmp_path / "again"
    export(built, again, "webdataset", LogProgress(io.StringIO(), "shards"))
    for path in out.glob("*.tar"):
        assert (again / path.name).read_bytes() == path.read_bytes()


def test_what_is_there_is_not_overwritten(built: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="exists already"):
        export(built, built, "png", LogProgress(io.StringIO(), "shards"))
    with pytest.raises(InputError, match="holds no shard"):
        export(tmp_path / "models", tmp_path / "no", "png", LogProgress(io.StringIO(), "shards"))
    assert not (tmp_path / "no").exists()
