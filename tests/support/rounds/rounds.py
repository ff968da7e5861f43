"""All rounds, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from tests.support.rounds.decisions import decisions
from tests.support.rounds.kinds import KINDS
from tests.support.rounds.pairs import build_while_scanning, not_alone
from tests.support.rounds.reviews import reviews
from tests.support.rounds.runs import Rng
from tests.support.rounds.serving import served
from tests.support.rounds.trouble import full_disk, interrupted, killed, out_of_room

Round = Callable[[Rng, Path], None]

ROUNDS: Mapping[str, Round] = {
    **{f"{name} killed": partial(killed, kind) for name, kind in KINDS.items()},
    "serve killed": served,
    **{f"{name} interrupted": partial(interrupted, kind) for name, kind in KINDS.items()},
    **{f"{name} out of room": partial(out_of_room, kind) for name, kind in KINDS.items()},
    **{f"{name} on a full disk": partial(full_disk, kind) for name, kind in KINDS.items()},
    **{f"two {name}s at once": partial(not_alone, KINDS[name]) for name in ("build", "scan")},
    "two trainings at once": partial(not_alone, KINDS["train"]),
    "build while scanning": build_while_scanning,
    "decisions at once": decisions,
    "reviews at once": reviews,
}
