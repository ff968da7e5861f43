"""Measuring: regions on drawn pictures, intervals, the tables, and the commands."""

from __future__ import annotations

import base64
import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from contract.errors import InputError
from contract.lock import only_run
from contract.pose import Pose
from models.base.config import NetworkConfig, copying
from models.files.bundle import Bundle, load_bundle, save_bundle
from models.networks.face_morpher import FaceMorpher
from models.networks.face_rotator import FaceRotator
from tests.support.tiny_shards import SIZE, write_shards
from train.cli import main
from train.data.batch import load_batch
from train.data.samples import open_samples
from train.measure.evaluate import COPYING, MORPHER, NO_CHANGE, evaluate, mean_rest_picture
from train.measure.regions import changed_pixels, disoccluded, face_regions, turned
from train.measure.report import markdown, write_report
from train.measure.tally import Tally, ssim_map

TINY = NetworkConfig(size=SIZE, channels=4, max_channels=8, residual_blocks=1)
SETS = (
    *(f"network.{name}={value}" for name, value in (("size", SIZE), ("channels", 4))),
    *("network.max_channels=8", "network.residual_blocks=1", "all.batch=4", "all.samples=16"),
    *("head_start_samples=8", "augmentation.shift=0", "augmentation.scale=0"),
)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shards(tmp_path_factory.mktemp("shards"))


def test_eyes_are_above_the_mouth_among_what_expressions_change() -> None:
    rest = torch.full((1, 4, 64, 64), -1.0)
    faces = rest.repeat(3, 1, 1, 1)
    faces[0, 0, 32, 20] = 1
    faces[1, 1, 44, 32] = 1
    changed_at = changed_pixels(rest, faces)
    assert changed_at.nonzero().tolist() == [[32, 20], [44, 32]]
    eyes, mouth = face_regions(changed_at)
    assert eyes.nonzero().float().mean(0).tolist() == [32, 20]
    assert mouth.nonzero().float().mean(0).tolist() == [44, 32]


@pytest.mark.parametrize(
    ("pose", "down", "right"),
    [
        (Pose(), 0, 0),
        (Pose(head_y=1), 0, -1),  # to the viewer's left
        (Pose(head_x=1), -1, 0),  # up
        (Pose(neck_z=1), 0, -1),  # leans to the viewer's left
    ],
)
def test_regions_turn_as_the_axes_say(pose: Pose, down: int, right: int) -> None:
    region = torch.zeros(64, 64, dtype=torch.bool)
    region[36:38, 31:33] = True
    at = turned(region, torch.from_numpy(pose.to_vector()[None, :3]))[0].nonzero().float().mean(0)
    moved = at - torch.tensor([36.5, 31.5])
    assert bool(moved[0] * down > 1.5) if down else bool(moved[0].abs() < 1.1)
    assert bool(moved[1] * right > 1.5) if right else bool(moved[1].abs() < 0.6)


def test_only_what_cannot_be_copied_is_disoccluded() -> None:
    generator = torch.Generator().manual_seed(0)
    before = torch.nn.functional.interpolate(
        torch.rand(1, 4, 8, 8, generator=generator) * 0.4, (64, 64), mode="bilinear"
    )
    after = before.roll((3, -4), (2, 3))
    assert disoccluded(before, after)[0, 8:-8, 8:-8].sum() == 0
    after[0, :, 30:34, 40:44] = -0.9
    after[0, 3, 30:34, 40:44] = 1
    found = disoccluded(before, after)[0]
    assert found[30:34, 40:44].all()
    assert found[8:-8, 8:-8].sum() <= 36


def test_a_tally_weighs_measurements_and_draws_characters() -> None:
    tally = Tally(2)
    tally.add("mse", 0, 3.0, 3)
    tally.add("mse", 1, 4.0, 1)
    value = tally.values()["mse"]
    assert value.mean == pytest.approx(7 / 4)
    assert (value.low, value.high) == (1.0, 4.0)
    assert np.isnan(tally.values()["mse_eyes"].mean)


def test_ssim_is_one_for_equal_pictures_only() -> None:
    picture = np.random.Generator(np.random.PCG64(0)).random((16, 16, 4)).astype(np.float32)
    assert ssim_map(picture, picture).mean() == pytest.approx(1)
    assert ssim_map(picture, picture[::-1].copy()).mean() < 0.5


def _copying_bundle() -> Bundle:
    draw = torch.Generator().manual_seed(0)
    morpher, rotator = FaceMorpher(copying(TINY), draw), FaceRotator(copying(TINY), draw)
    with torch.no_grad():  # features are positive: alpha becomes 1
        morpher.alpha_head.weight.fill_(100)
    return Bundle(morpher.eval(), {"L1": rotator.eval()})


def test_networks_that_copy_score_like_the_baselines(shards: Path, tmp_path: Path) -> None:
    samples = open_samples(shards)
    mean_rest = mean_rest_picture(samples, SIZE)
    results = evaluate(
        {"copying": _copying_bundle()}, samples, mean_rest, SIZE, torch.device("cpu")
    )
    rows = {row.name: row.values for row in (*results.system, *results.morpher)}
    assert set(rows) == {COPYING, "mean rest picture", NO_CHANGE, MORPHER, "PU-L1", "ZH-L1"}
    assert rows["ZH-L1"]["mse"].mean == pytest.approx(rows[COPYING]["mse"].mean, rel=1e-2)
    assert rows[MORPHER]["mse_eyes"].mean == pytest.approx(
        rows[NO_CHANGE]["mse_eyes"].mean, rel=1e-2
    )
    write_report(tmp_path, results)
    with (tmp_path / "results.csv").open(newline="") as file:
        found = {(line["configuration"], line["metric"]): line for line in csv.DictReader(file)}
    assert float(found[COPYING, "mse"]["mean"]) == rows[COPYING]["mse"].mean
    assert json.loads((tmp_path / "results.json").read_text())["characters"] == 8
    assert (tmp_path / "samples-copying.png").is_file()
    assert f"|  | {COPYING} | 1.000 |" in markdown(results)


def test_pictures_may_be_larger_than_the_networks(tmp_path: Path) -> None:
    large = write_shards(tmp_path / "large", size=2 * SIZE, sources=1)
    samples = open_samples(large)
    mean_rest = mean_rest_picture(samples, 2 * SIZE)
    bundles = {"copying": _copying_bundle()}
    results = evaluate(bundles, samples, mean_rest, 2 * SIZE, torch.device("cpu"))
    rows = {row.name: row.values for row in (*results.system, *results.morpher)}
    assert results.size == 2 * SIZE
    assert rows["ZH-L1"]["mse"].mean == pytest.approx(rows[COPYING]["mse"].mean, rel=1e-2)
    assert rows["ZH-L1"]["ssim_eyes"].mean == pytest.approx(
        rows[COPYING]["ssim_eyes"].mean, abs=0.02
    )
    small = open_samples(write_shards(tmp_path / "small", sources=1))
    with pytest.raises(InputError, match=f"networks of size {2 * SIZE}, but pictures of {SIZE}"):
        wide = {"wide": Bundle(FaceMorpher(replace(TINY, size=2 * SIZE)))}
        evaluate(wide, small, mean_rest, SIZE, torch.device("cpu"))


def test_at_rest_what_changes_is_counted(shards: Path) -> None:
    samples = open_samples(shards).of_sources({"s1"})
    draw = torch.Generator().manual_seed(0)
    resting = replace(TINY, rests=True)
    still = Bundle(FaceMorpher(resting, draw), {"L1": FaceRotator(resting, draw)})
    restless = Bundle(FaceMorpher(TINY, draw), {"L1": FaceRotator(TINY, draw)})
    results = evaluate(
        {"still": still, "restless": restless},
        samples,
        torch.zeros(4, SIZE, SIZE),
        SIZE,
        torch.device("cpu"),
    )
    unlike = {(row.bundle, row.name): row.values["unlike"].mean for row in results.rest}
    assert unlike["still", MORPHER] == unlike["still", "ZH-L1"] == 0
    assert unlike["restless", MORPHER] > 0.5
    text = markdown(results)
    assert "## At rest" in text and "| unlike |" in text and "| SSIM eyes |" in text


def test_the_page_shows_every_bundle_and_no_name_ends_its_script(
    shards: Path, tmp_path: Path
) -> None:
    samples = open_samples(shards).of_sources({"s1"})
    names = ["one", "</script><b>"]
    bundles = {name: _copying_bundle() for name in names}
    results = evaluate(bundles, samples, torch.zeros(4, SIZE, SIZE), SIZE, torch.device("cpu"))
    assert [one.rank for one in results.shown[::3]] == [
        f"{rank} of {name}" for name in names for rank in ("best", "median", "worst")
    ]
    write_report(tmp_path, results)
    page = (tmp_path / "samples.html").read_text()
    assert page.count("</script>") == 2  # the data's and the program's own
    data = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    first = data[0]["pictures"]
    assert list(first) == ["rest", "target", *names]
    found = Image.open(io.BytesIO(base64.b64decode(first["target"].partition(",")[2])))
    assert np.array_equal(np.asarray(found), results.shown[0].pictures["target"])
    assert "http:" not in page and "https:" not in page


def test_copying_is_measured_exactly(shards: Path) -> None:
    samples = open_samples(shards).of_sources({"s1"})
    results = evaluate(
        {"b": _copying_bundle()}, samples, torch.zeros(4, SIZE, SIZE), SIZE, torch.device("cpu")
    )
    whole = load_batch(samples, range(len(samples)), ("rest", "posed"), SIZE)
    total = float(((whole.image - whole.target) ** 2).mean())
    assert results.system[0].values["mse"].mean == pytest.approx(total, rel=1e-5)


def _invoke(*words: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(main, list(map(str, words)))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def _train(shards: Path, run: Path, *more: str) -> tuple[int, str]:
    options = [word for change in SETS for word in ("--set", change)]
    return _invoke("all", shards, "-o", run, "--preset", "demo", *options, "--losses", "L1", *more)


def test_from_shards_to_a_measured_bundle(shards: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    code, text = _train(shards, run, "--precompute", "--dry-run")
    assert code == 0, text
    assert "stage combiner-L1-L1" in text and "GB here" in text and not run.exists()
    assert "kept pictures of rotator-L1: 0.00 GB on disk" in text
    code, text = _train(shards, run, "--precompute")
    assert code == 0, text
    assert len(list(run.glob("pathways/rotator-L1-*/part-00000.npy"))) == 1
    assert "bundle: morpher, rotator-L1, combiner-L1-L1" in text
    bundle = load_bundle(run / "bundle")
    assert bundle.configurations() == ("PU-L1", "ZH-L1", "FU-L1-L1")
    (run / ".bundle.1.tmp").mkdir()  # as a killed writer of a bundle leaves it
    code, text = _train(shards, run)
    assert code == 0, text
    assert text.count("finished before") == 3
    with only_run(run, print):
        code, text = _train(shards, run)
    assert code == 1 and f"{run}: another run is writing there" in text
    code, text = _invoke("evaluate", run / "bundle", "--data", shards, "-o", tmp_path / "results")
    assert code == 0, text
    assert "FU-L1-L1" in text and (tmp_path / "results" / "results.md").read_text() in text
    code, text = _invoke("bundle", run, "-o", tmp_path / "second", "--tha1", tmp_path / "tha1")
    assert code == 1 and "paper's shape" in text


def test_a_source_that_was_trained_on_is_not_measured(shards: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert _train(shards, run, "--stage", "morpher")[0] == 0
    stage = load_bundle(run / "bundle").stages[0]
    sources = stage["sources"]
    assert isinstance(sources, dict)
    trained = sources["train"]
    split = tmp_path / "split.json"
    split.write_text(json.dumps({"train": [], "validation": [], "test": trained}))
    words: list[str | Path] = ["evaluate", run / "bundle", "--data", shards]
    code, text = _invoke(*words, "--split", split)
    assert code == 1 and "error:" in text
    split.write_text(
        json.dumps({"train": sources["test"], "validation": sources["validation"], "test": trained})
    )
    code, text = _invoke(*words, "--split", split)
    assert code == 1 and "was trained on" in text


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["--set", "morpher.batch=0"], "batch is 0"),
        (["--set", "morpher.samples=8", "--set", "morpher.lr=1"], "no field is called lr"),
        (["--set", "upkeep.loader_threads=0"], "loader_threads is 0; it must lie in [1, 256]"),
        (["--set", "nothing.batch=1"], "no group"),
        (["--set", "seed=many"], "give a number"),
        (["--set", "network.size=32"], "--resize"),
        (["--losses", "L1+P", "--vgg16", "nowhere.pth"], "nowhere.pth"),
    ],
)
def test_a_wrong_plan_is_refused_before_anything_is_written(
    shards: Path, tmp_path: Path, words: list[str], fault: str
) -> None:
    code, text = _train(shards, tmp_path / "run", *words)
    assert code == 1 and fault in text
    assert not (tmp_path / "run").exists()


def test_a_device_that_is_none_is_a_wrong_command_line(shards: Path, tmp_path: Path) -> None:
    code, text = _train(shards, tmp_path / "run", "--device", "warp")
    assert code == 2 and "'warp' is no device" in text
    assert not (tmp_path / "run").exists()


def test_a_model_that_was_trained_on_is_not_measured_whatever_its_source_is_called(
    shards: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    assert _train(shards, run, "--stage", "morpher")[0] == 0
    bundle = load_bundle(run / "bundle")
    sources = bundle.stages[0]["sources"]
    assert isinstance(sources, dict)
    renamed = {part: [f"other {name}" for name in names] for part, names in sources.items()}
    stages = tuple({**stage, "sources": renamed} for stage in bundle.stages)
    save_bundle(tmp_path / "renamed", replace(bundle, stages=stages))
    split = tmp_path / "split.json"
    parts = {"train": sources["test"], "validation": sources["validation"]}
    split.write_text(json.dumps({**parts, "test": sources["train"]}))
    code, text = _invoke("evaluate", tmp_path / "renamed", "--data", shards, "--split", split)
    assert code == 1 and "was trained on; measure on models held out from it" in text
