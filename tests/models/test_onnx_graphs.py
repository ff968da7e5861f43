"""What becomes of the networks in an ONNX file, graph by graph."""

from __future__ import annotations

from functools import partial

import numpy as np
import onnxruntime
import pytest
import torch

from animate.pose.poser import spread
from models.base.config import NetworkConfig
from models.files import onnx_export
from models.files.onnx_record import PARTS, WIDE_PARTS
from models.system import TurnDecision
from tests.support.untrained import soft_picture, untrained

MIDDLE = NetworkConfig(64, 4, 8, 1, 0.1, 32, "middle")


def test_a_morpher_that_looks_at_the_middle_draws_any_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.onnx, "export", partial(torch.onnx.export, optimize=False))
    system = untrained(MIDDLE, "L1", seed=1).system("FU-L1-L1").eval()
    decides, applies = (
        onnxruntime.InferenceSession(onnx_export._exported(graph))
        for graph in onnx_export._graphs(system)
        if graph.name in {PARTS[0], WIDE_PARTS[0]}
    )
    small, face = soft_picture(system.small)[None], np.array([[0.6, 0.1, 0.3]], np.float32)
    with torch.inference_mode():
        output, over = system.express.decide(torch.from_numpy(small), torch.from_numpy(face))
        theirs = decides.run(None, {"picture": small, "pose": face})
        for side in (64, 256, 512, 1000):
            wide = spread(soft_picture(side))[None]
            ours = system.express.apply_to(torch.from_numpy(wide), over)
            drawn = dict(zip(("picture", "kept", "painted"), (wide, *theirs[1:]), strict=True))
            np.testing.assert_allclose(applies.run(None, drawn)[0], ours, atol=1e-4)
    np.testing.assert_allclose(theirs[0], output, atol=1e-4)


@pytest.mark.parametrize("side", [64, 200, 1000])
def test_as_many_strips_as_are_written_are_the_whole(side: int) -> None:
    """What is exported of them; that a graph does what it is made of is seen with few."""
    draw = torch.Generator().manual_seed(1)
    kept, taken, painted, offset = (torch.rand(1, n, 32, 32, generator=draw) for n in (4, 4, 4, 2))
    picture = torch.from_numpy(soft_picture(side))[None]
    decision = TurnDecision(kept, taken, painted, offset / 10)
    turn = untrained(MIDDLE, "L1").system("FU-L1-L1").turn
    with torch.inference_mode():
        whole = turn.apply_to(picture, decision)
        strips = onnx_export._ApplyTurn()(picture, *decision)
    torch.testing.assert_close(strips, whole, rtol=0, atol=1e-4)
