"""Read any model file.

After ``read_model`` every index is -1 where "none" is allowed or else in range, every face index
belongs to one material at most, every bone has a root, and every number is finite. What a file has
wrong without any picture needing it is left out, and said in ``MmdModel.mends``.
"""

from __future__ import annotations

from pathlib import Path

from contract.errors import FormatError
from contract.files import opened_model
from renderer.formats.checks import check_model
from renderer.formats.cursor import Cursor
from renderer.formats.mend import mended
from renderer.formats.model import MmdModel
from renderer.formats.pmd import parse_pmd
from renderer.formats.pmx import parse_pmx
from renderer.formats.pmx_cursor import PmxCursor

MODEL_SUFFIXES = (".pmx", ".pmd")


def read_model(path: Path) -> MmdModel:
    """Read a PMX or PMD file; what it is is told by its first bytes, not by its name.

    Raises:
        ModelError: code ``unreadable-file`` or ``file-too-large``.
        FormatError: codes ``not-a-model``, ``truncated-file``, ``malformed-file``,
            ``index-out-of-range``, ``non-finite-numbers``; the message names the file, the section
            and a byte offset: of the fault itself, or, for a fault that shows only between
            sections, of the section, with the record's number and name.
    """
    with opened_model(path) as file:
        data = file.read()
    cursor: Cursor
    if data[:3] == b"Pmd":
        cursor = Cursor(data, path.name)
        model = parse_pmd(cursor, path)
    elif len(data) > 3 and data[:3].upper() == b"PMX":
        cursor = PmxCursor(data, path.name)
        model = parse_pmx(cursor, path)
    else:
        raise _not_a_model(data, path)
    model = mended(model, cursor)
    check_model(model, cursor)
    return model


def _not_a_model(data: bytes, path: Path) -> FormatError:
    fault = "the first bytes are not those of PMX or PMD" if data else "the file is empty"
    return FormatError(
        f"{path.name}: header, byte 0 of {len(data)}: {fault}; this is no model, get it again",
        "not-a-model" if data else "truncated-file",
    )
