"""How much faster our reader is than pymeshio's, on one PMX model, alternating in one run.

    python bench/bench_reader.py [MODEL.pmx]

Without an argument: ../shared/models/mmdagent-ex/Gene/Gene_light.pmx, or, where that is absent, a
generated model of the same size. Exit code 1 when the ratio is below the bar.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
import pymeshio.pmx.reader
import pymeshio.pmx.writer
from pymeshio import pmx
from pymeshio.common import Vector2, Vector3

from renderer.formats.read import read_model
from tests.support.some_models import given_model
from tests.support.timing import alternating

BAR = 10.0
ROUNDS = 9


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = given_model() or write_generated(Path(folder) / "generated.pmx")
        ours, theirs = alternating(
            {
                "ours": lambda: read_model(path),
                "theirs": lambda: pymeshio.pmx.reader.read_from_file(str(path)),
            },
            ROUNDS,
        ).values()
        model = read_model(path)
    ratio = median(theirs) / median(ours)
    print(f"model     {path.name}: {len(model.vertices)} vertices, {len(model.morphs)} morphs")
    print(
        f"ours      {median(ours) * 1e3:7.1f} ms, median of {ROUNDS} (best {min(ours) * 1e3:.1f})"
    )
    print(f"pymeshio  {median(theirs) * 1e3:7.1f} ms, median of {ROUNDS}, alternating")
    print(f"ratio     {ratio:7.1f}, the bar is {BAR:.0f}")
    return 0 if ratio >= BAR else 1


def write_generated(path: Path) -> Path:
    """A model of Gene's size: 28,646 vertices of three weight types, 224 bones, 184 morphs."""
    rng = np.random.default_rng(0)
    model = pmx.Model()
    model.materials = []
    deforms = [
        pmx.Bdef1(3),
        pmx.Bdef2(3, 4, 0.5),
        pmx.Bdef4(3, 4, 5, 6, 0.25, 0.25, 0.25, 0.25),
    ]
    for kind in rng.choice(3, 28646, p=[0.47, 0.36, 0.17]):
        position, normal = Vector3(*rng.random(3)), Vector3(0, 0, -1)
        model.vertices.append(pmx.Vertex(position, normal, Vector2(0, 0), deforms[kind], 1))
    model.indices = rng.integers(0, 28646, 3 * 40000).tolist()
    model.bones = [
        pmx.Bone(f"骨{number}", "bone", Vector3(0, number, 0), number - 1, 0, 0x001E)
        for number in range(224)
    ]
    for number in range(184):
        moved = rng.integers(0, 28646, 400).tolist()
        offsets = [pmx.VertexMorphOffset(vertex, Vector3(0, 0.5, 0)) for vertex in moved]
        model.morphs.append(pmx.Morph(f"表情{number}", "morph", 4, 1, offsets))
    pymeshio.pmx.writer.write_to_file(model, str(path))
    return path


if __name__ == "__main__":
    sys.exit(main())
