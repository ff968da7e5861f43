"""What another machine says of models: whether it may be its folder that is not what it is here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from contract.errors import ModelError
from contract.text import place
from dataset.catalog.provenance import hash_model
from dataset.jobs.messages import Message, ModelFailed, ModelFile

CHANGED = "changed-file"
_MAY_BE_THE_FOLDERS = {"unreadable-file", CHANGED}
"""Codes of faults that a model seems to have where its folder is not what it is here."""


def fault_of_folder(
    messages: Sequence[Message], models_folder: Path, file_of: Callable[[int], ModelFile]
) -> str | None:
    """Why a job has to be done again: a model could not be read there, and can be here."""
    for message in messages:
        if not isinstance(message, ModelFailed) or message.code not in _MAY_BE_THE_FOLDERS:
            continue
        if _is_sound_here(models_folder, file_of(message.model)):
            return f"{message.message}; here it is whole"
    return None


def _is_sound_here(models_folder: Path, file: ModelFile) -> bool:
    if not models_folder.is_dir():
        return True  # it is gone for the moment: no model is to blame
    try:
        return hash_model(place(models_folder, file.path)) == file.sha256
    except ModelError:
        return False
