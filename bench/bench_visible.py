"""How much drawing only what the frame shows, and sharing morphs, gains over doing it plainly.

Plain: the whole mesh skinned and drawn for every picture, its morphs computed anew, PNG out.
Ours: what ``dataset build`` does: the visible part, one set of morphs for expression and posed
picture, QOI out. Both in one process on the same poses, interleaved; prints pictures a second and
their ratio.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
import qoi

from contract.image import Stored
from contract.picture import QUICK, png_bytes
from contract.pose import AXES, Pose, pose_from_vector
from contract.rig import Rig
from renderer.draw.canvas import Canvas
from renderer.fit.fit_rig import fit_rig
from renderer.formats.model import MmdModel, face_materials
from renderer.formats.read import read_model
from renderer.portrait import portrait as portrait_module
from renderer.portrait.portrait import Portrait
from renderer.portrait.visible import VisiblePart
from tests.support.some_models import some_model
from tests.support.timing import alternating

POSES = 24
ROUNDS = 3


def main() -> None:
    with TemporaryDirectory() as folder:
        model = read_model(some_model(Path(folder)))
        rig = fit_rig(model)
        canvas = Canvas()
        print(f"{model.path.name}: {len(model.vertices)} vertices, {canvas.renderer_name}")
        compare(canvas, model, rig)


def compare(canvas: Canvas, model: MmdModel, rig: Rig) -> None:
    ours = Portrait(canvas, model, rig, strict_textures=False)
    plain = _plain_portrait(canvas, model, rig)
    poses = _poses()
    works = {
        "plain": lambda: _draw(poses, lambda pose: png_bytes(_fresh(plain, pose), QUICK)),
        "ours": lambda: _draw(poses, lambda pose: qoi.encode(ours.draw(pose))),
    }
    seconds = alternating(works, ROUNDS)
    rates = {name: 2 * POSES / min(times) for name, times in seconds.items()}
    for name, rate in rates.items():
        print(f"{name:6} {rate:6.1f} pictures/s")
    print(f"ratio  {rates['ours'] / rates['plain']:6.2f}")


def _plain_portrait(canvas: Canvas, model: MmdModel, rig: Rig) -> Portrait:
    everything = VisiblePart(
        np.arange(len(model.vertices), dtype=np.int32), model.faces, face_materials(model)
    )
    with patch.object(portrait_module, "visible_part", lambda *_: everything):
        return Portrait(canvas, model, rig, strict_textures=False)


def _fresh(portrait: Portrait, pose: Pose) -> Stored:
    """A picture whose morphs are computed for it alone."""
    portrait._expression = None
    return portrait.draw(pose)


def _poses() -> list[Pose]:
    rng = np.random.default_rng(0)
    low, high = ([getattr(axis, end) for axis in AXES] for end in ("low", "high"))
    return [pose_from_vector(rng.uniform(low, high)) for _ in range(POSES)]


def _draw(poses: list[Pose], render: Callable[[Pose], bytes]) -> None:
    """The expression and the posed picture of every pose."""
    for pose in poses:
        render(pose.face_only())
        render(pose)


if __name__ == "__main__":
    main()
