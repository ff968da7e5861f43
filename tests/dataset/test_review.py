"""What the review's server keeps, and whom it turns away."""

from __future__ import annotations

import io
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from PIL import Image

import dataset.drawing.rendering
from contract.errors import ModelError
from contract.image import Stored
from contract.light import Light
from contract.pose import REST, Pose
from contract.rig import HeadBox
from dataset.catalog.catalog import CatalogRow, load_catalog
from dataset.catalog.choose import Wish, choose
from dataset.catalog.corrections import load_corrections, overrides_of
from dataset.commands.main import main
from dataset.review.painter import Painter, Painting, Tools
from dataset.review.review import Review
from dataset.review.server import make_app
from dataset.shards.shard import ShardReader
from tests.support.tiny_builds import SIZE, look, write_models
from tests.support.tiny_renderer import (
    TinyRenderer,
    open_tiny_device,
    open_tiny_scanner,
    tiny_annotation,
    tiny_picture,
)

DRIVE = {"morph": 0, "name": "", "weight": 1, "side": "whole"}
OURS = {"host": "127.0.0.1", "origin": "http://127.0.0.1"}


ANSWERS = {"mouth", "chin", "upright"}


def tiny_names(path: Path) -> tuple[str, ...]:
    return (path.stem, "a", "b")


def open_tiny_tools() -> Tools:
    return Tools(TinyRenderer(SIZE), tiny_names)


class Opened:
    """A catalogue of tiny models, and its page."""

    def __init__(self, folder: Path) -> None:
        self.behaviours = {
            "s/sure": "ok",
            "s/unsure": "doubtful",
            "t/<img src=x onerror=alert(1)>": "ok",
            "t/bad": "refuse",
            "t/deadly": "ok",
        }
        self.models = write_models(folder / "models", self.behaviours)
        self.catalog = folder / "catalog.jsonl"
        look(self.models, self.catalog)
        self.painter = Painter(open_tiny_tools)
        app = make_app(Review(self.catalog, self.painter), self.painter, "127.0.0.1")
        self.client = TestClient(app, base_url="http://127.0.0.1", headers=OURS)

    def row(self, path: str) -> CatalogRow:
        return next(row for row in load_catalog(self.catalog).rows if row.path == path)

    def put(self, path: str, **values: object) -> dict[str, object]:
        url = f"/api/models/{self.row(path).sha256}/correction"
        answer = self.client.put(url, content=json.dumps(values))
        found: dict[str, object] = answer.json()
        found["code"] = answer.status_code if answer.status_code != 200 else found["code"]
        return found


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    made = Opened(tmp_path)
    yield made
    made.painter.close()


def paths(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [model["path"] for model in answer["models"]]


def test_names_that_are_no_unicode_break_no_page(tmp_path: Path) -> None:
    miku = os.fsdecode("ミク".encode("cp932"))
    models = write_models(tmp_path / "models", {"a/a": "ok", "b/refused": "refuse"})
    (models / "a").rename(models / miku)
    (models / "b" / "refused.pmx").rename(models / "b" / f"{miku}.pmx")
    look(models, tmp_path / "catalog.jsonl")
    painter = Painter(open_tiny_tools)
    app = make_app(Review(tmp_path / "catalog.jsonl", painter), painter, "127.0.0.1")
    client = TestClient(app, base_url="http://127.0.0.1", headers=OURS)
    answer = client.get("/api/models")
    assert answer.status_code == 200
    assert paths(answer.json()) == ["ミク/a.pmx", "b/ミク.pmx"]
    model = answer.json()["models"][0]["sha256"]
    assert client.get(f"/api/models/{model}/picture/rest").status_code == 200
    assert client.get(f"/api/models/{model}/morphs").status_code == 200
    painter.close()


def test_doubtful_models_come_first_and_refused_ones_last(opened: Opened) -> None:
    answer = opened.client.get("/api/models").json()
    assert paths(answer)[0] == "s/unsure.pmx"
    assert paths(answer)[-1] == "t/bad.pmx"
    assert (answer["count"], answer["pages"], answer["sources"]) == (5, 1, ["s", "t"])
    for query, found in (
        ("status=refused", ["t/bad.pmx"]),
        ("source=s", ["s/unsure.pmx", "s/sure.pmx"]),
        ("search=UNSURE", ["s/unsure.pmx"]),
        ("page=7", []),
    ):
        assert paths(opened.client.get(f"/api/models?{query}").json()) == found


def test_a_word_is_on_disk_when_it_is_answered(opened: Opened) -> None:
    assert opened.put("s/unsure.pmx", decision="accept")["status"] == "ok"
    box = {"chin_y": 16.0, "skull_top_y": 20.0, "centre_x": 0.1}
    drive = {"morph": 1, "name": "not its name", "weight": 1.0, "side": "left"}
    opened.put("s/sure.pmx", head_box=box, drives={"left_eye": [drive]})
    kept = load_corrections(overrides_of(opened.catalog))
    assert {one.path for one in kept.values()} == {"s/sure.pmx", "s/unsure.pmx"}
    # A new scan changes nothing of it, and what is drawn follows it.
    look(opened.models, opened.catalog)
    chosen = choose(
        load_catalog(opened.catalog), load_corrections(overrides_of(opened.catalog)), Wish()
    )
    found = {one.path: one.annotation for one in chosen.models}
    assert "s/unsure.pmx" in found
    assert found["s/sure.pmx"].head_box.chin_y == 16.0
    assert found["s/sure.pmx"].drives["left_eye"][0].name == "a"
    # Undone, nothing is left of it.
    answer = opened.put("s/sure.pmx", decision=None, head_box=None, drives={})
    assert answer["correction"] is None
    assert len(load_corrections(overrides_of(opened.catalog))) == 1


def test_two_programs_keep_each_others_words(opened: Opened) -> None:
    second = Review(opened.catalog, opened.painter)
    first, other = (opened.row(f"s/{name}.pmx").sha256 for name in ("sure", "unsure"))
    opened.put("s/sure.pmx", decision="reject")
    second.correct(other, {"decision": "accept"}, adding=False)
    opened.put("t/deadly.pmx", decision="accept")
    kept = load_corrections(overrides_of(opened.catalog))
    assert [kept[sha256].decision for sha256 in (first, other)] == ["reject", "accept"]
    assert len(kept) == 3
    assert second.summary(first)["status"] == "refused"  # seen without starting anew


def test_a_rejected_model_can_still_be_seen_and_taken_back(opened: Opened) -> None:
    answer = opened.put("s/sure.pmx", decision="reject")
    assert (answer["status"], answer["code"]) == ("refused", "rejected")
    assert answer["annotation"] is not None
    assert opened.put("s/sure.pmx", decision="accept")["status"] == "ok"


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"decision": "maybe"}, "is no"),
        ({"head_box": {"chin_y": 3, "skull_top_y": 2, "centre_x": 0}}, "does not lie above"),
        ({"head_box": {"chin_y": "x"}}, "is no float"),
        ({"drives": {"tail": []}}, "drives are of"),
        ({"drives": {"mouth": [{"morph": 99, "name": "", "weight": 1, "side": "whole"}]}}, "99 of"),
        ({"drives": {"mouth": [{"morph": 0, "name": "", "weight": 9, "side": "whole"}]}}, "weight"),
        ({"drives": {"mouth": [{"morph": 0, "name": "", "weight": 1, "side": "up"}]}}, "no Side"),
        ({"unknown": 1}, "unknown"),
        ({"drives": {"left_eye": []}}, "left_eye has 0 drives"),
        ({"drives": {"mouth": [DRIVE] * 9}}, "mouth has 9 drives"),
        ({"head_box": {"chin_y": 16.5, "skull_top_y": 1e308, "centre_x": 0}}, "times as high"),
        ({"head_box": {"chin_y": 16.5, "skull_top_y": 16.5001, "centre_x": 0}}, "times as high"),
        ({"head_box": {"chin_y": 16.5, "skull_top_y": 19.0, "centre_x": 50}}, "heights off"),
    ],
)
def test_a_word_that_fits_nothing_is_refused(
    values: dict[str, object], fault: str, opened: Opened
) -> None:
    answer = opened.put("s/sure.pmx", **values)
    assert answer["code"] == 422
    assert fault in str(answer["fault"])
    assert not overrides_of(opened.catalog).exists()


def test_a_word_is_added_to_what_another_page_said(opened: Opened) -> None:
    sha256 = opened.row("s/sure.pmx").sha256
    url = f"/api/models/{sha256}/correction"
    box = {"chin_y": 16.5, "skull_top_y": 19.5, "centre_x": 0.0}
    first, second, _ = (
        opened.client.patch(url, content=json.dumps(values)).json()
        for values in ({"head_box": box}, {"decision": "accept"}, {"drives": {"mouth": [DRIVE]}})
    )
    assert first["before"] is None
    assert (second["before"]["head_box"], second["before"]["decision"]) == (box, None)
    kept = load_corrections(overrides_of(opened.catalog))[sha256]
    assert (kept.decision, kept.head_box) == ("accept", HeadBox(**box))
    assert [drive.morph for drive in kept.drives["mouth"]] == [0]
    assert opened.put("s/sure.pmx", decision="reject")["status"] == "refused"  # in its place
    assert load_corrections(overrides_of(opened.catalog))[sha256].head_box is None


def test_a_morph_that_the_file_has_lost_is_refused(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened.painter, "morph_names", lambda _: ("sure", "a"))
    answer = opened.put("s/sure.pmx", drives={"mouth": [{**DRIVE, "morph": 2}]})
    assert answer["code"] == 422
    assert "lost morphs since it was scanned" in str(answer["fault"])
    assert not overrides_of(opened.catalog).exists()


def test_bodies_that_are_no_json_or_too_long_are_refused(opened: Opened) -> None:
    url = f"/api/models/{opened.row('s/sure.pmx').sha256}/correction"
    for body in (b"", b"{", b"[]", b"[" * 60_000, b"x" * (1 << 17)):
        assert opened.client.put(url, content=body).status_code == 422
    for path in ("picture/rest", "morphs"):
        answer = opened.client.get(f"/api/models/../../etc/{path}")
        assert answer.status_code in {404, 422}


@pytest.mark.parametrize(
    "headers", [{"host": "evil.example"}, {"origin": "http://evil.example"}, {"origin": "null"}]
)
def test_other_pages_are_turned_away(headers: dict[str, str], opened: Opened) -> None:
    url = f"/api/models/{opened.row('s/sure.pmx').sha256}/correction"
    assert opened.client.put(url, content="{}", headers=headers).status_code == 403
    assert opened.client.get("/api/models", headers=headers).status_code == 403
    assert "default-src 'self'" in opened.client.get("/").headers["Content-Security-Policy"]


# Pictures.


def read_png(data: bytes) -> Stored:
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image.convert("RGBA"))


def test_a_picture_is_that_of_its_model_pose_and_light(opened: Opened) -> None:
    sha256 = opened.row("s/sure.pmx").sha256
    answer = opened.client.get(f"/api/models/{sha256}/picture/rest")
    np.testing.assert_array_equal(
        read_png(answer.content), tiny_picture("s/sure", REST, Light(0.5, "toon"), SIZE)
    )
    answer = opened.client.get(f"/api/models/{sha256}/picture/both")
    shut = tiny_picture("s/sure", Pose(left_eye=1, right_eye=1), Light(1.2, "phong"), SIZE)
    np.testing.assert_array_equal(read_png(answer.content), shut)
    assert opened.client.get(f"/api/models/{sha256}/morphs").json() == ["sure", "a", "b"]
    assert "view tail: unknown" in opened.client.get(f"/api/models/{sha256}/picture/tail").text
    bad = opened.row("t/bad.pmx").sha256
    assert "no picture" in opened.client.get(f"/api/models/{bad}/picture/rest").text


def test_a_model_that_crashes_what_draws_costs_its_picture_only(opened: Opened) -> None:
    (opened.models / "t" / "deadly.pmx").write_text("crash deadly", "utf-8")
    deadly, sure = (opened.row(f"{name}.pmx").sha256 for name in ("t/deadly", "s/sure"))
    answer = opened.client.get(f"/api/models/{deadly}/picture/rest")
    assert answer.status_code == 422
    assert "crashed what draws it" in answer.json()["fault"]
    assert opened.client.get(f"/api/models/{sure}/picture/rest").status_code == 200


def test_a_model_that_hangs_is_given_up(tmp_path: Path) -> None:
    models = write_models(tmp_path, {"a": "hang", "b": "ok"})
    painter = Painter(open_tiny_tools, patience=3)
    try:
        with pytest.raises(ModelError, match=r"a\.pmx: nothing came for 3 s"):
            painter.paint(Painting(models / "a.pmx", tiny_annotation(), REST))
        assert painter.paint(Painting(models / "b.pmx", tiny_annotation(), REST))
    finally:
        painter.close()


def test_a_painter_whose_process_was_killed_starts_another(tmp_path: Path) -> None:
    models = write_models(tmp_path, {"a": "ok"})
    painter = Painter(open_tiny_tools)
    painting = Painting(models / "a.pmx", tiny_annotation(), REST)
    try:
        first = painter.paint(painting)
        assert painter._worker and painter._worker.process.pid
        os.kill(painter._worker.process.pid, signal.SIGKILL)
        with pytest.raises(ModelError, match="crashed what draws it"):
            painter.paint(painting)
        assert painter.paint(painting) == first
    finally:
        painter.close()


# All the way into shards.


def test_a_build_follows_the_review(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset.drawing.rendering, "open_renderer", open_tiny_device)
    monkeypatch.setattr(dataset.drawing.rendering, "open_scanner", open_tiny_scanner)
    box = {"chin_y": 15.0, "skull_top_y": 21.0, "centre_x": 0.0}
    opened.put("s/unsure.pmx", decision="accept", head_box=box)
    opened.put("s/sure.pmx", decision="reject")
    out = opened.catalog.parent / "out"
    arguments = ["build", opened.catalog, "-o", out, "--poses", 1, "--size", SIZE, "--workers", 1]
    done = CliRunner().invoke(main, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    (shard,) = out.glob("*.h5")
    held = {model.path: model.facts.head_box for model in ShardReader(shard).models}
    assert "s/sure.pmx" not in held
    assert (held["s/unsure.pmx"].chin_y, held["s/unsure.pmx"].skull_top_y) == (15.0, 21.0)
