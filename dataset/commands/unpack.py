"""``dataset unpack``."""

from __future__ import annotations

from pathlib import Path

import click

from contract.cli import out_option
from contract.progress import open_progress
from contract.text import counted


@click.command()
@click.argument("archives", type=click.Path(path_type=Path), nargs=-1, required=True)
@out_option("The models folder.")
@click.option("--password", help="Of locked archives.")
@click.pass_context
def unpack(
    context: click.Context, archives: tuple[Path, ...], out: Path, password: str | None
) -> None:
    """Unpack ARCHIVES (zip, 7z, rar, lzh; or folders of them) into a folder each, for scan.

    Names are read in the encoding (UTF-8, Shift-JIS, GB18030, Big5, Korean) under which the models
    find their textures. Archives in archives are unpacked once; links, and paths that lead out, are
    passed over. Run the same command again to go on: what is unpacked stays.

    Exit codes: 0 done, even where some cannot be unpacked (each is named); 1 an error, or none can.
    """
    from dataset.drawing.rendering import texture_references  # noqa: PLC0415  # heavy
    from dataset.unpack.unpack import find_archives  # noqa: PLC0415
    from dataset.unpack.unpack import unpack as unpack_all  # noqa: PLC0415

    found = find_archives(archives)
    with open_progress("archives") as progress:
        summary = unpack_all(found, out, texture_references, progress, password)
    known = f", {summary.known} known from before" if summary.known else ""
    click.echo(
        f"{out}: {counted(summary.unpacked, 'archive')} unpacked with "
        f"{counted(summary.models, 'model')}{known}, {counted(len(summary.faults), 'fault')}"
    )
    context.exit(1 if len(summary.faults) == len(found) else 0)
