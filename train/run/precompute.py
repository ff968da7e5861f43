"""Run a frozen rotator over all samples once, so that its combiners need not do so every time.

It pays where combiners see the samples more than once; both combiners of a rotator share what is
kept.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, distributed

from contract.errors import InputError
from models.networks.face_rotator import FaceRotator
from train.data.batch import load_batch
from train.data.pathways import Pathways
from train.plan.stages import Stage, combiner_input
from train.run.run import Run

FOLDER = "pathways"
_VERSION = 1
_BATCH = 16
_SPARE = 1 << 30
"""Bytes of the disk that are left free, for checkpoints and the like."""


def precompute(
    run: Run, stage: Stage, rotator: FaceRotator, note: Callable[[str], None]
) -> Pathways:
    """All samples' pathways for a combiner's ``stage``; what was kept before is used again.

    They lie in a folder that is named by a digest of the rotator's weights and of all else that
    decides them, so those of another rotator, or of other data, are never taken for them. Each
    process computes its share of the parts. note: is told what is to be kept where, and how far
    that is.

    Raises:
        InputError: there is not enough room for them.
    """
    name, size = f"{stage.rotator}-{_digest(run, rotator)[:16]}", run.plan.network.size
    pathways = Pathways(run.folder / FOLDER / name, len(run.samples), size)
    missing = pathways.missing()
    if missing:
        _announce(pathways, missing, note)
    for done, part in enumerate(missing):
        if part % run.share.ranks == run.share.rank:
            pathways.write(part, _turned(run, stage, rotator, pathways.samples_of(part)))
            note(f"{stage.rotator}: kept part {done + 1} of {len(missing)} of its pictures")
    if run.share.ranks > 1:
        distributed.barrier()
    return pathways


def _digest(run: Run, rotator: FaceRotator) -> str:
    data = run.fingerprint, len(run.samples)  # their number tells whether mirror images are there
    decides = _VERSION, *data, run.plan.precision, rotator.config.to_json()
    digest = hashlib.sha256(json.dumps(decides).encode())
    for name, tensor in sorted(rotator.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _announce(pathways: Pathways, missing: list[int], note: Callable[[str], None]) -> None:
    pathways.folder.mkdir(parents=True, exist_ok=True)
    wanted, free = pathways.bytes_of(missing), shutil.disk_usage(pathways.folder).free
    what = f"the rotator's pictures of {pathways.count} samples take {wanted / 1e9:.2f} GB more"
    if wanted > free - _SPARE:
        raise InputError(
            f"{pathways.folder}: {what}, and {free / 1e9:.2f} GB are free; make room, or train "
            "without --precompute"
        )
    note(f"{pathways.folder}: {what}; delete them when their combiners are trained")


def _turned(
    run: Run, stage: Stage, rotator: FaceRotator, numbers: range
) -> Iterator[tuple[Tensor, Tensor]]:
    """Pathways 1 and 2 of some samples, batch by batch."""
    size = run.plan.network.size
    for start in range(0, len(numbers), _BATCH):
        part = numbers[start : start + _BATCH]
        here = load_batch(run.samples, part, stage.pictures, size, run.device)
        with torch.no_grad(), run.execution.autocast(run.device):
            yield combiner_input(rotator, here.image, here.pose[:, stage.axes])
