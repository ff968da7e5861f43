"""Records as JSON: read into frozen dataclasses, and kept in files that grow by one line at a time.

A file of lines survives a killed writer.
"""

from __future__ import annotations

import json
import os
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import IO, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from contract.errors import InputError
from contract.files import read_file

T = TypeVar("T")

_LARGEST = sys.float_info.max
_MOST_BYTES = 2 << 30  # of a file of lines: catalogues grow by kilobytes a model


def decode(kind: type[T], value: object, *, others: bool = False) -> T:
    """The value of ``kind`` that ``dataclasses.asdict`` and JSON made ``value`` of.

    Knows dataclasses, ``tuple[X, ...]``, ``Mapping[str, X]``, ``X | None``, ``Literal``,
    ``StrEnum``, str, int, float (finite), bool, and ``object`` for any value. Fields with a default
    may be missing; unknown ones are refused, or passed over in ``others`` people's files.

    Raises:
        ValueError: the value is something else; the message names where.
    """
    try:
        return _decode(kind, value, kind.__name__, others)  # type: ignore[no-any-return]
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def decode_json(kind: type[T], data: bytes | str, *, others: bool = False) -> T:
    """The value of ``kind`` that a JSON text holds; ``ValueError`` when it holds something else."""
    try:
        value = json.loads(data)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    except ValueError as error:
        raise ValueError(f"no JSON ({error})") from error
    return decode(kind, value, others=others)


def _decode(  # noqa: PLR0911  # one return a kind
    kind: Any,  # noqa: ANN401  # any annotation
    value: object,
    place: str,
    others: bool,
) -> Any:  # noqa: ANN401
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is object:
        return value
    if origin in {Union, types.UnionType}:
        inner = next(argument for argument in arguments if argument is not type(None))
        return None if value is None else _decode(inner, value, place, others)
    if origin is Literal and value in arguments:
        return value
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(_decode(arguments[0], item, place, others) for item in value)
    if origin is Mapping and isinstance(value, dict):
        return {str(k): _decode(arguments[1], v, f"{place}.{k}", others) for k, v in value.items()}
    if is_dataclass(kind) and isinstance(value, dict):
        return _decode_fields(kind, value, place, others)
    if isinstance(value, str) and _is_word(kind, value):
        return kind(value)
    if _is_plain(kind, value):
        return float(value) if kind is float else value  # type: ignore[arg-type]
    raise ValueError(f"{place}: {value!r:.40} is no {getattr(kind, '__name__', kind)}")


def _decode_fields(kind: Any, value: dict[str, object], place: str, others: bool) -> Any:  # noqa: ANN401
    hints = _hints(kind)
    unknown = set(value) - {field.name for field in fields(kind)}
    if unknown and not others:
        raise ValueError(f"{place}: {min(unknown)!r:.40} is unknown")
    found = {
        name: _decode(hints[name], item, f"{place}.{name}", others)
        for name, item in value.items()
        if name not in unknown
    }
    needed = (f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING)
    if missing := [name for name in needed if name not in value]:
        raise ValueError(f"{place}: {missing[0]!r} is missing")
    try:
        return kind(**found)
    except TypeError as error:
        raise ValueError(f"{place}: {error}") from error


@cache
def _hints(kind: Any) -> dict[str, Any]:  # noqa: ANN401
    return get_type_hints(kind)


def _is_word(kind: object, value: str) -> bool:
    return isinstance(kind, type) and issubclass(kind, StrEnum) and value in {*kind}


def _is_plain(kind: object, value: object) -> bool:
    if kind is float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and -_LARGEST <= value <= _LARGEST  # type: ignore[operator]  # no NaN
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return kind in {str, bool} and type(value) is kind


def json_line(value: object) -> bytes:
    """One line of JSON; what no UTF-8 can say survives as lone surrogates."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def append_line(path: Path, value: object, note: Callable[[str], None] = lambda _: None) -> None:
    """Append a value to a journal; it is on disk when this returns.

    What a killed writer left half at its end is cut off, and ``note`` is told.

    Raises:
        InputError: it cannot be written.
    """
    try:
        with path.open("ab+") as file:
            if said := _end_line(file, path):
                note(said)
            file.write(json_line(value))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror}); free space and run again"
        ) from error


def _end_line(file: IO[bytes], path: Path) -> str:
    """Let a journal end with a whole line; what was done to a half one, in words."""
    if not file.seek(0, os.SEEK_END):
        return ""
    file.seek(-1, os.SEEK_END)
    if file.read(1) == b"\n":
        return ""
    file.seek(0)
    whole, _, last = file.read().rpartition(b"\n")
    if _is_json(last):
        file.write(b"\n")
        return ""
    file.truncate(len(whole) + 1 if whole else 0)
    return f"{path}: its last line was cut off in the middle of being written; left it out"


def journal_lines(path: Path) -> list[str]:
    """The whole lines of a journal; not the half one that a killed writer may have left.

    Raises:
        InputError: the file cannot be read, or is no UTF-8.
    """
    data = _bytes(path)
    # Before anything is decoded: the half line may end within a letter.
    whole, newline, last = data.rpartition(b"\n")
    return _lines(path, data if _is_json(last) else whole + newline)


def read_lines(path: Path) -> list[str]:
    """All lines, none where there is no file; nothing is written.

    Raises:
        InputError: the file cannot be read, or is no UTF-8.
    """
    return _lines(path, _bytes(path))


def _bytes(path: Path) -> bytes:
    return read_file(path, _MOST_BYTES) if os.path.lexists(path) else b""


def _lines(path: Path, data: bytes) -> list[str]:
    try:
        text = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: cannot be read (no UTF-8); move it away") from error
    # Not splitlines: U+2028 and its like may stand inside a JSON text.
    return text.removesuffix("\n").split("\n") if text else []


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return False
    return True
