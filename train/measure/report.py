"""Results of an evaluation as Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path

from contract.files import write_bytes
from contract.png import png_bytes
from train.measure.evaluate import COPYING, NO_CHANGE, Results
from train.measure.tally import METRICS, Row, Value

_NOTES = """\
{samples} samples of {characters} characters, none of them of a source that was trained on, \
{size} pixels a side.

MSE and RMSE (its root): network form, that is linear light, straight alpha, values in [-1, 1], all
four channels. SSIM: scikit-image `structural_similarity`, Gaussian window of sigma 1.5, biased
covariance, the mean over the four channels of the same pictures mapped to [0, 1]. In brackets: 95%
intervals, by drawing characters with replacement. Eyes, mouth, disoccluded: MSE in those regions
alone, found as `train/measure/regions.py` says. Ratio: MSE over that of the baseline {baseline}."""

_TITLES = {
    "mse": "MSE",
    "ssim": "SSIM",
    "mse_eyes": "eyes",
    "mse_mouth": "mouth",
    "mse_disoccluded": "disoccluded",
}


def markdown(results: Results) -> str:
    """The two tables with what their numbers mean."""
    notes = _NOTES.format(
        samples=results.samples,
        characters=results.characters,
        size=results.size,
        baseline=f'"{COPYING}" or "{NO_CHANGE}"',
    )
    system = _table(results.system, COPYING)
    morpher = _table(results.morpher, NO_CHANGE)
    return (
        f"# Evaluation\n\n{notes}\n\n## Rest picture to posed picture\n\n{system}\n\n"
        f"## Morpher: rest picture to expression\n\n{morpher}\n"
    )


def _table(rows: Sequence[Row], baseline: str) -> str:
    base = next(row.values["mse"].mean for row in rows if row.name == baseline)
    measured = [m for m in METRICS if any(not math.isnan(row.values[m].mean) for row in rows)]
    titles = ["bundle", "configuration", "ratio", "RMSE", *(_TITLES[m] for m in measured)]
    lines = [_line(titles), _line(["---"] * len(titles))]
    for row in rows:
        mse = row.values["mse"].mean
        ratio, rmse = f"{mse / base:.3f}" if base else "", f"{math.sqrt(mse):.5f}"
        lines.append(
            _line([row.bundle, row.name, ratio, rmse, *(_cell(row.values[m]) for m in measured)])
        )
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: Value) -> str:
    return f"{value.mean:.5f} [{value.low:.5f}, {value.high:.5f}]"


def table_csv(results: Results) -> str:
    """One line for each table, bundle, configuration and metric."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["table", "bundle", "configuration", "metric", "mean", "low", "high"])
    for table, rows in (("system", results.system), ("morpher", results.morpher)):
        for row in rows:
            for metric, value in row.values.items():
                if not math.isnan(value.mean):
                    writer.writerow([table, row.bundle, row.name, metric, *vars(value).values()])
    return text.getvalue()


def as_json(results: Results) -> dict[str, object]:
    """Everything but the pictures, as JSON can hold it; NaN as null."""

    def rows(given: Sequence[Row]) -> list[dict[str, object]]:
        return [
            {
                "bundle": row.bundle,
                "configuration": row.name,
                "metrics": {
                    metric: None if math.isnan(value.mean) else vars(value)
                    for metric, value in row.values.items()
                },
            }
            for row in given
        ]

    counts = {
        "samples": results.samples,
        "characters": results.characters,
        "size": results.size,
    }
    return counts | {"system": rows(results.system), "morpher": rows(results.morpher)}


def write_report(folder: Path, results: Results) -> None:
    """Write results.md, results.csv, results.json and a picture for each bundle.

    Raises:
        InputError: the folder cannot be written.
    """
    write_bytes(folder / "results.md", markdown(results).encode())
    write_bytes(folder / "results.csv", table_csv(results).encode())
    write_bytes(folder / "results.json", json.dumps(as_json(results), indent=2).encode())
    for name, picture in results.pictures.items():
        write_bytes(folder / f"samples-{Path(name).name}.png", png_bytes(picture))
