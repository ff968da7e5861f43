"""Files that grow by one line of JSON at a time and survive a killed writer."""

from __future__ import annotations

import json
import os
from pathlib import Path

from contract.errors import InputError
from contract.files import write_bytes


def json_line(value: object) -> bytes:
    """One line of JSON; file names that are no UTF-8 survive as lone surrogates."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def append_line(path: Path, value: object) -> None:
    """Append a value; it is on disk when this returns. ``InputError`` when it cannot be written."""
    try:
        with path.open("ab") as file:
            file.write(json_line(value))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror}); free space and run again"
        ) from error


def whole_lines(path: Path) -> list[str]:
    """All lines, none where there is no file; one that a killed writer left half is cut off.

    Raises:
        InputError: the file cannot be read, or is no UTF-8.
    """
    try:
        if not path.exists():
            return []
        whole, _, cut = path.read_bytes().rpartition(b"\n")
        text = whole.decode("utf-8", "surrogatepass")
    except (OSError, UnicodeDecodeError) as error:
        fault = getattr(error, "strerror", None) or "no UTF-8"
        raise InputError(f"{path}: cannot be read ({fault}); move it away") from error
    if cut:
        write_bytes(path, whole + b"\n" if whole else b"")
    # Not splitlines: U+2028 and its like may stand inside a JSON text.
    return text.split("\n") if text else []
