"""Makes the weights that come with the program, step by step: `make pretrained`, for hours.

Generates characters, scans, splits and renders them, trains the preset live, measures the result on
characters of sources that were held out, and writes the bundle into models/pretrained with its card
into docs/. Run it again to go on where it was stopped; each step is one command of the README,
printed before it runs. Nothing but what this makes is ever trained on.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from contract.errors import InputError, OpenthaError
from contract.files import write_bytes
from contract.records import append_line, journal_lines

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parent
MOST_BYTES = 16_000_000


@dataclass(frozen=True)
class Parameters:
    """All that decides the result, besides the program; kept with it and told by its card."""

    characters: int
    franchises: int
    poses: int
    light_levels: int
    seed: int
    changes: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """One command; begun again, it goes on where it was stopped, or does all of it again."""

    name: str
    title: str
    command: str


def steps(out: Path, by: Parameters, workers: int) -> tuple[Step, ...]:
    """The commands in their order; everything is in ``out``."""
    changes = " ".join(f"--set {shlex.quote(change)}" for change in by.changes)
    return (
        Step(
            "characters",
            f"Generate {by.characters} characters of {by.franchises} sources",
            f"characters generate -n {by.characters} --franchises {by.franchises} "
            f"--seed {by.seed} -o {out}/characters",
        ),
        Step(
            "scan",
            "Scan them",
            f"dataset scan {out}/characters -o {out}/catalog.jsonl --sheet {out}/heads.png "
            f"--workers {workers}",
        ),
        Step(
            "split",
            "Split them by source",
            f"dataset split {out}/catalog.jsonl -o {out}/shards/split.json --poses {by.poses} "
            f"--seed {by.seed}",
        ),
        Step(
            "render",
            "Render them, in mixed light",
            f"dataset build {out}/catalog.jsonl -o {out}/shards --poses {by.poses} --size 256 "
            f"--shading mixed --light-levels {by.light_levels} --seed {by.seed} --origins "
            f"--workers {workers}",
        ),
        Step(
            "train",
            "Train the preset live",
            f"train all {out}/shards -o {out}/run --preset live --losses L1 --resize " + changes,
        ),
        Step(
            "measure",
            "Measure it on characters of sources that it has not met",
            f"train evaluate {out}/run/bundle --data {out}/shards -o {out}/evaluation",
        ),
    )


def main() -> None:
    """Do what is missing; stop at the first step that fails, with its exit code."""
    options = _options()
    out: Path = options.out
    by = Parameters(
        options.characters,
        options.franchises,
        options.poses,
        options.light_levels,
        options.seed,
        tuple(options.changes),
    )
    try:
        keep_parameters(out / "parameters.json", by)
        do_steps(out, steps(out, by, options.workers))
        install(out, options.bundle)
        write_card(out, by, options.card, options.note)
    except OpenthaError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--out", type=Path, default=Path("pretrained"), help="folder for everything")
    add("--characters", type=int, default=2400)
    add("--franchises", type=int, default=48, help="sources; a tenth each is held out twice")
    add("--poses", type=int, default=20, help="samples of each character")
    add("--light-levels", type=int, default=4, help="rest pictures of each character")
    add("--seed", type=int, default=0)
    add("--set", dest="changes", action="append", default=[], metavar="NAME=VALUE")
    add("--workers", type=int, default=0, help="processes that draw; 0: one a core")
    add("--bundle", type=Path, default=ROOT / "models" / "pretrained", help="where it is put")
    add("--card", type=Path, default=ROOT / "docs" / "model_card.md", help="where its card is put")
    add("--note", default="", help="what else its card shall say of this run")
    return parser.parse_args()


def keep_parameters(path: Path, by: Parameters) -> None:
    """Write them down; ``InputError`` where the folder was begun with others."""
    ours = json.loads(json.dumps(asdict(by)))
    if path.exists():
        theirs = json.loads(path.read_bytes())
        for name, value in ours.items():
            if theirs.get(name) != value:
                raise InputError(
                    f"{path}: begun with {name} = {theirs.get(name)}, now {value}; give the same "
                    "again, or another folder with --out"
                )
        return
    write_bytes(path, json.dumps(ours, indent=1).encode())


def do_steps(out: Path, todo: Sequence[Step]) -> None:
    """Run the steps that have not been done; a file remembers which were."""
    journal = out / "done.jsonl"
    done = {json.loads(line)["step"] for line in journal_lines(journal)}
    for number, step in enumerate(todo):
        place = f"[{number + 1}/{len(todo)}] {step.title}"
        if step.name in done:
            print(f"{place}: done before")
            continue
        print(f"\n{place}\n$ {step.command}", flush=True)
        program, *arguments = shlex.split(step.command)
        code = subprocess.run([BIN / program, *arguments], check=False).returncode
        if code:
            sys.exit(code)
        append_line(journal, {"step": step.name})


def install(out: Path, folder: Path) -> None:
    """The run's networks in half the room, with what was measured of them, as the program's own."""
    # Here, so that the steps before need not wait for torch.
    import torch  # noqa: PLC0415

    from models.files.bundle import save_bundle  # noqa: PLC0415
    from train.run.assemble import assemble  # noqa: PLC0415

    made = assemble(out / "run")
    results = json.loads((out / "evaluation" / "results.json").read_bytes())
    metrics = {
        "evaluation": {part: _named(results[part]) for part in ("system", "morpher", "rest")}
    }
    save_bundle(folder, replace(made, metrics=metrics), replace=True, dtype=torch.float16)
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{folder}: {size / 1e6:.1f} MB")
    if size > MOST_BYTES:
        raise InputError(
            f"{folder}: {size} bytes, more than the {MOST_BYTES} that shall come with the program; "
            "train smaller networks (--set network.max_channels=N)"
        )


def _named(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of results without the folder that the bundle lay in."""
    return [{name: value for name, value in row.items() if name != "bundle"} for row in rows]


# The card.


def write_card(out: Path, by: Parameters, card: Path, note: str = "") -> None:
    """What the weights are, how they were made and what was measured, and a picture beside it.

    note: what only who made them knows.
    """
    record = json.loads((out / "run" / "run.json").read_bytes())
    plan, sources = record["plan"], record["sources"]
    picture = card.with_suffix(".webp")
    _shrink(out / "evaluation" / "samples-bundle.png", picture)
    trained = {name: plan["stages"][name] for name in ("morpher", "rotator-L1", "combiner-L1-L1")}
    lines = [
        f"| {name} | {settings['samples']:,} | {settings['batch']} | {_seconds(out, name)} |"
        for name, settings in trained.items()
    ]
    text = _CARD.format(
        **asdict(by) | {"changes": ", ".join(by.changes) or "none"},
        options=_command_line(by),
        train=len(sources["train"]),
        validation=len(sources["validation"]),
        test=len(sources["test"]),
        network=", ".join(f"{k} {v}" for k, v in plan["network"].items()),
        augmentation=", ".join(f"{k} {v:g}" for k, v in plan["augmentation"].items()),
        stages="\n".join(lines),
        results=_results(out),
        picture=picture.name,
        note=f"\n{note}\n" if note else "",
    )
    write_bytes(card, text.encode())
    print(f"{card}: written")


def _command_line(by: Parameters) -> str:
    values = {k.replace("_", "-"): v for k, v in asdict(by).items() if k != "changes"}
    words = [f"--{name} {value}" for name, value in values.items()]
    return " ".join([*(f"--set {change}" for change in by.changes), *words])


def _seconds(out: Path, stage: str) -> str:
    lines = (out / "run" / "history.jsonl").read_text("utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["stage"] == stage]
    return f"{rows[-1]['seconds'] / 60:.0f} min" if rows else ""


def _results(out: Path) -> str:
    """The evaluation's tables one level deeper, without the bundle's folder."""
    text = (out / "evaluation" / "results.md").read_text("utf-8")
    _, _, body = text.partition("\n\n")
    return body.replace("\n## ", "\n### ").replace(f"{out}/run/bundle", "pretrained").strip()


def _shrink(source: Path, target: Path) -> None:
    from PIL import Image  # noqa: PLC0415

    with Image.open(source) as sheet:
        small = sheet.convert("RGB").resize((sheet.width * 2 // 3, sheet.height * 2 // 3))
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.tmp")
    small.save(temporary, "WEBP", quality=80)
    shutil.move(temporary, target)


_CARD = """# The weights that come with the program

Three networks (morpher, rotator, combiner) that move a drawing of an anime character. They are in
`models/pretrained`, as float16, and are used where no `--bundle` is given. They were made by

    make pretrained OPTIONS="{options}"

## What they learned from

Characters that `characters generate` made, and nothing else: {characters} of {franchises} sources,
whose files are CC0. {train} sources were trained on, {validation} were for validation and {test}
for the test; no character of these was trained on. {poses} samples of each character at 256 pixels,
in mixed light (toon and Phong, {light_levels} levels each).

Networks: {network}.
Changed by chance in training, input and target alike: {augmentation}; and mirror images.
Changes of the preset `live`: {changes}.

| stage | samples | batch | steps took |
|---|---|---|---|
{stages}
{note}
## What was measured

{results}

![Best, median and worst samples of characters that were held out]({picture})

*Best, median and worst samples of the test: rest picture, target, and what the networks make.*

## Where they fail

Look at the worst samples above first. Known besides: what comes into view from behind the head or
under the hair is painted softly; a closed mouth can keep a pale trace of a wide open one; thin
strands before the background can fade while the head turns; where a head looks up far, skin can
smear below the chin and beside the jaw; glasses can fade where the eyes behind
them close; faces far from the place of the picture convention (`animate check` says so) close in
part only. At rest, the picture is the drawing.
"""


if __name__ == "__main__":
    main()
