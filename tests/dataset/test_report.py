"""What people are shown: summaries, contact sheets, progress, and the command line."""

from __future__ import annotations

import io
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import dataset.drawing.rendering
from contract.errors import ShardError
from contract.progress import LogProgress, open_progress
from contract.text import time_left
from dataset.commands.main import main
from dataset.shards.records import FoundText
from dataset.shards.shard import ShardReader, ShardWriter
from dataset.sheets.samples_sheet import TILE, choose_samples, draw_sheet
from dataset.sheets.summary import sparkline, summarise, summary_text
from tests.support.shard_bytes import HEADER, add_model, mixed_row, model_row, write_shard
from tests.support.tiny_builds import write_models
from tests.support.tiny_renderer import open_tiny_device, open_tiny_scanner


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    write_shard(tmp_path / "a.h5")
    return tmp_path / "a.h5"


# Summaries.


def test_a_sparkline_is_as_high_as_its_counts() -> None:
    assert sparkline([0, 1, 2, 4, 7]) == "▁▂▃▅█"
    assert sparkline([0, 0]) == "▁▁"


def test_a_summary_counts_what_is_there(shard: Path) -> None:
    summary = summarise([ShardReader(shard)])
    assert (summary.shards, summary.samples, summary.pictures) == (1, 5, 14)
    assert summary.file_bytes == shard.stat().st_size
    assert [axis.name for axis in summary.poses][:2] == ["head_x", "head_y"]
    head_x = ShardReader(shard).samples["pose"][:, 0]
    assert summary.poses[0].low == head_x.min()
    assert sum(summary.poses[0].histogram) == 5
    # head_x from -1 to 1 in 16 parts: part 15 begins at 0.875.
    assert summary.poses[0].histogram[15] == (head_x >= 0.875).sum()


def test_a_model_in_two_shards_is_one_model(shard: Path, tmp_path: Path) -> None:
    write_shard(tmp_path / "b.h5")
    summary = summarise([ShardReader(shard), ShardReader(tmp_path / "b.h5")])
    assert [(model.facts.name, model.samples) for model in summary.models] == [
        ("mio", 6),
        ("繭", 4),
    ]


def test_shards_of_two_data_sets_are_not_summed(shard: Path, tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "b.h5", replace(HEADER, configuration_hash="other")) as writer:
        add_model(writer, model_row("mio", 1))
        writer.finish()
    with pytest.raises(ShardError, match=r"b\.h5: of another data set than .*a\.h5"):
        summarise([ShardReader(shard), ShardReader(tmp_path / "b.h5")])


def test_the_text_names_pictures_poses_models_and_terms(shard: Path) -> None:
    text = summary_text(summarise([ShardReader(shard)]))
    assert "samples    5 of 2 models, 14 pictures, 1 shard\n" in text
    assert "pictures   8x8 RGBA, phong shading, ambient 0." in text
    assert re.search(r"  left_eye +0\.\d\d +0\.\d\d +0\.\d\d  [▁▂▃▄▅▆▇█]{16}\n", text)
    assert "  mio   3 samples, source 源, sha256 6d696f000000\n" in text
    assert "    terms    源/readme.txt: ご自由に\n" in text
    assert "mouth morph of mouth" in text


def test_of_mixed_shading_the_text_says_how_much_is_toon(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "a.h5", replace(HEADER, shading="mixed")) as writer:
        add_model(writer, mixed_row("mio", 8))
        writer.finish()
    reader = ShardReader(tmp_path / "a.h5")
    toon = sum(reader.sample(i).light.shading == "toon" for i in range(8))
    assert 0 < toon < 8
    said = f"mixed shading ({toon / 8:.0%} toon), ambient "
    assert said in summary_text(summarise([reader]))


def test_what_strangers_wrote_does_not_steer_the_terminal(tmp_path: Path) -> None:
    row = model_row("mio", 1)
    named = replace(row.facts, name="a\x1b[31mb\nc")
    terms = FoundText("x.txt", "----\n\x1b]0;title\x07free")
    with ShardWriter(tmp_path / "a.h5", HEADER) as writer:
        add_model(writer, replace(row, facts=named, licence=terms))
        writer.finish()
    text = summary_text(summarise([ShardReader(tmp_path / "a.h5")]))
    assert "\x1b" not in text
    assert "a [31mb c" in text
    assert "x.txt: ]0;title free" in text


# Contact sheets.


def test_samples_are_chosen_from_every_model_in_turn(shard: Path) -> None:
    reader = ShardReader(shard)
    assert choose_samples([reader], 4) == [(reader, 0), (reader, 3), (reader, 1), (reader, 4)]
    assert len(choose_samples([reader], 100)) == 5


def test_a_sheet_shows_the_pictures_on_a_plain_ground(shard: Path, tmp_path: Path) -> None:
    draw_sheet([ShardReader(shard)], tmp_path / "sheet.png", 3)
    with Image.open(tmp_path / "sheet.png") as sheet:
        pixels = np.array(sheet)
    # Two triples a row, two rows; nothing is cut off at the edges.
    assert sheet.size[0] > 2 * 3 * TILE
    assert sheet.size[1] > 2 * TILE
    assert (pixels[[0, -1]] == 255).all()
    assert (pixels[:, [0, -1]] == 255).all()
    sample = ShardReader(shard).sample(0)
    colour, alpha = sample.rest[5, 4, :3].astype(float), sample.rest[5, 4, 3] / 255
    expected = colour * alpha + np.array([0xEE, 0xF0, 0xF3]) * (1 - alpha)
    # The first tile: margin, then the line of names.
    shown = pixels[24 + 26 + TILE * 11 // 16, 24 + TILE * 9 // 16]
    np.testing.assert_allclose(shown, expected, atol=4)


# Progress.


def test_time_left_is_at_the_pace_so_far() -> None:
    assert time_left(10, 110, 20.0) == "0:03:20 left"
    assert time_left(1, 3601, 2.0) == "2:00:00 left"
    assert time_left(0, 100, 5.0) == ""


def test_a_log_gets_no_more_than_a_line_now_and_then() -> None:
    log = io.StringIO()
    progress = LogProgress(log, "samples")
    progress.show(1, 10, "soon")
    progress.note("a word")
    assert log.getvalue() == "a word\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar_and_the_lines_that_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    with open_progress("samples", terminal) as progress:
        progress.show(3, 10, "12.0 pictures/s")
        progress.note("quarantined [bold]a.pmx")
    assert "3 of 10 samples" in terminal.getvalue()
    assert "12.0 pictures/s" in terminal.getvalue()
    assert "quarantined [bold]a.pmx\n" in terminal.getvalue()


# The command line.


def _invoke(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, [*map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("behaviours", "fault"),
    [({}, "no PMX or PMD model in this folder"), ({"a": "refuse"}, "all 1 models are quarantined")],
)
def test_a_build_without_pictures_exits_with_1(
    behaviours: dict[str, str], fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset.drawing.rendering, "open_renderer", open_tiny_device)
    monkeypatch.setattr(dataset.drawing.rendering, "open_scanner", open_tiny_scanner)
    (tmp_path / "models").mkdir()
    models = write_models(tmp_path / "models", behaviours)
    code, _, errors = _invoke("build", models, "-o", tmp_path / "out", "--workers", 1)
    assert code == 1
    assert errors.splitlines()[-1].startswith("error: ")
    assert fault in errors.splitlines()[-1]


def test_a_build_with_some_models_quarantined_exits_with_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset.drawing.rendering, "open_renderer", open_tiny_device)
    monkeypatch.setattr(dataset.drawing.rendering, "open_scanner", open_tiny_scanner)
    models = write_models(tmp_path / "models", {"a": "ok", "b": "refuse"})
    options = ("--poses", 3, "--size", 16, "--workers", 1, "--ambient", "0.5..1.2")
    code, text, errors = _invoke("build", models, "-o", tmp_path / "out", *options)
    assert (code, text.splitlines()[0]) == (
        0,
        f"{tmp_path}/out: 3 samples of 1 model in 1 shard, 0.0 MB; "
        f"1 model quarantined (see {tmp_path}/out/quarantine.jsonl)",
    )
    assert errors.startswith("2 models\n1 model x 3 poses = 3 samples in 1 shard\n")


@pytest.mark.parametrize(
    ("options", "shading", "low", "high"),
    [
        ((), "mixed", 0.5, 1.2),
        (("--ambient", "0.7"), "mixed", 0.7, 0.7),
        (("--shading", "toon"), "toon", 0.5, 0.5),
        (("--shading", "phong", "--ambient", "0.5..1.0"), "phong", 0.5, 1.0),
    ],
)
def test_shading_is_mixed_under_a_wide_light_unless_said_otherwise(
    options: tuple[str, ...],
    shading: str,
    low: float,
    high: float,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dataset.drawing.rendering, "open_renderer", open_tiny_device)
    monkeypatch.setattr(dataset.drawing.rendering, "open_scanner", open_tiny_scanner)
    models, out = write_models(tmp_path / "models", {"a": "ok"}), tmp_path / "out"
    common = ("--poses", 1, "--size", 16, "--workers", 1)
    assert _invoke("build", models, "-o", out, *common, *options)[0] == 0
    header = ShardReader(out / "shard-00000.h5").header
    assert (header.shading, header.ambient_low, header.ambient_high) == (shading, low, high)


@pytest.mark.parametrize("ambient", ["1.2..0.5", "nan", "0.5..", "bright", "9"])
def test_an_ambient_light_that_is_none_is_one_line(ambient: str, tmp_path: Path) -> None:
    code, _, errors = _invoke("build", tmp_path, "-o", tmp_path / "out", "--ambient", ambient)
    assert code == 1
    assert re.fullmatch(r"error: (--)?ambient .*\n", errors)


def test_a_wrong_command_line_exits_with_2(tmp_path: Path) -> None:
    assert _invoke("build", tmp_path)[0] == 2
    assert _invoke("build", tmp_path, "-o", tmp_path / "out", "--poses", 0)[0] == 2


def test_an_output_folder_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"a": "ok"})
    (tmp_path / "out").write_text("")
    code, _, errors = _invoke("build", models, "-o", tmp_path / "out")
    assert (code, errors) == (
        1,
        f"error: {tmp_path}/out: cannot be used as a folder (File exists)\n",
    )


def test_inspect_says_everything_in_json_too(shard: Path) -> None:
    code, text, _ = _invoke("inspect", shard, "--json")
    found = json.loads(text)
    assert code == 0
    assert found["header"]["gl_renderer"] == "tiny studio"
    assert found["models"][1]["facts"]["name"] == "繭"
    assert found["conventions"]["schema_version"] == 1


def test_inspect_reads_a_folder_and_draws_its_sheet(shard: Path, tmp_path: Path) -> None:
    code, text, _ = _invoke("inspect", tmp_path, "--sheet", tmp_path / "sheet.png")
    assert code == 0
    assert text.startswith("samples    5 of 2 models")
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"] == []


def test_inspect_names_what_is_no_shard(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(os.urandom(2000))
    code, _, errors = _invoke("inspect", tmp_path / "a.h5")
    assert code == 1
    assert errors == (
        f"error: {tmp_path}/a.h5: no whole HDF5 file: cut short, damaged or no shard\n"
    )
