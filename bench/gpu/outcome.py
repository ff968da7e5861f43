"""What a check comes to, and all of them as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from rich.table import Table

Result = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True)
class Outcome:
    """One row. ``said``: what a person wants to know of it; ``numbers``: what was measured."""

    name: str
    result: Result
    said: str
    numbers: Mapping[str, object] = field(default_factory=dict)


def judged(
    name: str, holds: bool, said: str, numbers: Mapping[str, object] | None = None
) -> Outcome:
    """Passed where ``holds``, else failed."""
    return Outcome(name, "passed" if holds else "failed", said, numbers or {})


def table(outcomes: Sequence[Outcome]) -> Table:
    """A row for each outcome."""
    drawn = Table("check", "result", "", expand=True)
    for one in outcomes:
        drawn.add_row(one.name, one.result if one.result != "failed" else "FAILED", one.said)
    return drawn


def as_json(machine: Mapping[str, object], outcomes: Sequence[Outcome]) -> bytes:
    """A document: what machine it was, and the outcomes in their order."""
    document = {"machine": dict(machine), "checks": [asdict(one) for one in outcomes]}
    return json.dumps(document, indent=1, ensure_ascii=False).encode()


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """1 where a check failed."""
    return int(any(one.result == "failed" for one in outcomes))
