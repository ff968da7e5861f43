"""From a run's checkpoints to a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contract.errors import InputError
from contract.records import decode
from models.base.config import config_from_json
from models.files.bundle import Bundle, Network, bundle_of
from train.plan.stages import STAGES, build_network
from train.run.beginning import FIELD, BundleTold, bundle_told, history, saw_in_all
from train.run.checkpoint import ROLLING, Checkpoint, load_checkpoint, naming_damage
from train.run.run import RUN_FILE, read_run
from train.run.watch import read_history


def assemble(folder: Path) -> Bundle:
    """The bundle of every stage of a run that is finished.

    Raises:
        InputError: no stage is finished, or a checkpoint is damaged, or the run's record does not
            tell of the bundle that a stage began with.
    """
    record = read_run(folder)
    told = bundle_told(folder / RUN_FILE, record)
    networks: dict[str, Network] = {}
    stages: list[dict[str, object]] = []
    fingerprint = ""
    for name in STAGES:
        path = folder / name / ROLLING
        if not path.exists():
            continue
        checkpoint = load_checkpoint(path)
        with naming_damage(path):
            if _is_finished(checkpoint):
                _require_told(folder / RUN_FILE, checkpoint, told)
                networks[name] = _network(checkpoint)
                fingerprint = str(checkpoint.decides["data"])
                stages.append(_history(checkpoint) | {"sources": record.get("sources")})
    if not networks:
        raise InputError(f"{folder}: no stage is finished; run `train all` again")
    measured = {str(row["stage"]): row for row in read_history(folder)}
    saw = _models(record, fingerprint)
    if told and set(networks) & set(told.networks):
        saw = saw_in_all(told, saw)
    return bundle_of(networks, history(told, stages), fingerprint, {"held_out": measured}, saw)


def _require_told(path: Path, checkpoint: Checkpoint, told: BundleTold | None) -> None:
    """Refuse a record, the file ``path``, that tells of another bundle to begin with than it was:
    what the networks learned from would be lost."""
    if checkpoint.decides.get(FIELD) != (told and told.checksum):
        raise InputError(
            f"{path}: {checkpoint.stage} began with another bundle than it says; put the "
            f"{path.name} of that training back"
        )


@dataclass(frozen=True)
class _Seen:
    """What a run's record says of the models in each part of its data."""

    models: Mapping[str, tuple[str, ...]]


def _models(record: Mapping[str, object], fingerprint: str) -> Mapping[str, tuple[str, ...]]:
    """The models that a run saw; none where its record is of other data, or names none."""
    if record.get("data") != fingerprint:
        return {}
    try:
        return decode(_Seen, record, others=True).models
    except ValueError:
        return {}


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
