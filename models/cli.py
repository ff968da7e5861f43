"""``models show | import | export``."""

from __future__ import annotations

from pathlib import Path

import click

from contract.cli import ErrorLineGroup, out_option
from models.base.configurations import CONFIGURATIONS, FULL_CONFIGURATIONS
from models.files.bundle import Bundle, load_bundle, save_bundle
from models.files.pretrained import pretrained_folder
from models.files.tha1 import export_tha1, full_networks, import_tha1

_PATH = click.Path(path_type=Path)


@click.group(cls=ErrorLineGroup)
def main() -> None:
    """Look into bundles of trained networks and exchange them with THA1's tools."""


@main.command()
@click.argument("bundle", type=_PATH, required=False)
def show(bundle: Path | None) -> None:
    """Check BUNDLE, or the one that came with the program, and say what it holds."""
    loaded = load_bundle(bundle or pretrained_folder())
    for name, network in loaded.networks().items():
        numbers = sum(parameter.numel() for parameter in network.parameters())
        config = network.config
        widths = "-".join(map(str, config.widths))
        click.echo(
            f"{name:<14} {numbers:>11,} numbers, {config.size} pixels, channels {widths}, "
            f"{config.residual_blocks} blocks"
        )
    click.echo(f"can run        {', '.join(loaded.configurations()) or 'none'}")
    click.echo(f"trained on     {loaded.data_fingerprint or 'unknown'}")


@main.command("import")
@click.argument("folder", type=_PATH)
@out_option("The bundle to write.")
@click.option(
    "--configuration",
    type=click.Choice(FULL_CONFIGURATIONS),
    default="FU-P-P",
    show_default=True,
    help="How the networks were trained; THA1 published FU-P-P.",
)
def import_command(folder: Path, out: Path, configuration: str) -> None:
    """Make a bundle of FOLDER's face_morpher.pt, two_algo_face_rotator.pt and combiner.pt."""
    networks = import_tha1(folder)
    losses = CONFIGURATIONS[configuration]
    assert losses.combiner is not None  # the option allows no others
    bundle = Bundle(
        networks.morpher,
        {losses.rotator: networks.rotator},
        {(losses.rotator, losses.combiner): networks.combiner},
        stages=({"imported_from": "THA1 files", "configuration": configuration},),
    )
    save_bundle(out, bundle)
    click.echo(f"{out}: holds {configuration}")


@main.command()
@click.argument("bundle", type=_PATH, required=False)
@out_option("The folder for the three files.")
@click.option(
    "--configuration",
    type=click.Choice(FULL_CONFIGURATIONS),
    help="Which rotator and combiner; needed where the bundle has several.",
)
def export(bundle: Path | None, out: Path, configuration: str | None) -> None:
    """Write networks as THA1's three files, for its own and compatible tools.

    Those of BUNDLE, or of the one that came with the program.
    """
    loaded = load_bundle(
        bundle or pretrained_folder(), None if configuration is None else [configuration]
    )
    export_tha1(out, full_networks(loaded, configuration))
    click.echo(f"{out}: THA1's three files")
