"""Training that begins with the networks of a bundle, and says so to whoever comes after."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from contract.errors import InputError
from models.files import bundle_record
from models.files.bundle import Bundle, load_bundle, save_bundle
from models.files.bundle_record import PRETRAINED, RECORD_FILE, read_record
from tests.support.tiny_runs import TINY, open_run, tiny_plan
from tests.support.tiny_shards import write_shards
from tests.support.untrained import untrained
from train.cli import main
from train.data.samples import open_splits
from train.plan.plan import StageSettings
from train.plan.presets import LIVE
from train.plan.stages import STAGES
from train.run.assemble import assemble
from train.run.beginning import FIELD, open_beginning, require_fitting
from train.run.checkpoint import load_checkpoint
from train.run.loop import train_stage
from train.run.run import RUN_FILE, Run, write_run


def _json(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


SETS = (
    *(f"network.{name}={_json(value)}" for name, value in asdict(TINY).items()),
    *("all.batch=4", "all.samples=8", "augmentation.shift=0", "augmentation.scale=0"),
    *("all.focus=0", "mirror=false"),
)
STILL = StageSettings(4, 8, 1e-12)
"""Trains nothing to speak of: what comes out is what it began with."""
HISTORY: tuple[dict[str, object], ...] = (
    {"network": "morpher", "steps": 3, "sources": {"train": ["elsewhere"], "test": ["s0"]}},
    {"network": "rotator-L1", "steps": 5},
    {"network": "morpher", "steps": 4, "continues": "morpher"},
)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shards(tmp_path_factory.mktemp("shards"))


def _model(shards: Path, part: str) -> str:
    """The SHA-256 of a model of a part."""
    return {**open_splits(shards).models()}[part][0]  # type: ignore[index]


def _bundle(folder: Path, seed: int = 5, **changes: object) -> Path:
    """A morpher alone, with a history and one model that it was trained on."""
    made = replace(untrained(TINY, seed=seed), stages=HISTORY, saw={"train": ("a" * 64,)})
    save_bundle(folder, replace(made, **changes))  # type: ignore[arg-type]
    return folder


def _run(shards: Path, folder: Path, bundle: Path | None) -> Run:
    run = open_run(shards, folder, tiny_plan(STILL))
    return replace(run, begins_with=open_beginning(str(bundle)) if bundle else None)


def _weights(run: Run, stage: str) -> dict[str, torch.Tensor]:
    return dict(load_checkpoint(run.rolling(stage)).network)


def test_a_stage_begins_with_its_network_and_where_there_is_none_as_usual(
    shards: Path, tmp_path: Path
) -> None:
    bundle = _bundle(tmp_path / "bundle")
    begun, usual = _run(shards, tmp_path / "begun", bundle), _run(shards, tmp_path / "usual", None)
    for run in (begun, usual):
        for stage in ("morpher", "rotator-L1"):
            train_stage(run, STAGES[stage], None, stop_after=1)
    morpher = load_bundle(bundle).morpher
    assert morpher is not None
    for name, tensor in morpher.state_dict().items():
        torch.testing.assert_close(_weights(begun, "morpher")[name], tensor, rtol=0, atol=1e-6)
    name = "trunk.encoder.0.conv.weight"
    assert not torch.allclose(_weights(begun, "morpher")[name], _weights(usual, "morpher")[name])
    ours, theirs = (_weights(run, "rotator-L1") for run in (begun, usual))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_run_goes_on_with_the_same_weights_wherever_they_lie_and_with_no_others(
    shards: Path, tmp_path: Path
) -> None:
    bundle = _bundle(tmp_path / "bundle")
    whole, parts = (_run(shards, tmp_path / name, bundle) for name in ("whole", "parts"))
    train_stage(whole, STAGES["morpher"], None)
    train_stage(parts, STAGES["morpher"], None, stop_after=1)
    bundle.rename(tmp_path / "moved")
    train_stage(_run(shards, parts.folder, tmp_path / "moved"), STAGES["morpher"], None)
    ours, theirs = (_weights(run, "morpher") for run in (whole, parts))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    other = _run(shards, parts.folder, _bundle(tmp_path / "bundle", seed=6))
    assert other.begins_with is not None
    now = other.begins_with.told.checksum
    with pytest.raises(InputError, match=f"begun with {FIELD} = [0-9a-f]{{64}}, now {now}; give"):
        train_stage(other, STAGES["morpher"], None)
    with pytest.raises(InputError, match=f"begun with {FIELD} = [0-9a-f]{{64}}, now None"):
        train_stage(_run(shards, parts.folder, None), STAGES["morpher"], None)


def _trained(shards: Path, run: Run) -> Bundle:
    splits = open_splits(shards)
    write_run(run, splits.sources(), splits.models())
    for stage in ("morpher", "rotator-L1"):
        train_stage(run, STAGES[stage], None)
    return assemble(run.folder)


def test_the_new_bundle_inherits_history_and_the_models_that_were_seen(
    shards: Path, tmp_path: Path
) -> None:
    saw = {
        "train": ("a" * 64,),
        "validation": (_model(shards, "train"),),
        "test": ("b" * 64, _model(shards, "validation")),
    }
    run = _run(shards, tmp_path / "run", _bundle(tmp_path / "bundle", saw=saw))
    made = _trained(shards, run)
    told = [(one["network"], one.get("continues"), one["steps"]) for one in made.stages]
    assert told == [
        ("morpher", None, 3),
        ("morpher", "morpher", 4),
        ("morpher", "morpher", 2),
        ("rotator-L1", None, 2),
    ]
    settings = made.stages[2]["settings"]
    assert run.begins_with is not None and isinstance(settings, dict)
    assert settings[FIELD] == run.begins_with.told.checksum
    models = open_splits(shards).models()
    assert set(made.saw["train"]) == {"a" * 64, *models["train"]}
    assert set(made.saw["validation"]) == set(models["validation"])
    assert set(made.saw["test"]) == {"b" * 64, *models["test"]}
    # It can be begun with in turn.
    save_bundle(tmp_path / "made", made)
    again = _trained(shards, _run(shards, tmp_path / "again", tmp_path / "made"))
    assert [one["network"] for one in again.stages] == ["morpher"] * 3 + [
        "rotator-L1",
        "morpher",
        "rotator-L1",
    ]
    assert again.saw == made.saw


def test_what_nobody_knows_stays_unknown(shards: Path, tmp_path: Path) -> None:
    run = _run(shards, tmp_path / "run", _bundle(tmp_path / "bundle", saw={}))
    assert _trained(shards, run).saw == {}


def test_a_record_that_tells_of_another_bundle_makes_none(shards: Path, tmp_path: Path) -> None:
    run = _run(shards, tmp_path / "run", _bundle(tmp_path / "bundle"))
    _trained(shards, run)
    path = run.folder / RUN_FILE
    record = json.loads(path.read_bytes())
    path.write_text(json.dumps({k: v for k, v in record.items() if k != FIELD}))
    with pytest.raises(InputError, match=r"run\.json: morpher began with another bundle"):
        assemble(run.folder)
    path.write_text(json.dumps(record | {FIELD: {"name": 7}}))
    with pytest.raises(InputError, match=f"run.json: {FIELD} is no record of a bundle"):
        assemble(run.folder)


# From the command line.


def _train(shards: Path, run: Path, *more: str | Path) -> tuple[int, str]:
    options = [word for change in SETS for word in ("--set", change)]
    words = ["all", shards, "-o", run, "--preset", "demo", *options, "--losses", "L1", *more]
    done = CliRunner().invoke(main, list(map(str, words)))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_one_bundle_for_all_of_a_run(shards: Path, tmp_path: Path) -> None:
    bundle, run = _bundle(tmp_path / "bundle"), tmp_path / "run"
    begin = ("--begin-with", bundle)
    code, text = _train(shards, run, *begin, "--dry-run")
    assert code == 0 and not run.exists(), text
    assert f"morpher begin with the bundle {bundle} (" in text
    code, text = _train(shards, run, *begin, "--stage", "morpher")
    assert code == 0, text
    assert load_bundle(run / "bundle").stages[-1]["continues"] == "morpher"
    code, text = _train(shards, run, *begin, "--stage", "morpher", "--stage", "rotator-L1")
    assert code == 0 and "morpher: finished before" in text, text
    # Also a stage that would begin as usual would mix what the record tells.
    code, text = _train(shards, run, "--stage", "combiner-L1-L1")
    assert code == 1 and f"begun with the bundle {bundle} (" in text and "now with none" in text
    other = _bundle(tmp_path / "other", seed=6)
    code, text = _train(shards, run, "--begin-with", other)
    assert code == 1 and f"now with the bundle {other} (" in text
    assert "give the same --begin-with, or another run folder" in text


def test_networks_of_another_kind_are_refused_by_the_field(shards: Path, tmp_path: Path) -> None:
    other = replace(TINY, channels=2, skips=True)
    save_bundle(tmp_path / "bundle", untrained(other))
    code, text = _train(shards, tmp_path / "run", "--begin-with", tmp_path / "bundle")
    assert code == 1 and "its morpher has network.channels = 2, the plan 4" in text
    assert "give --set network.channels=2 --set network.skips=true, or another bundle" in text
    sets = ("--set", "network.channels=2", "--set", "network.skips=true", "--dry-run")
    code, text = _train(shards, tmp_path / "run", "--begin-with", tmp_path / "bundle", *sets)
    assert code == 0, text


def test_a_bundle_with_nothing_for_the_stages_is_refused(shards: Path, tmp_path: Path) -> None:
    begin = ("--begin-with", _bundle(tmp_path / "bundle"))
    code, text = _train(shards, tmp_path / "run", *begin, "--stage", "rotator-L1")
    assert code == 1 and "holds morpher, and nothing for rotator-L1" in text


@pytest.mark.parametrize("part", ["validation", "test"])
@pytest.mark.parametrize("by", ["model", "source"])
def test_what_is_held_out_must_not_have_been_trained_on(
    shards: Path, tmp_path: Path, part: str, by: str
) -> None:
    held = open_splits(shards).part(part)  # type: ignore[arg-type]
    if by == "model":
        bundle = _bundle(tmp_path / "bundle", saw={"train": (held.characters[1].sha256,)})
    else:
        stages = ({"network": "morpher", "sources": {"train": list(held.sources)}},)
        bundle = _bundle(tmp_path / "bundle", stages=stages)
    code, text = _train(shards, tmp_path / "run", "--begin-with", bundle)
    assert code == 1 and not (tmp_path / "run").exists()
    name = held.characters[1].path if by == "model" else f"a source called {held.sources[0]}"
    assert name in text and f"of the part {part}" in text
    assert f"was trained on in {bundle}; list its source under train" in text


def test_the_word_pretrained_means_what_came_with_the_program(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_record, "PRETRAINED", tmp_path / "shipped")
    begin = ("--begin-with", "pretrained", "--dry-run")
    code, text = _train(shards, tmp_path / "run", *begin)
    assert code == 1 and "no weights came with this program" in text
    _bundle(tmp_path / "shipped")
    code, text = _train(shards, tmp_path / "run", *begin)
    assert code == 0 and "morpher begin with the bundle pretrained (" in text


def test_the_preset_live_can_begin_with_what_came_with_the_program() -> None:
    if not PRETRAINED.is_dir():
        pytest.skip("no weights in this copy; `make pretrained` makes them")
    stages = [STAGES[name] for name in ("morpher", "rotator-L1", "combiner-L1-L1")]
    beginning = open_beginning("pretrained")
    require_fitting(beginning, stages, LIVE.network)
    assert beginning.told.saw["train"]


def test_a_damaged_bundle_is_refused(shards: Path, tmp_path: Path) -> None:
    bundle = _bundle(tmp_path / "bundle")
    assert list(read_record(bundle / RECORD_FILE).networks) == ["morpher"]
    shutil.copy(bundle / RECORD_FILE, bundle / "morpher.safetensors")
    code, text = _train(shards, tmp_path / "run", "--begin-with", bundle)
    assert code == 1 and "copy the bundle again" in text
