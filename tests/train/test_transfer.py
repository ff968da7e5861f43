"""What goes to the device that trains arrives as it was."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from train.data.transfer import asked_for, sent, stacked

DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no graphics card")
    ),
]


@pytest.mark.parametrize("name", DEVICES)
@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float32])
def test_arrays_are_stacked_and_sent(name: str, kind: type) -> None:
    device = torch.device(name)
    arrays: list[npt.NDArray[np.generic]] = [
        np.arange(6, dtype=kind).reshape(2, 3) + i for i in range(4)
    ]
    arrays[1].flags.writeable = False
    arrays[2] = arrays[2][:, ::-1]
    made = sent(stacked(arrays, device), device)
    assert made.device.type == name
    assert np.array_equal(made.cpu().numpy(), np.stack(arrays))
    assert made.cpu().numpy().dtype == kind


@pytest.mark.parametrize("name", DEVICES)
def test_a_number_is_told_later(name: str) -> None:
    number = torch.tensor(2.5, device=name)
    tell = asked_for(number * 2)
    number += 1
    assert tell() == 5
