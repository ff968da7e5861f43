"""Options that several commands take, and records made of those that belong together."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path

import click

from contract.cli import FiniteRange
from contract.cores import count_cores
from contract.errors import InputError
from contract.image import DEFAULT_SIZE
from dataset.build.configuration import MAX_LIGHT_LEVELS, MAX_POSES, Configuration
from dataset.build.sampling import DEFAULT_LIGHT_LEVELS, LightRange, default_ambient
from dataset.catalog.choose import Wish
from dataset.jobs.cluster import Site
from dataset.jobs.pool import Crew
from dataset.shards.codec import CODECS, DEFAULT_CODEC, Codec
from dataset.shards.schema import DATA_SHADINGS, MIXED, DataShading

Command = Callable[..., None]
PathType = click.Path(path_type=Path)
DEVICE = click.option(
    "--device", default="auto", show_default=True, help="OpenGL: auto, software, or a number."
)

SCHEDULER = click.option(
    "--scheduler",
    metavar="tcp://HOST:PORT",
    help="Work on the workers of this dask scheduler, which see MODELS at the same path.",
)


def site_of(scheduler: str | None, models_folder: Path, crew: Crew) -> Site | None:
    """The cluster of a scheduler; None without one."""
    if scheduler is None:
        return None
    # Another machine knows nothing of this process' folder.
    return Site(scheduler, Path(os.path.realpath(models_folder)), crew.model_timeout)


def crew_options(command: Command) -> Command:
    """``--workers`` and ``--model-timeout``; the command gets a ``crew``."""

    @click.option(
        "--workers",
        type=click.IntRange(0, 1024),
        default=0,
        help="Processes; 0, the default: one a core.",
    )
    @click.option(
        "--model-timeout",
        type=FiniteRange(1),
        default=120.0,
        show_default=True,
        help="Seconds without a picture after which a model is given up.",
    )
    @wraps(command)
    def given(*, workers: int, model_timeout: float, **others: object) -> None:
        command(crew=Crew(workers or count_cores(), model_timeout), **others)

    return given


def wish_options(command: Command) -> Command:
    """``--keep-duplicates`` and ``--include-doubtful``; the command gets a ``wish``."""

    @click.option(
        "--keep-duplicates", is_flag=True, help="Draw near-duplicates too, not one of each group."
    )
    @click.option(
        "--include-doubtful", is_flag=True, help="Draw models that nobody has accepted yet."
    )
    @wraps(command)
    def given(*, keep_duplicates: bool, include_doubtful: bool, **others: object) -> None:
        command(wish=Wish(keep_duplicates, include_doubtful), **others)

    return given


def _light_range(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> tuple[float, float] | None:
    if text is None:
        return None
    low, parted, high = text.partition("..")
    try:
        light = LightRange(float(low), float(high if parted else low))
    except ValueError:
        raise InputError(f"--ambient {text}: give a number or a range, as in 0.5..1.2") from None
    return light.low, light.high


_CONFIGURATION = (
    click.option(
        "--poses",
        type=click.IntRange(1, MAX_POSES),
        default=64,
        show_default=True,
        help="Samples of EACH model; the plan, which is shown first, gives the total.",
    ),
    click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True),
    click.option(
        "--size", type=int, default=DEFAULT_SIZE, show_default=True, help="Pixels a side."
    ),
    click.option(
        "--shading",
        type=click.Choice(DATA_SHADINGS),
        default=MIXED,
        show_default=True,
        help="mixed: for each model and light one of the others, by equal chance.",
    ),
    click.option(
        "--ambient",
        callback=_light_range,
        metavar="A | LOW..HIGH",
        help="The ambient light, or the range to draw it from. "
        "[default: 0.5..1.2 for mixed shading, else 0.5]",
    ),
    click.option(
        "--light-levels",
        type=click.IntRange(1, MAX_LIGHT_LEVELS),
        default=DEFAULT_LIGHT_LEVELS,
        show_default=True,
        help="How many values of that range one model is drawn under.",
    ),
    click.option("--codec", type=click.Choice(CODECS), default=DEFAULT_CODEC, show_default=True),
    click.option(
        "--samples-per-shard",
        type=click.IntRange(0),
        default=0,
        help="At most so many; 0, the default: chosen by the number of models.",
    ),
    click.option(
        "--origins",
        is_flag=True,
        help="Keep of each sample, too, where what its pixels show came from: what the preset live "
        "teaches the rotator's flow by.",
    ),
)
"""The command line's names for the fields of a ``Configuration``."""


def configuration_options(command: Command) -> Command:
    """All that decides the pictures of a data set; the command gets a ``configuration``."""

    @wraps(command)
    def given(
        *,
        poses: int,
        seed: int,
        size: int,
        shading: DataShading,
        ambient: tuple[float, float] | None,
        light_levels: int,
        codec: Codec,
        samples_per_shard: int,
        origins: bool,
        **others: object,
    ) -> None:
        low, high = ambient or default_ambient(shading)
        configuration = Configuration(
            poses,
            seed,
            size,
            shading,
            low,
            high,
            light_levels,
            codec,
            samples_per_shard,
            origins=origins,
        )
        command(configuration=configuration, **others)

    for option in reversed(_CONFIGURATION):
        given = option(given)
    return given
