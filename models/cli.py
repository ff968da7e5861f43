"""``models show | import | export``."""

from __future__ import annotations

import re
from pathlib import Path

import click

from contract.cli import ErrorLineGroup, out_option
from contract.errors import InputError
from models.base.config import NetworkConfig
from models.base.configurations import CONFIGURATIONS, FULL_CONFIGURATIONS
from models.files.bundle import Bundle, load_bundle, save_bundle
from models.files.bundle_record import RECORD_FILE, pretrained_folder, read_record
from models.files.tha1 import export_tha1, full_networks, import_tha1

_PATH = click.Path(path_type=Path)
_USES = {
    "train": "which the networks were trained on",
    "validation": "which the training was watched with",
    "test": "which the training was kept from",
}
"""What a training does with each part of its data."""


@click.group(cls=ErrorLineGroup)
def main() -> None:
    """Look into bundles of trained networks and exchange them with THA1's tools."""


@main.command()
@click.argument("bundle", type=_PATH, required=False)
@click.option(
    "--saw",
    metavar="SHA256",
    help="Only say whether its training saw the model whose file has this SHA-256 "
    "(the first 12 digits will do).",
)
def show(bundle: Path | None, saw: str | None) -> None:
    """Check BUNDLE, or the one that came with the program, and say what it holds."""
    if saw is not None:
        click.echo(_answer(bundle or pretrained_folder(), saw))
        return
    loaded = load_bundle(bundle or pretrained_folder())
    for name, network in loaded.networks().items():
        numbers = sum(parameter.numel() for parameter in network.parameters())
        config = network.config
        widths = "-".join(map(str, config.widths))
        click.echo(
            f"{name:<14} {numbers:>11,} numbers, {config.size} pixels{_look(name, config)}, "
            f"channels {widths}, {config.residual_blocks} blocks"
        )
    click.echo(f"can run        {', '.join(loaded.configurations()) or 'none'}")
    click.echo(f"trained on     {loaded.data_fingerprint or 'unknown'}")


def _answer(bundle: Path, sha256: str) -> str:
    """Whether a training saw a model, and as what; one line."""
    beginning = sha256.lower()
    if not re.fullmatch("[0-9a-f]{12,64}", beginning):
        raise InputError(f"{sha256!r:.80}: is no SHA-256; give 12 to 64 hexadecimal digits")
    parts = read_record(bundle / RECORD_FILE).saw
    if not parts:
        raise InputError(
            f"{bundle}: does not say which models it saw, as bundles of earlier versions and of "
            "other programs do not; ask for the data set that it was trained on"
        )
    for part, models in parts.items():
        if any(model.startswith(beginning) for model in models):
            return f"yes: in the part {part}, {_USES.get(part, 'of unknown use')}"
    return f"no: it is none of the {sum(map(len, parts.values())):,} models of its data"


def _look(name: str, config: NetworkConfig) -> str:
    """What a network looks at, where that is not the whole picture as it is."""
    if config.look == config.size:
        return ""
    if name == "morpher":
        return f" (looks at {config.face_look} of the {config.looks_at})"
    return f" (looks at {config.look})"


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
