"""A drawing that moves, then the whole main job on generated characters, step by step, into demo/.

Each step is one command of the README, printed before it runs, so that anybody can run it again
with other options. Says at every step what it does and about how long is left.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

OUT = Path("demo")
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Step:
    """``seconds``: what the step took on two cores without a GPU; only for the time left.

    UNSEEN in a command stands for a model of the test part.
    """

    title: str
    command: str
    seconds: float


STEPS = (
    Step(
        "Generate a character that no network has met",
        f"characters generate -n 1 --seed 2026 -o {OUT}/first",
        3,
    ),
    Step(
        "Draw it once, at rest: the one picture that a person would give",
        f"renderer still {OUT}/first/franchise_00/character_02026/model.pmx --shading toon "
        f"--pose mouth=1 --size 512 -o {OUT}/drawing.png",
        3,
    ),
    Step(
        "Move it by the weights that come with the program",
        f"animate gif {OUT}/drawing.png --motion idle --seconds 5 --fps 20 -o {OUT}/drawing.webp",
        20,
    ),
    Step(
        "And see it in the poses that tell how well they do",
        f"animate sheet {OUT}/drawing.png -o {OUT}/drawing_poses.png",
        5,
    ),
    Step(
        "Generate 256 characters of 8 sources",
        f"characters generate -n 256 --seed 0 -o {OUT}/characters",
        40,
    ),
    Step(
        "Scan them: which morphs close the eyes, where the head is, who is a copy of whom",
        f"dataset scan {OUT}/characters -o {OUT}/catalog.jsonl --sheet {OUT}/heads.png",
        33,
    ),
    Step(
        "Split them by source, so that no character of the test is trained on",
        f"dataset split {OUT}/catalog.jsonl -o {OUT}/shards/split.json --poses 40",
        1,
    ),
    Step(
        "Render one source at full size, to look at",
        f"dataset build {OUT}/characters/franchise_00 -o {OUT}/closeup --poses 4 --seed 0",
        11,
    ),
    Step(
        "Draw a contact sheet",
        f"dataset inspect {OUT}/closeup --sheet {OUT}/contact_sheet.png",
        1,
    ),
    Step(
        "Render all sources at the size of the demo's networks",
        f"dataset build {OUT}/catalog.jsonl -o {OUT}/shards --poses 40 --size 64 --seed 0",
        112,
    ),
    Step("Verify every checksum and picture", f"dataset verify {OUT}/shards", 4),
    Step(
        "Train all stages on the sources that are for training",
        f"train all {OUT}/shards -o {OUT}/run --preset demo --losses L1",
        516,
    ),
    Step(
        "Measure on the characters of a source that no network has met",
        f"train evaluate {OUT}/run/bundle --data {OUT}/shards -o {OUT}/evaluation",
        57,
    ),
    Step(
        "Draw a character of that source, as the input that a person would give",
        f"renderer still UNSEEN -o {OUT}/unseen.png",
        2,
    ),
    Step(
        "Bring it to life with the trained networks",
        f"animate gif {OUT}/unseen.png --bundle {OUT}/run/bundle --motion idle --seconds 6 "
        f"--fps 20 --size 256 -o {OUT}/unseen.gif",
        8,
    ),
)


def main() -> None:
    """Run all steps; stop at the first that fails, with its exit code."""
    start = time.monotonic()
    for number, step in enumerate(STEPS):
        done = sum(earlier.seconds for earlier in STEPS[:number])
        to_do = sum(later.seconds for later in STEPS[number:])
        pace = (time.monotonic() - start) / done if done else 1.0
        print(f"\n[{number + 1}/{len(STEPS)}] {step.title}; {_minutes(to_do * pace)} left in all")
        command = (
            step.command.replace("UNSEEN", _unseen()) if "UNSEEN" in step.command else step.command
        )
        print(f"$ {command}", flush=True)
        program, *arguments = shlex.split(command)
        code = subprocess.run([BIN / program, *arguments], check=False).returncode
        if code:
            sys.exit(code)
    print(
        f"\ndone in {_minutes(time.monotonic() - start)}; look at {OUT}/drawing.webp, "
        f"{OUT}/drawing_poses.png, {OUT}/heads.png, {OUT}/contact_sheet.png, "
        f"{OUT}/evaluation/results.md, {OUT}/evaluation/samples-bundle.png and {OUT}/unseen.gif"
    )


def _unseen() -> str:
    """The first model of the first source that is kept for the test."""
    source = json.loads((OUT / "shards" / "split.json").read_text("utf-8"))["test"][0]
    return str(min((OUT / "characters" / source).rglob("*.pm[xd]")))


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


if __name__ == "__main__":
    main()
