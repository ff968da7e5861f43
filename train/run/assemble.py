"""From a run's checkpoints to a bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from contract.errors import InputError
from contract.files import write_bytes
from models.base.config import config_from_json
from models.base.configurations import LOSS_NAMES, combiner_name, rotator_name
from models.files.bundle import Bundle, Network
from models.networks.combiner import Combiner
from models.networks.face_morpher import FaceMorpher
from models.networks.face_rotator import FaceRotator
from train.plan.stages import STAGES, build_network
from train.run.checkpoint import ROLLING, Checkpoint, load_checkpoint
from train.run.watch import HISTORY_FILE

RUN_FILE = "run.json"


def write_run(folder: Path, record: Mapping[str, object]) -> None:
    """Keep the resolved plan, the upkeep and the split beside the checkpoints."""
    write_bytes(folder / RUN_FILE, json.dumps(record, indent=2).encode())


def read_run(folder: Path) -> dict[str, object]:
    """What ``write_run`` wrote; ``InputError`` when it is not there."""
    path = folder / RUN_FILE
    try:
        record = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: no record of a run; give the folder of `train all`") from error
    if not isinstance(record, dict):
        raise InputError(f"{path}: not a record of a run; give the folder of `train all`")
    return record


def assemble(folder: Path) -> Bundle:
    """The bundle of every stage of a run that is finished.

    Raises:
        InputError: no stage is finished, or a checkpoint is damaged.
    """
    record = read_run(folder)
    networks: dict[str, Network] = {}
    stages: list[dict[str, object]] = []
    fingerprint = ""
    for name in STAGES:
        path = folder / name / ROLLING
        if not path.exists():
            continue
        checkpoint = load_checkpoint(path)
        if _is_finished(checkpoint):
            networks[name] = _network(checkpoint)
            fingerprint = str(checkpoint.decides["data"])
            stages.append(_history(checkpoint) | {"sources": record.get("sources")})
    if not networks:
        raise InputError(f"{folder}: no stage is finished; run `train all` again")
    return Bundle(
        cast(FaceMorpher | None, networks.get("morpher")),
        {
            loss: cast(FaceRotator, networks[rotator_name(loss)])
            for loss in LOSS_NAMES
            if rotator_name(loss) in networks
        },
        {
            (a, b): cast(Combiner, networks[combiner_name(a, b)])
            for a in LOSS_NAMES
            for b in LOSS_NAMES
            if combiner_name(a, b) in networks
        },
        tuple(stages),
        fingerprint,
        {"held_out": _last_measured(folder)},
    )


def _is_finished(checkpoint: Checkpoint) -> bool:
    stage = checkpoint.decides["stage"]
    steps: int = -(-stage["samples"] // stage["batch"])
    return checkpoint.step >= steps


def _network(checkpoint: Checkpoint) -> Network:
    config = config_from_json(checkpoint.decides["network"])
    network = build_network(STAGES[checkpoint.stage].kind, config, seed=0)
    network.load_state_dict(checkpoint.weights)
    return network.eval()


def _history(checkpoint: Checkpoint) -> dict[str, object]:
    return {
        "network": checkpoint.stage,
        "settings": dict(checkpoint.decides),
        "steps": checkpoint.step,
        "seconds": round(checkpoint.seconds, 1),
        "loss": checkpoint.loss,
    }


def _last_measured(folder: Path) -> dict[str, object]:
    """The last line of the run's history for each stage."""
    path = folder / HISTORY_FILE
    rows = (
        [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    )
    return {str(row["stage"]): row for row in rows}
