"""Memory format, precision and compilation change speed, not results."""

from __future__ import annotations

import shutil

import pytest
import torch
from torch import Tensor

from models.base.config import NetworkConfig
from models.base.execution import Execution, Precision, fastest
from models.networks.combiner import Combiner
from models.networks.face_morpher import FaceMorpher
from models.networks.face_rotator import FaceRotator

CONFIG = NetworkConfig(size=64, channels=16, max_channels=64, residual_blocks=2, flow_scale=0.05)
CPU = torch.device("cpu")


def _pictures(count: int = 2) -> Tensor:
    """(count, 4, 64, 64): smooth, as pictures are."""
    draw = torch.Generator().manual_seed(3)
    coarse = torch.rand(count, 4, 5, 5, generator=draw) * 2 - 1
    return torch.nn.functional.interpolate(coarse, (64, 64), mode="bilinear")


def _run(
    execution: Execution, kind: type[FaceMorpher] | type[FaceRotator] | type[Combiner]
) -> tuple[tuple[Tensor, ...], Tensor]:
    """(outputs, gradient of all weights, flat, of a loss on the first two outputs)."""
    network = kind(CONFIG, torch.Generator().manual_seed(0))
    execution.prepare(network)
    image, pose = _pictures(), torch.tensor([[0.5, -0.5, 0.2], [0.0, 1.0, -1.0]])
    inputs = (image, image.flip(3), pose) if kind is Combiner else (image, pose)
    with execution.autocast(CPU):
        outputs = network(*inputs)
        loss = outputs[0].square().mean() + outputs[1].square().mean()
    gradients = torch.autograd.grad(loss, list(network.parameters()))
    assert {gradient.dtype for gradient in gradients} == {torch.float32}
    return outputs, torch.cat([gradient.flatten() for gradient in gradients])


@pytest.mark.parametrize("kind", [FaceMorpher, FaceRotator, Combiner])
@pytest.mark.parametrize(
    ("execution", "picture_error", "gradient_error"),
    [
        (Execution(channels_last=True), 1e-4, 1e-2),
        (Execution(precision="bfloat16"), 0.03, 0.1),
        (Execution(channels_last=True, precision="bfloat16"), 0.03, 0.1),
    ],
    ids=["channels-last", "bfloat16", "channels-last-bfloat16"],
)
def test_an_option_keeps_pictures_and_gradients(
    execution: Execution,
    picture_error: float,
    gradient_error: float,
    kind: type[FaceMorpher] | type[FaceRotator] | type[Combiner],
) -> None:
    exact, exact_gradients = _run(Execution(), kind)
    quick, quick_gradients = _run(execution, kind)
    for name, want, got in zip(getattr(exact, "_fields", ()), exact, quick, strict=True):
        assert got.dtype == torch.float32
        # Root mean square: single pixels at an edge may move by more.
        assert (got - want).square().mean().sqrt() < picture_error, name
    apart = (quick_gradients - exact_gradients).norm() / exact_gradients.norm()
    assert apart < gradient_error


def test_half_precision_does_not_coarsen_sampling_positions() -> None:
    """bfloat16 positions would lie up to a quarter of a pixel off at 64 pixels, a whole at 256."""
    still = NetworkConfig(size=64, channels=16, max_channels=16, residual_blocks=0, flow_scale=0)
    image = _pictures()
    with Execution(precision="bfloat16").autocast(CPU):
        turned = FaceRotator(still)(image, torch.zeros(2, 3))
    torch.testing.assert_close(turned.pathway2, image, atol=1e-4, rtol=0)


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_network_gives_the_same_pictures_and_keeps_its_names() -> None:
    tiny = NetworkConfig(size=16, channels=4, max_channels=4, residual_blocks=1)
    plain = FaceMorpher(tiny, torch.Generator().manual_seed(0)).eval()
    compiled = FaceMorpher(tiny, torch.Generator().manual_seed(0)).eval()
    Execution(compiled=True).prepare(compiled)
    image, pose = _pictures()[..., :16, :16], torch.zeros(2, 3)
    with torch.no_grad():
        torch.testing.assert_close(compiled(image, pose), plain(image, pose), atol=1e-5, rtol=1e-4)
    assert list(compiled.state_dict()) == list(plain.state_dict())


@pytest.mark.parametrize(
    ("able", "precision", "channels_last"),
    [({"amx_bf16": True}, "bfloat16", True), ({}, "float32", False)],
)
def test_a_cpu_that_multiplies_bfloat16_takes_it_with_channels_last(
    able: dict[str, bool],
    precision: Precision,
    channels_last: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    assert fastest(CPU) == Execution(channels_last=channels_last, precision=precision)
