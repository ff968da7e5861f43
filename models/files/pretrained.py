"""The weights that come with the program: a bundle, in ``models/pretrained``."""

from __future__ import annotations

from pathlib import Path

from contract.errors import InputError
from models.files.bundle_record import RECORD_FILE

PRETRAINED = Path(__file__).parents[1] / "pretrained"


def pretrained_folder() -> Path:
    """Where the bundle lies that came with the program.

    Raises:
        InputError: none came with it.
    """
    if not (PRETRAINED / RECORD_FILE).is_file():
        raise InputError(
            f"{PRETRAINED}: no weights came with this program; make them with `make pretrained`, "
            "or give a bundle of your own"
        )
    return PRETRAINED
