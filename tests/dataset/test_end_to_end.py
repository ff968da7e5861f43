"""Models -> pictures -> shards with the real renderer."""

from __future__ import annotations

import io
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from characters.files.generate import write_character
from contract.pose import REST, pose_from_vector
from contract.progress import LogProgress
from dataset.build.build import build
from dataset.build.configuration import Configuration
from dataset.catalog.choose import Wish, choose
from dataset.commands.main import main
from dataset.drawing.rendering import open_renderer, open_scanner
from dataset.jobs.pool import Crew
from dataset.scan.scan import scan
from dataset.shards.shard import ShardReader
from tests.support.tiny_builds import quarantine_rows, tables

SIZE = 64


@pytest.fixture(scope="module")
def characters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PMX and a PMD character of two franchises."""
    folder = tmp_path_factory.mktemp("characters")
    write_character(folder / "one" / "a", 1, "pmx", 0)
    write_character(folder / "two" / "b", 2, "pmd", 1)
    return folder


def test_characters_become_a_verified_data_set(characters: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = CliRunner().invoke
    options = ["--poses", "3", "--size", str(SIZE), "--ambient", "0.5..1.2", "--workers", "1"]
    built = command(main, ["build", str(characters), "-o", str(out), *options])
    assert built.exit_code == 0, built.output
    assert "6 samples of 2 models in 1 shard" in built.stdout
    verified = command(main, ["verify", str(out)])
    assert (verified.exit_code, verified.stdout[:17]) == (0, "1 shard, 6 sample")
    inspected = command(main, ["inspect", str(out), "--json", "--sheet", str(tmp_path / "s.png")])
    models = json.loads(inspected.stdout)["models"]
    assert [model["source"] for model in models] == ["one", "two"]
    assert all(model["licence"]["path"].endswith("LICENSE.txt") for model in models)
    assert (tmp_path / "s.png").stat().st_size > 10_000


def test_the_stored_pictures_are_those_of_the_renderer(characters: Path, tmp_path: Path) -> None:
    """Of mixed shading: rest, expression and posed picture of a sample are lit alike."""
    configuration = Configuration(6, 1, SIZE, "mixed", 0.5, 1.2, light_levels=4)
    studio, scanner = partial(open_renderer, "auto"), partial(open_scanner, "auto")
    log = LogProgress(io.StringIO(), "samples")
    catalog = scan(characters, tmp_path / "catalog.jsonl", Crew(1, 120), scanner, log)
    selection = choose(catalog, {}, Wish())
    for workers in (1, 2):
        out = tmp_path / str(workers)
        build(characters, selection, out, configuration, Crew(workers, 120), studio, log)
    assert tables(tmp_path / "1") == tables(tmp_path / "2")
    reader = ShardReader(tmp_path / "1" / "shard-00000.h5")
    opened = open_renderer("auto", SIZE)
    model = selection.models[1]
    subject = opened.open(characters / model.path, model.annotation)
    assert reader.models[1].facts == subject.facts
    drawn = [reader.sample(number) for number in range(len(reader))]
    assert {sample.light.shading for sample in drawn} == {"phong", "toon"}
    for number in np.flatnonzero(reader.samples["model"] == 1):
        sample = drawn[number]
        pose = pose_from_vector(sample.pose)
        np.testing.assert_array_equal(sample.rest, subject.draw(REST, sample.light))
        expression = subject.draw(pose.face_only(), sample.light)
        np.testing.assert_array_equal(sample.expression, expression)
        np.testing.assert_array_equal(sample.posed, subject.draw(pose, sample.light))


def test_real_models_are_drawn_and_broken_ones_put_away(real_models: Path, tmp_path: Path) -> None:
    options = ["--poses", "1", "--size", str(SIZE), "--workers", "2"]
    built = CliRunner().invoke(main, ["build", str(real_models), "-o", str(tmp_path), *options])
    assert built.exit_code == 0, built.output
    assert "models left out: near-duplicates" in built.stderr
    drawn = {
        model.path for path in sorted(tmp_path.glob("*.h5")) for model in ShardReader(path).models
    }
    codes = {row["path"]: row["code"] for row in quarantine_rows(tmp_path)}
    sources = {path.split("/")[0] for path in drawn}
    assert {"mmdagent", "mmdagent-ex", "piapro", "pmcaplus", "vroid"} <= sources
    assert not {"broken", "fixtures"} & sources
    assert {"broken", "fixtures"} <= {path.split("/")[0] for path in codes}
    assert not {"unexpected-error", "worker-died", "timed-out"} & set(codes.values())
