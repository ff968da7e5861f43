"""The eight systems that can be made of one morpher, two rotators and four combiners."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from contract.errors import InputError

LossName = Literal["L1", "P"]
LOSS_NAMES: tuple[LossName, ...] = ("L1", "P")


@dataclass(frozen=True)
class Configuration:
    """Which networks run. ``combiner`` None means that ``pathway`` (1 or 2) is the output."""

    name: str
    rotator: LossName
    combiner: LossName | None = None
    pathway: Literal[1, 2] | None = None

    @property
    def network_names(self) -> tuple[str, ...]:
        """The networks that it needs, as a bundle calls them, in the order in which they run."""
        names = ("morpher", rotator_name(self.rotator))
        return (
            names if self.combiner is None else (*names, combiner_name(self.rotator, self.combiner))
        )


def rotator_name(loss: LossName) -> str:
    """What a bundle calls the rotator trained with ``loss``."""
    return f"rotator-{loss}"


def combiner_name(rotator: LossName, combiner: LossName) -> str:
    """What a bundle calls the combiner trained with one loss on the rotator of another."""
    return f"combiner-{rotator}-{combiner}"


CONFIGURATIONS: dict[str, Configuration] = {
    configuration.name: configuration
    for configuration in (
        Configuration("PU-L1", "L1", pathway=1),
        Configuration("PU-P", "P", pathway=1),
        Configuration("ZH-L1", "L1", pathway=2),
        Configuration("ZH-P", "P", pathway=2),
        Configuration("FU-L1-L1", "L1", "L1"),
        Configuration("FU-L1-P", "L1", "P"),
        Configuration("FU-P-L1", "P", "L1"),
        Configuration("FU-P-P", "P", "P"),
    )
}
"""By name, in the order of the paper's table."""


def runnable(networks: Collection[str]) -> tuple[str, ...]:
    """Names of the configurations that need none but ``networks``, in the paper's order."""
    return tuple(
        name for name, made in CONFIGURATIONS.items() if set(made.network_names) <= set(networks)
    )


def require(name: str, networks: Collection[str]) -> Configuration:
    """The configuration called ``name``.

    Raises:
        InputError: there is none, or it needs another network than ``networks``.
    """
    if name not in CONFIGURATIONS:
        raise InputError(f"configuration {name}: unknown; choose {', '.join(CONFIGURATIONS)}")
    if name not in runnable(networks):
        usable = ", ".join(runnable(networks)) or "none"
        raise InputError(f"configuration {name}: not in this bundle, which can run: {usable}")
    return CONFIGURATIONS[name]


FULL_CONFIGURATIONS = tuple(name for name, made in CONFIGURATIONS.items() if made.combiner)
"""Those that run a combiner."""

_PREFERRED = (*reversed(FULL_CONFIGURATIONS), "ZH-P", "ZH-L1", "PU-P", "PU-L1")


def choose_configuration(networks: Collection[str], wanted: str | None = None) -> str:
    """The configuration ``wanted``, or the one of these networks that should look best.

    Raises:
        InputError: it needs other networks, or none can be run.
    """
    if wanted:
        return require(wanted, networks).name
    usable = runnable(networks)
    if not usable:
        held = ", ".join(networks) or "nothing"
        raise InputError(
            f"bundle: holds {held}, but posing takes a morpher and a rotator; train the rest with "
            "`train all`"
        )
    return min(usable, key=_PREFERRED.index)
