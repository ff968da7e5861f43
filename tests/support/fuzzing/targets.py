"""All that is read from strangers, by name."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.fuzzing import (
    archives,
    models,
    motions,
    networks,
    packets,
    pictures,
    records,
    requests,
    shards,
    sockets,
    training,
)
from tests.support.fuzzing.target import Target

TARGETS: Mapping[str, Target] = {
    name: target
    for kind in (
        models,
        motions,
        pictures,
        archives,
        shards,
        networks,
        training,
        records,
        sockets,
        requests,
        packets,
    )
    for name, target in kind.TARGETS.items()
}
