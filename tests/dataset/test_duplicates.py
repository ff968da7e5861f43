"""Which heads count as one character."""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from characters.files.generate import write_character
from contract.image import Stored
from contract.progress import LogProgress
from dataset.catalog import duplicates
from dataset.catalog.catalog import CatalogRow
from dataset.catalog.duplicates import (
    ALTERED_PICTURE,
    SAME_COLOURS,
    SAME_PICTURE_RECOLOURED,
    representatives,
    with_groups,
)
from dataset.catalog.fingerprint import F64, Fingerprint, Likeness, fingerprint
from dataset.drawing.rendering import open_scanner
from dataset.jobs.pool import Crew
from dataset.scan.scan import scan
from tests.support.tiny_renderer import tiny_annotation, tiny_described, tiny_fingerprint


def triangles(seed: int, count: int = 2000) -> F64:
    """Small triangles all over a head 3 units high."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 3, (count, 1, 3)) + rng.uniform(-0.1, 0.1, (count, 3, 3))


def picture(seed: int) -> Stored:
    """Coloured blocks where the head is."""
    blocks = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), np.uint8)
    drawn = np.zeros((256, 256, 4), np.uint8)
    drawn[64:192, 64:192, :3] = blocks.repeat(8, axis=0).repeat(8, axis=1)
    drawn[64:192, 64:192, 3] = 255
    return drawn


def of_mesh(corners: F64, head_height: float = 3.0) -> Fingerprint:
    return fingerprint(corners, head_height, picture(0))


def mesh_likeness(a: Fingerprint, b: Fingerprint) -> float:
    return float(Likeness([a, b]).mesh(0, 1)[0, 1])


# Meshes.


def test_a_mesh_is_known_however_it_is_stored() -> None:
    corners, rng = triangles(1), np.random.default_rng(2)
    assert mesh_likeness(of_mesh(corners), of_mesh(corners)) == 1
    shuffled = rng.permutation(corners)[:, [1, 2, 0]]
    assert mesh_likeness(of_mesh(corners), of_mesh(shuffled)) == 1
    assert mesh_likeness(of_mesh(corners), of_mesh(corners + np.array([5.0, 17.0, -3.0]))) > 0.95
    quarter_turn = corners[:, :, [2, 1, 0]] * np.array([1, 1, -1])
    assert mesh_likeness(of_mesh(corners), of_mesh(quarter_turn)) > 0.95


def test_a_mesh_of_another_unit_is_known() -> None:
    corners = triangles(1)
    assert mesh_likeness(of_mesh(corners), of_mesh(corners * 0.08, 3 * 0.08)) > 0.9


def test_likeness_estimates_the_shared_share_of_triangles() -> None:
    one, two, three = triangles(1), triangles(2), triangles(3)
    a, b = np.concatenate([one, two]), np.concatenate([one, three])
    # 2000 of 6000 different triangles are in both; 128 entries estimate it to +-0.04.
    assert mesh_likeness(of_mesh(a), of_mesh(b)) == pytest.approx(1 / 3, abs=0.13)
    assert mesh_likeness(of_mesh(one), of_mesh(two)) < 0.1


def test_no_mesh_is_like_nothing() -> None:
    empty = of_mesh(np.empty((0, 3, 3)))
    assert empty.mesh == ""
    assert mesh_likeness(empty, empty) == 0


def test_every_pair_is_compared_as_one_by_one() -> None:
    """Entries of two sketches that are equal, counted eight at a time and one at a time."""
    rng = np.random.default_rng(4)
    sketches = rng.integers(0, 3, (5, 128), dtype=np.uint32).astype("<u4")
    sketches[3] = sketches[1]
    texts = [base64.b64encode(one.tobytes()).decode() for one in sketches]
    same = tiny_fingerprint("one")
    prints = [replace(same, mesh=text, scaled_mesh=texts[0]) for text in texts]
    prints[0] = replace(prints[0], scaled_mesh=texts[2])
    likeness = Likeness(prints)
    for first, end in ((0, 2), (1, 4)):
        found = likeness.mesh(first, end)
        for i, j in np.ndindex(found.shape):
            one, other = prints[first + i], prints[first + j]
            pairs = (one.mesh, other.mesh), (one.scaled_mesh, other.scaled_mesh)
            decoded = [[np.frombuffer(base64.b64decode(t), "<u4") for t in pair] for pair in pairs]
            assert found[i, j] == max(float((a == b).mean()) for a, b in decoded)


# Pictures.


def test_edges_are_blind_to_colour_and_colours_to_place() -> None:
    bright = picture(1)
    recoloured = bright.copy()
    recoloured[..., :3] = bright[..., :3] // 2 + 60
    turned = np.ascontiguousarray(bright[::-1, ::-1])
    corners = triangles(1)
    likeness = Likeness([fingerprint(corners, 3.0, one) for one in (bright, recoloured, turned)])
    assert likeness.structure(0, 1)[0, 1] > SAME_PICTURE_RECOLOURED
    assert likeness.colours(0, 1)[0, 1] < SAME_COLOURS
    assert likeness.structure(0, 1)[0, 2] < ALTERED_PICTURE
    assert likeness.colours(0, 1)[0, 2] == pytest.approx(1, abs=1e-3)


def test_a_picture_without_anything_is_like_nothing() -> None:
    empty = fingerprint(triangles(1), 3.0, np.zeros((256, 256, 4), np.uint8))
    other = of_mesh(triangles(1))
    assert Likeness([empty, other]).structure(0, 1)[0, 1] == 0
    assert Likeness([empty, other]).colours(0, 1)[0, 1] == 0


# Groups.


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def row(path: str, mark: Fingerprint, sha256: str = "") -> CatalogRow:
    sha256 = sha256 or sha256_of(path)
    model = replace(tiny_described(path), fingerprint=mark)
    return CatalogRow(path, sha256, "a", "ok", model=model, picture="p.png")


def test_groups_hold_what_is_linked_through_others_and_say_why() -> None:
    a, b = tiny_fingerprint("a"), tiny_fingerprint("b")
    bridge = replace(a, structure=b.structure, colours=b.colours)  # a's mesh, b's picture
    lonely = tiny_fingerprint("lonely")
    rows = with_groups([row("1", b), row("2", lonely), row("3", a), row("4", bridge)])
    assert [one.group for one in rows] == [0, None, 0, 0]
    assert [[(link.path, link.why) for link in one.alike] for one in rows] == [
        [("4", "same-picture")],
        [],
        [("4", "same-mesh")],
        [("3", "same-mesh"), ("1", "same-picture")],  # the likest first
    ]
    assert rows[2].alike[0].mesh == 1


def test_copies_are_named_as_such_and_refused_models_are_in_no_group() -> None:
    a = tiny_fingerprint("a")
    refused = CatalogRow("0", "f" * 64, "", "refused", code="no-head-bone")
    rows = with_groups([refused, row("1", a, "e" * 64), row("2", a, "e" * 64)])
    assert [one.group for one in rows] == [None, 0, 0]
    assert rows[1].alike[0].why == "same-bytes"
    assert with_groups([refused]) == (refused,)
    assert with_groups([]) == ()


def test_a_group_is_stood_for_by_the_accepted_the_surest_pmx_the_finest_the_first() -> None:
    base = row("m", tiny_fingerprint("m"))

    def made(
        path: str, vertices: int, confidence: float, *, ok: bool = True, format: str = "pmx"
    ) -> CatalogRow:
        model = base.described()
        return replace(
            base,
            path=path,
            sha256=path * 64,
            status="ok" if ok else "doubtful",
            model=replace(
                model,
                format=format,
                counts=replace(model.counts, vertices=vertices),
                annotation=tiny_annotation(confidence={"chin": confidence}),
            ),
        )

    rows = [
        made("a", 90, 0.99, ok=False),
        made("b", 10, 0.9),
        made("c", 20, 0.9),
        made("d", 20, 0.9),
        made("e", 99, 0.8),
        made("A", 99, 0.9, format="pmd"),
    ]
    kept = [
        representatives({0: rows[first:]}, frozenset(accepted))[0].path
        for first, accepted in ((0, ""), (0, ["e" * 64]), (3, ""), (4, ""))
    ]
    assert kept == ["c", "e", "d", "A"]
    assert representatives({0: rows[:1], 1: []}, frozenset())[0].path == "a"


# Whole models.


def _scanned_groups(models: Path, out: Path) -> list[set[str]]:
    scanner, log = partial(open_scanner, "auto"), LogProgress(io.StringIO(), "models")
    catalog = scan(models, out, Crew(1, 120), scanner, log)
    return sorted(({row.path for row in rows} for rows in catalog.groups().values()), key=min)


def test_one_character_in_two_formats_is_found_among_others(tmp_path: Path) -> None:
    models = tmp_path / "models"
    for seed in range(3):
        write_character(models / f"{seed}", seed=seed)
    write_character(models / "pmd", seed=1, format="pmd")
    found = _scanned_groups(models, tmp_path / "catalog.jsonl")
    one = {next((models / name).glob("*.pm?")) for name in ("1", "pmd")}
    assert found == [{path.relative_to(models).as_posix() for path in one}]


def test_real_near_duplicates_are_found(real_models: Path, tmp_path: Path) -> None:
    found = _scanned_groups(real_models, tmp_path / "catalog.jsonl")
    names = [{Path(path).stem.casefold() for path in group} for group in found]
    assert {"gene_light"} in names  # PMX and PMD of one mesh
    assert {"mei_blue_jacket", "mei_winter_blazer"} in names  # one girl, two outfits
    assert {"sample1", "sample3"} in names
    # No girl is taken for another: what else looks alike is one character's.
    known = [{"gene_light"}, {"mei_blue_jacket", "mei_winter_blazer"}, {"sample1", "sample3"}]
    for group in (group for group in names if group not in known):
        assert all("miku" in name or "ミク" in name for name in group), group


def test_groups_do_not_depend_on_how_many_are_compared_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = ["a", "b", "a", "c", "d", "b", "a", "e"]
    rows = [
        CatalogRow(f"s/{n}.pmx", sha256_of(str(n)), "s", "ok", model=tiny_described(name))
        for n, name in enumerate(names)
    ]
    grouped = []
    for pairs in (1, 11, 1 << 20):
        monkeypatch.setattr(duplicates, "_PAIRS_AT_ONCE", pairs)
        grouped.append(with_groups(rows))
    assert grouped[0] == grouped[1] == grouped[2]
    assert [row.group for row in grouped[0]] == [0, 1, 0, None, None, 1, 0, None]
