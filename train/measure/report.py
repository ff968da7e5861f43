"""Results of an evaluation as Markdown, CSV and JSON."""

from __future__ import annotations

import base64
import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path

from contract.files import write_bytes
from contract.picture import png_bytes
from train.measure.evaluate import COPYING, NO_CHANGE, Results, Shown
from train.measure.tally import METRICS, Row, Value

_NOTES = """\
{samples} samples of {characters} characters, none of them of a source that was trained on, \
{size} pixels a side.

MSE and RMSE (its root): network form, that is linear light, straight alpha, values in [-1, 1], all
four channels. SSIM: scikit-image `structural_similarity`, Gaussian window of sigma 1.5, biased
covariance, the mean over the four channels of the same pictures mapped to [0, 1]. In brackets: 95%
intervals, by drawing characters with replacement. Eyes, mouth, disoccluded: MSE in those regions
alone, found as `train/measure/regions.py` says, and in a further table SSIM there. Ratio: MSE over
that of the baseline {baseline}. At rest: what becomes of each character's rest picture in the pose
of rest, which should change nothing; unlike: the share of pixels that are stored in other bytes."""

_TITLES = {
    "mse": "MSE",
    "ssim": "SSIM",
    "mse_eyes": "eyes",
    "mse_mouth": "mouth",
    "mse_disoccluded": "disoccluded",
    "ssim_eyes": "SSIM eyes",
    "ssim_mouth": "SSIM mouth",
    "ssim_disoccluded": "SSIM disoccluded",
    "unlike": "unlike",
}


def markdown(results: Results) -> str:
    """The tables with what their numbers mean."""
    notes = _NOTES.format(
        samples=results.samples,
        characters=results.characters,
        size=results.size,
        baseline=f'"{COPYING}" or "{NO_CHANGE}"',
    )
    parts = [
        ("Rest picture to posed picture", results.system, COPYING),
        ("Morpher: rest picture to expression", results.morpher, NO_CHANGE),
        ("At rest", results.rest, None),
    ]
    tables = (f"\n## {title}\n\n{_table(rows, baseline)}" for title, rows, baseline in parts)
    return "\n".join(["# Evaluation", "", notes, *tables, ""])


def _table(rows: Sequence[Row], baseline: str | None) -> str:
    """Errors, and where they were measured SSIM by region below them."""
    measured = [m for m in METRICS if any(not math.isnan(row.values[m].mean) for row in rows)]
    by_region = [metric for metric in measured if metric.startswith("ssim_")]
    main = [metric for metric in measured if metric not in by_region]
    base = next((row.values["mse"].mean for row in rows if row.name == baseline), 0.0)
    titles = ["bundle", "configuration", *(["ratio"] if baseline else []), "RMSE"]
    lines = [_line([*titles, *(_TITLES[m] for m in main)])]
    lines.append(_line(["---"] * (len(titles) + len(main))))
    for row in rows:
        mse = row.values["mse"].mean
        ratio = [f"{mse / base:.3f}" if base else ""] if baseline else []
        cells = [row.bundle, row.name, *ratio, f"{math.sqrt(mse):.5f}"]
        lines.append(_line([*cells, *(_cell(row.values[m]) for m in main)]))
    if by_region:
        titles = ["bundle", "configuration", *(_TITLES[m] for m in by_region)]
        lines += ["", _line(titles), _line(["---"] * len(titles))]
        lines += [_line([r.bundle, r.name, *(_cell(r.values[m]) for m in by_region)]) for r in rows]
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
    tables = {"system": results.system, "morpher": results.morpher, "rest": results.rest}
    for table, rows in tables.items():
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

    return {
        "samples": results.samples,
        "characters": results.characters,
        "size": results.size,
        "system": rows(results.system),
        "morpher": rows(results.morpher),
        "rest": rows(results.rest),
    }


def write_report(folder: Path, results: Results) -> None:
    """Write results.md, results.csv, results.json, samples.html and a picture for each bundle.

    Raises:
        InputError: the folder cannot be written.
    """
    write_bytes(folder / "results.md", markdown(results).encode())
    write_bytes(folder / "results.csv", table_csv(results).encode())
    write_bytes(folder / "results.json", json.dumps(as_json(results), indent=2).encode())
    write_bytes(folder / "samples.html", page_html(results.shown).encode())
    for name, picture in results.pictures.items():
        write_bytes(folder / f"samples-{Path(name).name}.png", png_bytes(picture))


# The page: samples beside one another under sliders, in one file. Pictures lie inside as data; it
# asks for nothing else, and needs no server.

_TEMPLATE = Path(__file__).with_name("page.html")


def page_html(samples: Sequence[Shown]) -> str:
    """The page that shows some samples."""
    data = [
        {
            "rank": one.rank,
            "sample": one.sample,
            "pose": dict(one.pose),
            "pictures": {
                name: f"data:image/png;base64,{base64.b64encode(png_bytes(picture)).decode()}"
                for name, picture in one.pictures.items()
            },
        }
        for one in samples
    ]
    # Names are strangers': none may end the script that holds them.
    text = json.dumps(data).replace("<", "\\u003c")
    return _TEMPLATE.read_text("utf-8").replace("@DATA@", text)
