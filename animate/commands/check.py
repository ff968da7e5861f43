"""``animate check``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from contract.errors import InputError

PathType = click.Path(path_type=Path)


@click.command()
@click.argument("drawing", type=PathType)
@click.option("--fix", "fixed", type=PathType, help="Write a mended copy, a PNG.")
@click.option(
    "--size", type=click.IntRange(16, 4096), help="Of it; as the drawing has it unless given."
)
@click.option(
    "--head",
    "by_hand",
    metavar="TOP,CHIN,MIDDLE",
    help="Where the head is, in pixels: rows of skull top and chin, column of its middle.",
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def check(
    drawing: Path,
    fixed: Path | None,
    size: int | None,
    by_hand: str | None,
    as_json: bool,
) -> None:
    """Does DRAWING meet the input convention? Each fault in words, with its remedy.

    A mouth that looks closed, or is not seen, is noted; it is no fault.

    Exit codes: 0 it does, or --fix made a copy that does; 1 it does not.
    """
    from animate.drawing.check import check as look  # noqa: PLC0415
    from animate.drawing.check import fix, framed_head  # noqa: PLC0415
    from animate.drawing.drawing import read_drawing  # noqa: PLC0415
    from animate.drawing.head_by_hand import head_by_hand  # noqa: PLC0415
    from animate.drawing.output import write_still  # noqa: PLC0415

    head = head_by_hand(by_hand) if by_hand is not None else None
    given = read_drawing(drawing)
    report = look(given, head)
    if as_json:
        click.echo(json.dumps(asdict(report), ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(drawing, report)))
    if fixed:
        if fixed.exists() and fixed.samefile(drawing):
            raise InputError(f"{fixed}: is the drawing itself; give another name")
        if fixed.suffix.lower() != ".png":
            raise InputError(f"{fixed}: a drawing is written as .png")
        mended = fix(given, size, head)
        write_still(fixed, mended.picture)
        report = look(mended, framed_head(len(mended.picture)) if head else None)
        click.echo(f"wrote {fixed}: {'; '.join(f.text for f in report.faults) or 'no fault left'}")
    if report.faults:
        click.get_current_context().exit(1)


def _lines(path: Path, report: object) -> list[str]:
    from animate.drawing.check import Report  # noqa: PLC0415

    assert isinstance(report, Report)
    lines = [f"{path}: {report.width}x{report.height}"]
    if head := report.head:
        found = f"found by its {head.source}{'' if head.sure else ', not sure: look'}"
        lines.append(
            f"  head     rows {head.skull_top:.0f} to {head.chin:.0f}, middle column "
            f"{head.centre_x:.0f} ({'said by hand' if head.source == 'hand' else found})"
        )
    lines += [f"  note     {note}" for note in report.notes]
    lines += [f"  fault    {fault.text}" for fault in report.faults]
    return lines if report.faults else [*lines, "  good     ready to be animated"]
