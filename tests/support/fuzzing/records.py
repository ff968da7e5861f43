"""What is known and said of models: catalogues, overrides, splits, plans, quarantines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from tests.support.fuzzing.mutation import in_json, in_lines
from tests.support.fuzzing.target import Seed, Target


def _catalogs(folder: Path) -> list[Seed]:
    from dataset.catalog.catalog import Catalog, save_catalog
    from tests.support.catalog_rows import model

    rows = (model("a/0.pmx"), model("b/1.pmx", 0, doubtful=True), model("c/2.pmx", 0))
    save_catalog(folder / "catalog.jsonl", Catalog(folder, "1", rows, ("a.zip",), ("link",)))
    return [Seed((folder / "catalog.jsonl").read_bytes(), (in_lines,))]


def _read_catalog(path: Path) -> None:
    from dataset.catalog.catalog import load_catalog
    from dataset.catalog.choose import Wish, choose

    choose(load_catalog(path), {}, Wish())


def _overrides(folder: Path) -> list[Seed]:
    from contract.rig import HeadBox, MorphUse
    from dataset.catalog.corrections import Correction, save_corrections
    from tests.support.catalog_rows import model

    one, other = model("a/0.pmx"), model("b/1.pmx")
    drives = {"mouth": (MorphUse(1, 0.5, name="あ"),)}
    box = HeadBox(16.0, 19.0, 0.1)
    said = {
        one.sha256: Correction(one.sha256, one.path, "accept", box, drives),
        other.sha256: Correction(other.sha256, other.path, "reject"),
    }
    save_corrections(folder / "overrides.jsonl", said)
    return [Seed((folder / "overrides.jsonl").read_bytes(), (in_lines,))]


def _read_overrides(path: Path) -> None:
    from dataset.catalog.corrections import corrected_row, load_corrections
    from tests.support.catalog_rows import model

    said = load_corrections(path)
    for row in (model("a/0.pmx"), model("b/1.pmx")):
        corrected_row(row, said.get(row.sha256))


def _splits(_folder: Path) -> list[Seed]:
    data = {"train": ["a", "b"], "validation": ["c"], "test": ["d"], "seed": 3, "split_version": 1}
    return [Seed(json.dumps(data).encode(), (in_json,))]


def _read_split(path: Path) -> None:
    from dataset.shards.split_file import read_split

    read_split(path)


def _plans(_folder: Path) -> list[Seed]:
    from dataset.build.configuration import Configuration
    from dataset.build.plan import make_plan, plan_to_json
    from dataset.catalog.choose import PlannedModel, Selection
    from tests.support.tiny_renderer import tiny_annotation

    model = PlannedModel("a/0.pmx", "0" * 64, tiny_annotation())
    plan = make_plan(
        Selection((model,), {}, {}, {}, (), ()), Configuration(5, 3, 16, "mixed", 0.5, 1.2)
    )
    return [Seed(plan_to_json(plan), (in_json,))]


def _read_plan(path: Path) -> None:
    from dataset.build.plan import load_plan

    load_plan(path.parent).shards()


def _quarantines(_folder: Path) -> list[Seed]:
    from contract.records import json_line
    from dataset.catalog.quarantine import QuarantineRow

    rows = [QuarantineRow(f"{n}.pmx", "0" * 64, "no-head-bone", "no head", "open") for n in "abc"]
    return [Seed(b"".join(json_line(asdict(row)) for row in rows), (in_lines,))]


def _read_quarantine(path: Path) -> None:
    from dataset.catalog.quarantine import Quarantine, QuarantineRow

    quarantine = Quarantine(path.parent)
    quarantine.add(QuarantineRow("new.pmx", "0" * 64, "code", "text", "open"))
    assert "new.pmx" in Quarantine(path.parent), "what was added is lost"


TARGETS: Mapping[str, Target] = {
    "catalogues": Target("catalog.jsonl", _catalogs, _read_catalog, share=2),
    "overrides": Target("overrides.jsonl", _overrides, _read_overrides, share=2),
    "splits": Target("split.json", _splits, _read_split),
    "plans": Target("plan.json", _plans, _read_plan),
    "quarantines": Target("quarantine.jsonl", _quarantines, _read_quarantine),
}
