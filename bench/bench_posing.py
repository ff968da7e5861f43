"""How long one pose takes: morphs and skinning, of the whole mesh and of the part above the neck.

    python bench/bench_posing.py [MODEL]

Without an argument: ../shared/models/mmdagent-ex/Gene/Gene_light.pmx, or, where that is absent, a
generated character. Single-threaded. Exit code 1 when the whole mesh takes longer than the bar.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from contract.pose import Pose
from renderer.deform.deformer import Deformer, bone_rotations, morph_uses
from renderer.fit.fit_rig import fit_rig
from renderer.formats.read import read_model
from tests.support.some_models import some_model
from tests.support.timing import seconds_of

BAR_MS = 12.0
ROUNDS = 40
POSE = Pose(head_x=0.7, head_y=-0.4, neck_z=0.5, left_eye=0.3, right_eye=0.8, mouth=0.6)


def main() -> int:
    with TemporaryDirectory() as scratch:
        model = read_model(some_model(Path(scratch)))
    fitting = milliseconds(lambda: fit_rig(model), 5)
    rig = fit_rig(model)
    uses, rotations = morph_uses(rig, POSE), bone_rotations(rig, POSE)
    above_neck = np.flatnonzero(
        model.vertices.positions[:, 1] > model.bones[rig.neck_bone].position[1]
    ).astype(np.int32)
    whole = Deformer(model)
    part = Deformer(model, above_neck)
    once = milliseconds(lambda: whole.skin(whole.morph(uses), rotations), ROUNDS)
    of_part = milliseconds(lambda: part.skin(part.morph(uses), rotations), ROUNDS)
    preparing = milliseconds(lambda: Deformer(model), 5)
    print(f"model      {model.path.name}: {len(model.vertices)} vertices, {len(model.bones)} bones")
    print(f"fit a rig  {fitting:7.1f} ms ({len(model.morphs)} morphs)")
    print(f"prepare    {preparing:7.1f} ms")
    print(f"one pose   {once:7.2f} ms, the whole mesh, median of {ROUNDS}; the bar is {BAR_MS:.0f}")
    print(f"one pose   {of_part:7.2f} ms, the {len(above_neck)} vertices above the neck")
    return 0 if once <= BAR_MS else 1


def milliseconds(work: Callable[[], object], rounds: int) -> float:
    return median(seconds_of(work) for _ in range(rounds)) * 1e3


if __name__ == "__main__":
    sys.exit(main())
