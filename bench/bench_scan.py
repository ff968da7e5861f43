"""What looking at a model costs: reading, annotating and its pictures, beside reading alone.

    python bench/bench_scan.py [FOLDER]

Without an argument: ../shared/models, or, where that is absent, generated characters. Exit code 1
when a model takes longer than the bar on average, on one core.
"""

from __future__ import annotations

import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from contract.errors import ModelError
from contract.image import DEFAULT_SIZE
from contract.pose import REST, Pose
from contract.text import place
from dataset.drawing.rendering import describe
from dataset.scan.walk import list_models
from renderer.draw.canvas import Canvas
from renderer.fit.fit_rig import fit_rig
from renderer.formats.read import read_model
from renderer.portrait.portrait import Portrait
from tests.support.some_models import some_models

BAR_SECONDS = 1.0
STEPS = ("read", "annotate", "upload", "rest picture", "four of a review", "fingerprint")
REVIEWED = (Pose(left_eye=1), Pose(right_eye=1), Pose(left_eye=1, right_eye=1), Pose(mouth=0))


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        folder = some_models(Path(scratch))
        canvas = Canvas(DEFAULT_SIZE)
        looked = [
            times
            for path in list_models(folder).models
            if (times := look(canvas, place(folder, path)))
        ]
    means = [sum(column) / len(looked) for column in zip(*looked, strict=True)]
    print(
        f"{len(looked)} models of {folder.name}, {canvas.renderer_name}; seconds a model on average"
    )
    for step, mean in zip(STEPS, means, strict=True):
        print(f"{step:<18}{mean:7.3f} s   {mean / means[0]:6.1f}x reading")
    slowest = max(map(sum, looked))
    print(
        f"{'all':<18}{sum(means):7.3f} s   the bar is {BAR_SECONDS} s; the slowest {slowest:.3f} s"
    )
    return 0 if sum(means) <= BAR_SECONDS else 1


def look(canvas: Canvas, path: Path) -> list[float]:
    """Seconds of each step; nothing for a model that is refused."""
    marks = [time.perf_counter()]
    try:
        model = read_model(path)
        marks.append(time.perf_counter())
        rig = fit_rig(model)
        marks.append(time.perf_counter())
        portrait = Portrait(canvas, model, rig)
    except ModelError:
        return []
    marks.append(time.perf_counter())
    picture = portrait.draw(REST)
    marks.append(time.perf_counter())
    for pose in REVIEWED:
        portrait.draw(pose)
    portrait.release()
    marks.append(time.perf_counter())
    describe(model, rig, picture)
    marks.append(time.perf_counter())
    return [end - start for start, end in pairwise(marks)]


if __name__ == "__main__":
    sys.exit(main())
