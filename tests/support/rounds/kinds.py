"""The commands that rounds trouble: how each is started, and what it must leave behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.support.rounds.runs import ANIMATE, DATASET, TRAIN, Run, require
from tests.support.tiny_builds import quarantine_rows, tables, write_models

MODELS = 8
OPTIONS = "--poses 5 --seed 3 --size 16 --ambient 0.5..1.2 --light-levels 2 --samples-per-shard 10"
CATALOG_NAME = "catalog.jsonl"


@dataclass(frozen=True)
class Kind:
    """``give(folder)`` makes what ``start(folder, given, out, ...)`` works on; ``look(out)``: what
    must be the same however often it was troubled.

    seconds: within which trouble comes. largest_bytes: of the files that it writes, about.
    """

    give: Callable[[Path], Path]
    start: Callable[..., Run]
    look: Callable[[Path], object]
    seconds: float
    largest_bytes: int
    has_workers: bool = False


# Data sets.


def give_models(folder: Path) -> Path:
    """Tiny models that are sound."""
    return write_models(folder / "models", {f"m{n}": "ok" for n in range(MODELS)})


def build(folder: Path, models: Path, out: Path, **options: float) -> Run:
    """Of a folder of models, or of a catalogue."""
    words = ["build", models, "-o", out, *OPTIONS.split(), "--workers", 2]
    return Run(DATASET, words, folder, **options)  # type: ignore[arg-type]


def scan(folder: Path, models: Path, out: Path, **options: float) -> Run:
    """Into a catalogue in ``out``."""
    words = ["scan", models, "-o", out / CATALOG_NAME, "--workers", 2]
    out.mkdir(exist_ok=True)
    return Run(DATASET, words, folder, **options)  # type: ignore[arg-type]


def built(out: Path) -> object:
    """All that the shards hold."""
    require(not quarantine_rows(out), f"models were blamed: {quarantine_rows(out)}")
    return tables(out)


def scanned(out: Path) -> object:
    """The catalogue's lines."""
    lines = (out / CATALOG_NAME).read_bytes().split(b"\n")
    require(len(lines) == MODELS + 2, f"{len(lines) - 2} of {MODELS} models are in the catalogue")
    return lines[1:]  # the first names the folder


# Networks.


def _give_shards(folder: Path) -> Path:
    from tests.support.tiny_shards import write_shards

    return write_shards(folder / "shards")


def _train(folder: Path, shards: Path, out: Path, **options: float) -> Run:
    settings = (
        *("network.size=16", "network.channels=4", "network.max_channels=8"),
        *("network.residual_blocks=1", "all.batch=4", "all.samples=240"),
        *("upkeep.checkpoint_samples=16", "upkeep.log_samples=16", "upkeep.grid_samples=80"),
    )
    changes = [word for one in settings for word in ("--set", one)]
    words = ["all", shards, "-o", out, "--preset", "demo", "--stage", "morpher", *changes]
    return Run(TRAIN, words, folder, **options)  # type: ignore[arg-type]


def _trained(out: Path) -> object:
    from train.run.checkpoint import load_checkpoint  # loads torch

    checkpoint = load_checkpoint(out / "morpher" / "checkpoint.pt")
    return checkpoint.step, {k: v.numpy().tobytes() for k, v in checkpoint.network.items()}


# Drawings.


def give_drawing(folder: Path) -> Path:
    """A folder with a drawing and a bundle of networks that have learnt nothing."""
    for name, data in _drawing_and_bundle().items():
        path = folder / "given" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder / "given"


@cache
def _drawing_and_bundle() -> Mapping[str, bytes]:
    import tempfile

    from contract.picture import png_bytes
    from contract.pose import Pose
    from models.base.config import NetworkConfig
    from models.files.bundle import save_bundle
    from tests.support.tiny_shards import draw_face
    from tests.support.untrained import untrained

    config = NetworkConfig(size=16, channels=2, max_channels=4, residual_blocks=1)
    with tempfile.TemporaryDirectory() as scratch:
        save_bundle(Path(scratch) / "bundle", untrained(config, "L1"))
        files = {f"bundle/{one.name}": one.read_bytes() for one in Path(scratch).glob("bundle/*")}
    return files | {"drawing.png": png_bytes(draw_face(100, Pose(), 32))}


def drawing_words(given: Path) -> tuple[object, ...]:
    """The drawing and its networks, for a command."""
    return given / "drawing.png", "--bundle", given / "bundle", "--device", "cpu"


def _animate(folder: Path, given: Path, out: Path, **options: float) -> Run:
    out.mkdir(exist_ok=True)
    words = ["gif", *drawing_words(given), "-o", out / "moving.gif", "--seconds", 2]
    return Run(ANIMATE, words, folder, **options)  # type: ignore[arg-type]


def _animated(out: Path) -> object:
    return (out / "moving.gif").read_bytes()


KINDS: Mapping[str, Kind] = {
    "build": Kind(give_models, build, built, 2.0, 40_000, has_workers=True),
    "scan": Kind(give_models, scan, scanned, 2.0, 40_000, has_workers=True),
    "train": Kind(_give_shards, _train, _trained, 6.0, 200_000),
    "animate": Kind(give_drawing, _animate, _animated, 4.0, 40_000),
}


# What is left.


def in_peace(kind: Kind, given: Path) -> object:
    """What a run leaves that nobody troubles; made once for all rounds that give the same."""
    key = kind.look.__name__
    if key not in _PEACE:
        folder = given.parent / f"peace{key}"
        folder.mkdir()
        code, errors = kind.start(folder, given, folder / "out", slowness=0).end()
        require(code == 0, errors)
        _PEACE[key] = kind.look(folder / "out")
    return _PEACE[key]


_PEACE: dict[str, object] = {}


def require_the_same(kind: Kind, folder: Path, given: Path, out: Path) -> None:
    """Let the run go on undisturbed: it ends well, with what one in peace leaves."""
    code, errors = kind.start(folder, given, out, slowness=0).end()
    require(code == 0, f"did not go on: {errors[-2000:]}")
    require(kind.look(out) == in_peace(kind, given), "another result than in peace")
    require_no_halves(out)


def require_no_halves(folder: Path) -> None:
    """No file is left under the name that it had while it was written."""
    half = list(folder.rglob("*.tmp"))
    require(not half, f"half files are left: {half}")
