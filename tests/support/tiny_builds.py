"""Builds of tiny models, and what they left on disk."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import h5py

from contract.progress import LogProgress
from dataset.build.build import build
from dataset.build.configuration import Configuration
from dataset.build.ledger import BuildSummary
from dataset.build.verify import verify
from dataset.catalog.catalog import Catalog
from dataset.catalog.choose import Selection
from dataset.drawing.protocols import OpenRenderer
from dataset.jobs.pool import Crew
from dataset.scan.scan import scan
from tests.conftest import REPOSITORY
from tests.support.tiny_renderer import open_tiny_renderer, open_tiny_scanner, select_all

SIZE = 16


FIVE = Configuration(5, 3, SIZE, "mixed", 0.5, 1.2, light_levels=2, samples_per_shard=10)


PATIENT = Crew(2, 60)


def write_models(folder: Path, behaviours: dict[str, str]) -> Path:
    for name, behaviour in behaviours.items():
        path = folder / f"{name}.pmx"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{behaviour} {name}", "utf-8")
    return folder


def run(
    models: Path,
    out: Path,
    configuration: Configuration = FIVE,
    crew: Crew = PATIENT,
    selection: Selection | None = None,
    open_renderer: OpenRenderer = open_tiny_renderer,
) -> tuple[BuildSummary, str]:
    """A whole run, of all models unless told; its summary and what it said."""
    log = io.StringIO()
    progress = LogProgress(log, "samples")
    selection = selection or select_all(models)
    summary = build(models, selection, out, configuration, crew, open_renderer, progress)
    return summary, log.getvalue()


def tables(out: Path) -> dict[str, dict[str, Any]]:
    """All that the shards of a folder hold, by name."""
    contents: dict[str, dict[str, Any]] = {}
    for path in sorted(out.glob("*.h5")):
        with h5py.File(path) as file:
            held = {name: file[name][:].tobytes() for name in file}
            contents[path.name] = held | {name: file.attrs[name] for name in file.attrs}
    return contents


def quarantine_rows(out: Path) -> list[dict[str, str]]:
    path = out / "quarantine.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return sorted(map(json.loads, lines), key=lambda row: row["path"])


def assert_sound(*outs: Path) -> None:
    assert verify(outs, LogProgress(io.StringIO(), "shards")).faults == ()


def look(
    models: Path, out: Path, crew: Crew = PATIENT, *, retry: bool = False
) -> tuple[Catalog, str]:
    """A whole scan; its catalogue and what it said."""
    log = io.StringIO()
    progress = LogProgress(log, "models")
    return scan(models, out, crew, open_tiny_scanner, progress, retry=retry), log.getvalue()


COMMAND = f"""
import sys
sys.path.insert(0, {str(REPOSITORY)!r})
import dataset.commands.main, dataset.drawing.rendering
from tests.support.tiny_renderer import open_tiny_device, open_tiny_scanner

if __name__ == "__main__":
    dataset.drawing.rendering.open_renderer = open_tiny_device
    dataset.drawing.rendering.open_scanner = open_tiny_scanner
    dataset.commands.main.main()
"""
