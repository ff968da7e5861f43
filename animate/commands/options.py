"""What the commands have in common on the command line."""

from __future__ import annotations

from pathlib import Path

import click

from models.files.bundle_record import PRETRAINED

PathType = click.Path(path_type=Path)
DRAWING = click.argument("drawing", type=PathType)


def _bundle(_context: click.Context, _option: click.Parameter, folder: Path | None) -> Path:
    # Whether any came is found out by what opens them: a table of poses needs none.
    return folder or PRETRAINED


BUNDLE = click.option(
    "--bundle",
    type=PathType,
    callback=_bundle,
    help="Folder of trained networks, or of ONNX files that `animate export` wrote. "
    "[default: those that came with the program]",
)
CONFIGURATION = click.option(
    "--configuration", help="Which of the bundle's, as FU-P-P; the best there is unless given."
)
BACKEND = click.option(
    "--backend",
    type=click.Choice(["auto", "torch", "onnx"]),
    default="auto",
    show_default=True,
    help="What runs them; auto: by what the folder holds.",
)
COMPILE = click.option(
    "--compile",
    "compiled",
    is_flag=True,
    help="Fuse the networks with torch.compile first: a minute, then faster on graphics cards.",
)
SIZE = click.option(
    "--size",
    type=click.IntRange(1, 4096),
    help="Pixels a side; the drawing's, up to 1024, unless given.",
)
BACKGROUND = click.option("--background", help="A colour (white, #ff8800) or a picture.")
