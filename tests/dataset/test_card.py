"""The card of a data set: every model, what its files say, and nothing that strangers slip in."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from contract.rig import HeadBox
from dataset.commands.main import main
from dataset.curate.card import author_lines, plain
from dataset.shards.records import FoundText, ModelFacts, ModelRow
from tests.support.tiny_builds import run, write_models


def _row(comment: str, terms: str) -> ModelRow:
    facts = ModelFacts("name", comment, HeadBox(0.0, 1.0, 0.0), {}, ())
    found = FoundText("readme.txt", terms) if terms else None
    return ModelRow("00" * 32, "a.pmx", ".", found, facts, 0, (0.5,), 0, 1)


def test_lines_that_name_the_author_are_found() -> None:
    row = _row(
        "ミオ ver1\nモデリング:山田", "Copyright 2012 Tanaka\nNo redistribution.\nby: Sato\nbye now"
    )
    assert author_lines(row) == ("モデリング:山田", "Copyright 2012 Tanaka", "by: Sato")
    assert author_lines(_row("", "")) == ()


def test_a_strangers_text_shows_just_itself() -> None:
    assert plain("a|b\n<script>*x*") == "a\\|b &lt;script\\>\\*x\\*"
    assert plain("[x](http://y)") == "\\[x\\]\\(http://y\\)"


def test_the_card_names_models_sources_poses_and_terms(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"源/k": "ok", "s/l|<b>": "ok"})
    (models / "s" / "readme.txt").write_text("作者: 山田\n```\n# not a heading\n", "utf-8")
    out = tmp_path / "out"
    run(models, out)
    done = CliRunner().invoke(main, ["card", str(out)])
    assert (done.exit_code, done.stdout) == (0, f"wrote {out / 'CARD.md'} and CARD.png\n")
    assert (out / "CARD.png").read_bytes().startswith(b"\x89PNG")
    text = (out / "CARD.md").read_text("utf-8")
    lines = text.splitlines()
    assert "| 源 | 1 | 5 |" in lines
    assert "| all | 2 | 10 |" in text
    assert sum(line.startswith("| `head_x` |") for line in lines) == 1
    (mine,) = (line for line in lines if "s/l\\|&lt;b\\>\\.pmx" in line)
    assert "作者: 山田" in mine and mine.endswith("| [1](#terms-1) |")
    (other,) = (line for line in lines if "源/k" in line)
    assert other.endswith("| not said | none found |")
    assert lines[lines.index("### Terms 1") + 2] == "s/readme\\.txt, for 1 model:"
    assert "    # not a heading" in lines and "# not a heading" not in lines
    assert "1 model without any text that states terms." in lines


def test_a_split_set_has_a_row_a_part(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"k": "ok"})
    for part in ("train", "test"):
        run(models, tmp_path / "out" / part)
    card = tmp_path / "card.md"
    assert CliRunner().invoke(main, ["card", str(tmp_path / "out"), "-o", str(card)]).exit_code == 0
    text = card.read_text("utf-8")
    assert "| train | 1 | 5 |" in text and "| test | 1 | 5 |" in text
    assert "10 samples of 1 model" in text
