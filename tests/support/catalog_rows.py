"""Rows of catalogues, made by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from dataset.catalog.catalog import CatalogRow, Status
from dataset.catalog.corrections import Correction
from tests.support.tiny_renderer import tiny_annotation, tiny_described


def model(path: str, group: int | None = None, *, doubtful: bool = False) -> CatalogRow:
    described = tiny_described(path)
    if doubtful:
        annotation = tiny_annotation(confidence={"chin": 0.2}, doubtful=("chin",))
        described = replace(described, annotation=annotation)
    source, sha256 = path.partition("/")[0], hashlib.sha256(path.encode()).hexdigest()
    status: Status = "doubtful" if doubtful else "ok"
    return CatalogRow(path, sha256, source, status, model=described, group=group, picture="p.png")


def sources(**models: int) -> list[CatalogRow]:
    return [model(f"{name}/{n}.pmx") for name, count in models.items() for n in range(count)]


def paths(rows: Sequence[CatalogRow]) -> list[str]:
    return [row.path for row in rows]


def correction(row: CatalogRow, **changes: object) -> dict[str, Correction]:
    return {row.sha256: replace(Correction(row.sha256, row.path), **changes)}  # type: ignore[arg-type]
