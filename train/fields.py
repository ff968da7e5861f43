"""Checks of the fields of settings, whoever gave them: their types and their rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, cast

from contract.errors import InputError

_KINDS: Mapping[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "bool": (bool,)}

_MOST = 1 << 63


def check_types(record: Any) -> None:  # noqa: ANN401  # any dataclass
    """``InputError`` where a number or a truth value of a dataclass is something else.

    So is one of 2^63 and more: nothing counts so far.
    """
    for one in fields(record):
        value, wanted = getattr(record, one.name), _KINDS.get(cast(str, one.type))
        is_mixed_up = isinstance(value, bool) != (wanted == (bool,))
        if wanted and (is_mixed_up or not isinstance(value, wanted)):
            remedy = "true or false" if wanted == (bool,) else f"a number ({one.type})"
            raise InputError(f"{one.name} is {value!r}; give {remedy}")
        if wanted and abs(value) >= _MOST:
            raise InputError(f"{one.name} is too large; give a number below 2^63")


def require(record: object, name: str, holds: bool, rule: str) -> None:
    """``InputError`` with the rule of a field that does not hold."""
    if not holds:
        raise InputError(f"{name} is {getattr(record, name)}; it must {rule}")


def require_between(record: object, low: float, high: float, *names: str) -> None:
    """``InputError`` where a field lies outside [low, high], or is no number."""
    for name in names:
        holds = low <= getattr(record, name) <= high
        require(record, name, holds, f"lie in [{low:g}, {high:g}]")
