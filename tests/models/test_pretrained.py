"""The weights that come with the program: whole, small enough, and told how to come by."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from contract.errors import InputError
from models.base.configurations import choose_configuration
from models.files import bundle_record
from models.files.bundle import load_bundle
from models.files.bundle_record import PRETRAINED, pretrained_folder

MOST_BYTES = 16_000_000


def test_what_came_with_the_program_is_whole_small_and_can_be_run() -> None:
    if not PRETRAINED.is_dir():
        pytest.skip("no weights in this copy; `make pretrained` makes them")
    assert sum(path.stat().st_size for path in PRETRAINED.iterdir()) <= MOST_BYTES
    bundle = load_bundle(pretrained_folder())
    system = bundle.system(choose_configuration(bundle.networks())).eval()
    picture = torch.rand(1, 4, 256, 256) * 2 - 1
    picture[:, 3] = 1
    rest = torch.tensor([[0.0, 0, 0, 0, 0, 1]])
    with torch.inference_mode():
        torch.testing.assert_close(system(picture, rest), picture, rtol=0, atol=1e-4)
        posed = system(picture, torch.tensor([[0.5, 0.5, 0.5, 1, 1, 0]]))
    assert posed.isfinite().all() and not torch.equal(posed, picture)


def test_where_none_came_the_way_to_them_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_record, "PRETRAINED", tmp_path)
    with pytest.raises(InputError, match=r"no weights came .* `make pretrained`"):
        pretrained_folder()
