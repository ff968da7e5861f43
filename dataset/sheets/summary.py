"""What is in shards, as values, as text for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from contract.errors import ShardError
from contract.pose import AXES, PoseAxis
from contract.text import counted, printable
from dataset.shards.records import ModelRow
from dataset.shards.schema import CONVENTIONS, MIXED, ShardHeader
from dataset.shards.shard import ShardReader

HISTOGRAM_BINS = 16
_SPARKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class AxisSummary:
    """How a pose axis was sampled; ``histogram``: counts in equal parts of its range."""

    name: str
    low: float
    high: float
    mean: float
    histogram: tuple[int, ...]


@dataclass(frozen=True)
class ShardsSummary:
    """What is in some shards of one data set; ``header`` is that of the first.

    ``ambient``: lowest and highest; ``toon``: how many of the samples are shaded so;
    ``bytes_a_frame``: mean of the encoded pictures.
    """

    shards: int
    samples: int
    pictures: int
    file_bytes: int
    bytes_a_frame: float
    header: ShardHeader
    conventions: dict[str, str | int]
    gl_renderers: tuple[str, ...]
    ambient: tuple[float, float]
    toon: int
    poses: tuple[AxisSummary, ...]
    models: tuple[ModelRow, ...]


def summarise(readers: Sequence[ShardReader]) -> ShardsSummary:
    """The summary of one shard or more; ``ShardError`` when they are of different data sets."""
    first = readers[0].header
    for reader in readers:
        if reader.header.configuration_hash != first.configuration_hash:
            raise ShardError(f"{reader.path}: of another data set than {readers[0].path}")
    samples = np.concatenate([reader.samples for reader in readers])
    frame_bytes = np.concatenate([reader.frame_bytes[reader.picture_frames] for reader in readers])
    return ShardsSummary(
        shards=len(readers),
        samples=len(samples),
        pictures=len(frame_bytes),
        file_bytes=sum(reader.path.stat().st_size for reader in readers),
        bytes_a_frame=float(frame_bytes.mean()),
        header=first,
        conventions=dict(CONVENTIONS),
        gl_renderers=tuple(sorted({reader.header.gl_renderer for reader in readers})),
        ambient=(float(samples["ambient"].min()), float(samples["ambient"].max())),
        toon=sum(_toon_samples(reader) for reader in readers),
        poses=tuple(
            _axis_summary(axis, samples["pose"][:, number]) for number, axis in enumerate(AXES)
        ),
        models=_merged(model for reader in readers for model in reader.models),
    )


def _toon_samples(reader: ShardReader) -> int:
    shading = reader.header.shading
    return sum(
        reader.models[row["model"]].light(int(row["light"]), shading).shading == "toon"
        for row in reader.samples
    )


def _merged(rows: Iterable[ModelRow]) -> tuple[ModelRow, ...]:
    """One row a model, for a model may have samples in several shards."""
    merged: dict[str, ModelRow] = {}
    for row in rows:
        known = merged.get(row.sha256)
        merged[row.sha256] = replace(known, samples=known.samples + row.samples) if known else row
    return tuple(merged.values())


def _axis_summary(axis: PoseAxis, values: npt.NDArray[np.float32]) -> AxisSummary:
    counts, _ = np.histogram(values, HISTOGRAM_BINS, (axis.low, axis.high))
    low, high, mean = float(values.min()), float(values.max()), float(values.mean())
    return AxisSummary(axis.name, low, high, mean, tuple(map(int, counts)))


def sparkline(counts: Sequence[int]) -> str:
    """One block a count, as high as its share of the greatest."""
    greatest = max(*counts, 1)
    return "".join(_SPARKS[round(count / greatest * (len(_SPARKS) - 1))] for count in counts)


def summary_text(summary: ShardsSummary) -> str:
    """The summary for people, several lines."""
    header = summary.header
    low, high = summary.ambient
    light = f"ambient {low:.2f}" if low == high else f"ambient {low:.2f} to {high:.2f}"
    shading = f"{header.shading} shading"
    if header.shading == MIXED:
        shading += f" ({summary.toon / summary.samples:.0%} toon)"
    lines = [
        f"samples    {summary.samples} of {counted(len(summary.models), 'model')}, "
        f"{counted(summary.pictures, 'picture')}, {counted(summary.shards, 'shard')}",
        f"pictures   {header.size}x{header.size} RGBA, {shading}, {light}",
        f"storage    {header.codec}, {summary.bytes_a_frame / 1e3:.1f} kB a frame, "
        f"{summary.file_bytes / 1e6:.1f} MB",
        f"made by    {header.generator}, seed {_seeds(summary)}, "
        f"configuration {header.configuration_hash[:12]}",
        *(f"           {printable(name)}" for name in summary.gl_renderers),
        f"convention {summary.conventions['picture_convention']}",
        "",
        "pose         lowest  highest     mean",
        *(
            f"  {axis.name:<9} {axis.low:7.2f}  {axis.high:7.2f}  {axis.mean:7.2f}  "
            f"{sparkline(axis.histogram)}"
            for axis in summary.poses
        ),
        "",
        "models",
        *(line for model in summary.models for line in _model_lines(model)),
    ]
    return "\n".join(lines)


def _seeds(summary: ShardsSummary) -> str:
    """One, or those of all the sets that were merged."""
    return " and ".join(map(str, sorted({model.seed for model in summary.models})))


def _model_lines(model: ModelRow) -> list[str]:
    morphs = ", ".join(
        f"{axis} {printable(use.name)}{'' if use.side == 'whole' else ' (' + use.side + ')'}"
        for axis, uses in model.facts.morphs.items()
        for use in uses
    )
    terms = "none found"
    if model.licence:
        lines = model.licence.text.splitlines()
        telling = next((line for line in lines if any(map(str.isalnum, line))), "")
        terms = f"{printable(model.licence.path)}: {printable(telling)[:60]}"
    return [
        f"  {printable(model.facts.name) or '(no name)'}   {counted(model.samples, 'sample')}, "
        f"source {model.source}, sha256 {model.sha256[:12]}",
        f"    file     {model.path}",
        f"    terms    {terms}",
        f"    morphs   {morphs}",
    ]
