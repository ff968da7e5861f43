"""The file of VGG's weights, and what real filters make of a picture."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from contract.errors import InputError
from tests.support.random_vgg import random_vgg, state_of
from tests.support.real_filters import real_vgg16_state
from train.loss import vgg as vgg_module
from train.loss.losses import (
    ROTATOR_WEIGHT,
    PerceptualLoss,
    l1_loss,
)
from train.loss.vgg import (
    FILE_NAME,
    VARIABLE,
    Vgg16,
    find_vgg16,
    load_vgg16,
    vgg16_from_state,
)


def test_the_option_comes_before_the_variable_and_that_before_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    cached = tmp_path / "home" / "hub" / "checkpoints" / FILE_NAME
    cached.parent.mkdir(parents=True)
    named, chosen = tmp_path / "named.pth", tmp_path / "chosen.pth"
    for path in (cached, named, chosen):
        path.touch()
    monkeypatch.delenv(VARIABLE, raising=False)
    assert find_vgg16() == cached
    monkeypatch.setenv(VARIABLE, str(named))
    assert find_vgg16() == named
    assert find_vgg16(chosen) == chosen


def test_a_missing_file_is_named_with_the_place_to_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(InputError) as caught:
        load_vgg16()
    text = str(caught.value)
    assert text.startswith(str(tmp_path / "hub" / "checkpoints" / "vgg16-397923af.pth"))
    assert "OPENTHA_VGG16" in text
    assert "--vgg16" in text
    with pytest.raises(InputError, match=r"^/nowhere/x\.pth: VGG16's weights are not there"):
        load_vgg16(Path("/nowhere/x.pth"))


def _saved(
    path: Path, state: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch, legacy: bool = False
) -> Path:
    torch.save(state, path, _use_new_zipfile_serialization=not legacy)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(vgg_module, "SHA256_PREFIX", digest[:8])
    return path


@pytest.mark.parametrize("legacy", [True, False])
def test_only_the_features_of_a_whole_file_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, legacy: bool
) -> None:
    vgg = random_vgg(7)
    state = {
        **state_of(vgg),
        "features.17.weight": torch.ones(3),
        "classifier.0.bias": torch.ones(3),
    }
    loaded = load_vgg16(_saved(tmp_path / FILE_NAME, state, monkeypatch, legacy))
    picture = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1
    for got, want in zip(loaded(picture), vgg(picture), strict=True):
        assert torch.equal(got, want)
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


def test_a_file_with_another_digest_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(b"not weights")
    begins = hashlib.sha256(b"not weights").hexdigest()[:8]
    with pytest.raises(InputError, match=rf"SHA-256 begins with {begins}, not 397923af"):
        load_vgg16(path)


def test_a_missing_or_misshaped_tensor_is_named() -> None:
    state = state_of(random_vgg())
    wrong = {**state, "features.7.bias": torch.zeros(3)}
    with pytest.raises(InputError, match=r"f: features\.7\.bias is of shape \(3,\), not \(128,\)"):
        vgg16_from_state(wrong, "f")
    del state["features.14.weight"]
    with pytest.raises(InputError, match=r"f: features\.14\.weight is missing"):
        vgg16_from_state(state, "f")


# Real filters.


def _blurred(picture: Tensor, deviation: float) -> Tensor:
    taps = torch.exp(-0.5 * (torch.arange(-8.0, 9.0) / deviation) ** 2)
    taps = (taps / taps.sum()).expand(4, 1, 1, 17)
    wide = functional.pad(picture, (8, 8, 8, 8), mode="replicate")
    along = functional.conv2d(wide, taps, groups=4)
    return functional.conv2d(along, taps.transpose(2, 3), groups=4)


def _photograph() -> Tensor:
    """(1, 4, 96, 96) in [-1, 1]: a face, opaque."""
    data = pytest.importorskip("skimage.data")
    colour = torch.from_numpy(np.array(data.astronaut()[60:156, 176:272], np.float32))
    colour = colour.permute(2, 0, 1)[None] / 127.5 - 1
    return torch.cat([colour, torch.ones(1, 1, 96, 96)], 1)


def _blur_over_brightness(vgg: Vgg16, power: int) -> float:
    """How much worse a blur looks to VGG than a brightness shift of the same RMSE."""
    target = _photograph()
    blurred = _blurred(target, 2.0)
    shifted = target.clone()
    shifted[:, :3] += (blurred - target)[:, :3].square().mean().sqrt()

    def felt(output: Tensor) -> float:
        pairs = zip(vgg(target[:, :3]), vgg(output[:, :3]), strict=True)
        return float(sum((a - b).abs().pow(power).mean().item() for a, b in pairs))

    return felt(blurred) / felt(shifted)


def test_real_filters_feel_a_blur_far_more_than_brightness_and_random_ones_do_not() -> None:
    real = vgg16_from_state(real_vgg16_state(), "real filters")
    assert _blur_over_brightness(real, 1) > 4
    assert _blur_over_brightness(real, 2) > 20
    assert _blur_over_brightness(random_vgg(), 1) < 1.5
    assert _blur_over_brightness(random_vgg(), 2) < 3


def test_with_real_filters_the_perceptual_loss_turns_the_order_of_l1_around() -> None:
    """L1 prefers the blurred output, the perceptual loss the slightly darker one."""
    target = _photograph()
    blurred = _blurred(target, 2.0)
    darker = target.clone()
    darker[:, :3] -= 1.3 * (blurred - target)[:, :3].abs().mean()
    assert l1_loss(target, blurred) < l1_loss(target, darker)
    loss = PerceptualLoss(vgg16_from_state(real_vgg16_state(), "real filters"), ROTATOR_WEIGHT)
    assert loss(target, blurred) > 2 * loss(target, darker)
