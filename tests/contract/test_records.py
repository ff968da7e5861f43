"""JSON becomes exactly the dataclass that is asked for, or is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from contract.records import append_line, decode, journal_lines, read_lines


@dataclass(frozen=True)
class Inner:
    number: float
    count: int = 3


@dataclass(frozen=True)
class Outer:
    name: str
    kind: Literal["a", "b"]
    inner: Inner | None
    flags: tuple[bool, ...] = ()
    by_name: Mapping[str, tuple[Inner, ...]] = field(default_factory=dict)


WHOLE = Outer("x", "b", Inner(1.5), (True, False), {"one": (Inner(2.0, 4),)})


def test_what_asdict_made_comes_back() -> None:
    assert decode(Outer, asdict(WHOLE)) == WHOLE
    assert decode(Outer, {"name": "x", "kind": "a", "inner": None}) == Outer("x", "a", None)
    assert decode(Inner, {"number": 2}) == Inner(2.0)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"name": 5}, "Outer.name: 5 is no str"),
        ({"kind": "c"}, "Outer.kind: 'c' is no"),
        ({"kind": ["a"]}, "Outer.kind"),
        ({"inner": {"number": True}}, "Outer.inner.number: True is no float"),
        ({"inner": {"number": float("nan")}}, "Outer.inner.number: nan is no float"),
        ({"inner": {"number": 10**400}}, "Outer.inner.number"),
        ({"inner": {"number": 1, "count": 1.0}}, r"Outer.inner.count: 1\.0 is no int"),
        ({"inner": {}}, "Outer.inner: .*number"),
        ({"inner": {"number": 1, "more": 1}}, "Outer.inner: 'more' is unknown"),
        ({"inner": []}, "Outer.inner"),
        ({"flags": "no"}, "Outer.flags"),
        ({"flags": [1]}, "Outer.flags: 1 is no bool"),
        ({"by_name": {"one": [{"number": "2"}]}}, "Outer.by_name.one"),
        ({"by_name": [1]}, "Outer.by_name"),
    ],
)
def test_anything_else_is_refused_and_named(changes: dict[str, object], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        decode(Outer, asdict(WHOLE) | changes)


HALF = b'{"a": 1}\n{"b": 2}\n{"c": '


def test_reading_lines_never_writes(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(HALF)
    assert journal_lines(path) == ['{"a": 1}', '{"b": 2}']
    assert read_lines(path)[-1] == '{"c": '
    assert path.read_bytes() == HALF
    assert journal_lines(tmp_path / "none") == read_lines(tmp_path / "none") == []


def test_a_whole_last_line_without_its_newline_counts(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"a": 1}\n{"b": "\xe2\x80\xa8"}')
    assert journal_lines(path) == read_lines(path) == ['{"a": 1}', '{"b": "\u2028"}']
    append_line(path, 3)
    assert path.read_bytes().endswith(b"}\n3\n")
    assert len(journal_lines(path)) == 3


@pytest.mark.parametrize(
    ("held", "kept"), [(HALF, b'{"a": 1}\n{"b": 2}\n'), (b'{"a', b""), (b"", b"")]
)
def test_appending_cuts_a_half_line_and_says_so(tmp_path: Path, held: bytes, kept: bytes) -> None:
    path, said = tmp_path / "journal.jsonl", list[str]()
    path.write_bytes(held)
    append_line(path, {"d": 4}, said.append)
    assert path.read_bytes() == kept + b'{"d": 4}\n'
    assert [("cut off" in text) for text in said] == [True] * (held != kept)


def test_a_journal_may_be_cut_within_a_letter(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    append_line(path, "初音")
    append_line(path, "ミク")
    path.write_bytes(path.read_bytes()[:-4])  # the last letter's last byte, a quote, the newline
    assert journal_lines(path) == ['"初音"']
    append_line(path, "a")
    assert journal_lines(path) == ['"初音"', '"a"']


def test_a_whole_line_that_is_no_json_is_not_dropped(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"hello\n")
    assert journal_lines(path) == ["hello"]
