"""The commands on data sets that are built: ``drop-model``, ``merge``, ``export`` and ``card``."""

from __future__ import annotations

from pathlib import Path

import click

from contract.cli import out_option
from contract.progress import open_progress
from contract.text import counted
from dataset.commands.options import PathType
from dataset.curate.card import write_card
from dataset.curate.drop import drop_models
from dataset.curate.export import EXPORT_KINDS, ExportKind
from dataset.curate.export import export as export_set
from dataset.curate.merge import merge as merge_sets


@click.command("drop-model")
@click.argument("folder", type=PathType)
@click.argument("hashes", metavar="SHA256...", nargs=-1, required=True)
@click.option("--why", default="", help="Kept in the quarantine beside the model.")
def drop_model(folder: Path, hashes: tuple[str, ...], why: str) -> None:
    """Take models out of the data set FOLDER: every sample and picture of them.

    Each SHA256 (8 digits at least; `dataset inspect` shows them) names one model. Only the shards
    that hold it are rewritten, each in one step, and no build of this folder draws it again. Run
    the same command again after an interruption. Networks that were trained before have seen the
    model: `models show BUNDLE --saw SHA256` says which. The catalogue's pictures of it go when the
    model is taken from the models folder and the folder with the suffix .cache is removed.
    """
    with open_progress("shards") as progress:
        dropped = drop_models(folder, hashes, why, progress)
    click.echo(
        f"{folder}: {counted(dropped.models, 'model')} with {counted(dropped.samples, 'sample')} "
        f"taken out; {counted(dropped.rewritten, 'shard')} rewritten, {dropped.removed} removed"
    )


@click.command()
@click.argument("folders", type=PathType, nargs=-1, required=True)
@out_option("Folder, which must not exist.")
def merge(folders: tuple[Path, ...], out: Path) -> None:
    """Make one data set of FOLDERS, which are left as they are.

    Their pictures must be of one size, shading, light and codec; seeds, numbers of poses and models
    may differ. Samples that several hold are kept once; models that one of them dropped stay out.
    """
    with open_progress("shards") as progress:
        merged = merge_sets(folders, out, progress)
    click.echo(
        f"{out}: {counted(merged.models, 'model')} in {counted(merged.shards, 'shard')}; "
        f"{merged.repeated} kept once of several, "
        f"{counted(merged.dropped, 'dropped model')} left out"
    )


@click.command()
@click.argument("folder", type=PathType)
@out_option("Folder, which must not exist.")
@click.option(
    "--as",
    "kind",
    type=click.Choice(EXPORT_KINDS),
    default="png",
    show_default=True,
    help="Folders of PNGs with tables as CSV, or tars as WebDataset reads them.",
)
def export(folder: Path, out: Path, kind: ExportKind) -> None:
    """Write the samples of the data set FOLDER as files that other programs read."""
    with open_progress("shards") as progress:
        written = export_set(folder, out, kind, progress)
    click.echo(
        f"{out}: {counted(written.samples, 'sample')}, {counted(written.pictures, 'picture')}"
    )


@click.command()
@click.argument("folder", type=PathType)
@out_option("A .md file; default: CARD.md in FOLDER.", required=False)
def card(folder: Path, out: Path | None) -> None:
    """Describe the data set FOLDER on a page of Markdown, with a sheet of samples beside it.

    Counts, histograms of the poses, and the authors and terms of every model, as far as its files
    say.
    """
    path = out or folder / "CARD.md"
    write_card(folder, path)
    click.echo(f"wrote {path} and {path.with_suffix('.png').name}")
