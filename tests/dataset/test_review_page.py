"""The review's page in a real browser, on generated characters."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from characters.files.generate import write_character
from contract.progress import LogProgress
from dataset.catalog.catalog import CatalogRow, judged_row, load_catalog, save_catalog
from dataset.catalog.corrections import Correction, load_corrections, overrides_of
from dataset.drawing.rendering import open_scanner
from dataset.jobs.pool import Crew
from dataset.review.painter import Painter, open_tools
from dataset.review.review import Review
from dataset.review.server import make_app
from dataset.scan.scan import scan
from tests.support.in_browser import chromium, needs_browser, opened, serving
from tests.support.tiny_renderer import without

pytestmark = needs_browser


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue of three generated characters; the last one's chin was doubted."""
    folder = tmp_path_factory.mktemp("scanned")
    models, path = folder / "models", folder / "catalog.jsonl"
    for seed in range(3):
        write_character(models / f"franchise_{seed}" / f"m{seed}", seed=seed)
    log = LogProgress(io.StringIO(), "models")
    catalog = scan(models, path, Crew(1, 120), partial(open_scanner, "auto"), log)
    last = catalog.rows[-1]
    doubted = replace(last.described().annotation, doubtful=("chin",))
    row = replace(last, status="doubtful", model=replace(last.described(), annotation=doubted))
    save_catalog(path, replace(catalog, rows=(*catalog.rows[:-1], row)))
    return path


@pytest.fixture(scope="module")
def painter() -> Iterator[Painter]:
    opened_painter = Painter(partial(open_tools, "auto"))
    yield opened_painter
    opened_painter.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened_browser:
        yield opened_browser


@pytest.fixture
def catalog(scanned: Path) -> Iterator[Path]:
    """The catalogue, with nothing said of it yet."""
    yield scanned
    overrides_of(scanned).unlink(missing_ok=True)


@pytest.fixture
def page(browser: Browser, catalog: Path, painter: Painter) -> Iterator[Page]:
    app = make_app(Review(catalog, painter), painter, "127.0.0.1")
    with serving(app) as url, opened(browser, url) as page:
        yield page


def said(catalog: Path) -> dict[str, Correction]:
    return load_corrections(overrides_of(catalog))


def decisions(catalog: Path) -> dict[str, str | None]:
    return {sha256: one.decision for sha256, one in said(catalog).items()}


def in_order(catalog: Path) -> list[CatalogRow]:
    """As the page shows them: the doubtful one first."""
    rows = load_catalog(catalog).rows
    return [rows[-1], *rows[:-1]]


def loaded(page: Page, selector: str) -> None:
    page.wait_for_function(
        "s => { const i = document.querySelector(s); return i?.complete && i.naturalWidth > 0; }",
        arg=selector,
        timeout=60_000,
    )


def test_a_line_is_dragged(page: Page, catalog: Path) -> None:
    doubtful = in_order(catalog)[0]
    assert page.inner_text(".card .status") == "doubtful"
    assert page.get_attribute(".card", "data-sha256") == doubtful.sha256
    loaded(page, ".card .head img")
    # Drag the line of the skull top up by a tenth of the picture: a fifth of the head.
    box = page.locator(".card .head").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + 0.25 * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 0.1 * box["height"], steps=4)
    assert "+20" in page.inner_text(".card .cut span")
    # The picture is framed by the line meanwhile: the head, higher by a fifth, fills the same half.
    framed = page.locator(".card .head img").first.bounding_box()
    assert framed is not None
    assert framed["height"] == pytest.approx(box["height"] / 1.2, rel=0.02)
    assert framed["y"] + 0.75 * framed["height"] == pytest.approx(
        box["y"] + 0.75 * box["height"], abs=3
    )
    with page.expect_response("**/correction"):
        page.mouse.up()
    found = doubtful.described().annotation.head_box
    height = found.skull_top_y - found.chin_y
    kept = said(catalog)[doubtful.sha256].head_box
    assert kept is not None
    assert kept.skull_top_y == pytest.approx(found.skull_top_y + 0.2 * height, abs=0.02 * height)
    assert kept.chin_y == found.chin_y
    # The box of the head is a person's word now, so nothing about it is doubted any more.
    page.wait_for_function("() => document.querySelector('.card .status').textContent === 'ok'")


def test_the_middle_is_dragged(page: Page, catalog: Path) -> None:
    row = in_order(catalog)[0]
    loaded(page, ".card .head img")
    box = page.locator(".card .head").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 0.05 * box["width"], y, steps=2)
    framed = page.locator(".card .head img").first.bounding_box()
    assert framed is not None
    assert framed["x"] == pytest.approx(box["x"] - 0.05 * box["width"], abs=2)
    with page.expect_response("**/correction"):
        page.mouse.up()
    found = row.described().annotation.head_box
    height = found.skull_top_y - found.chin_y
    kept = said(catalog)[row.sha256].head_box
    assert kept is not None
    assert kept.centre_x == pytest.approx(found.centre_x + 0.1 * height, abs=0.02 * height)
    assert (kept.chin_y, kept.skull_top_y) == (found.chin_y, found.skull_top_y)


@pytest.fixture
def mouthless(catalog: Path) -> Iterator[Path]:
    """The catalogue with its first model refused: no morph was found for the mouth."""
    whole = load_catalog(catalog)
    first = judged_row(whole.rows[0], without(whole.rows[0].described(), "mouth"))
    path = catalog.with_name("mouthless.jsonl")
    save_catalog(path, replace(whole, rows=(first,)))
    yield path
    path.unlink()


def test_a_refused_model_is_given_its_morph(
    browser: Browser, mouthless: Path, painter: Painter
) -> None:
    row = load_catalog(mouthless).rows[0]
    app = make_app(Review(mouthless, painter), painter, "127.0.0.1")
    with serving(app) as url, opened(browser, url) as page:
        assert page.inner_text(".card .status") == "refused"
        assert page.inner_text(".card .missing").endswith("choose a morph that opens the mouth")
        loaded(page, ".card .head img")
        page.click(".card .small.lacking")
        page.wait_for_selector("#morph-list [data-morph='3']")
        assert page.locator("#morph-list .chosen").count() == 0
        with page.expect_response("**/correction"):
            page.click("#morph-list [data-morph='3']")
        page.wait_for_function("() => document.querySelector('.card .status').textContent === 'ok'")
        assert page.locator(".card .missing").count() == 0
    assert [drive.morph for drive in said(mouthless)[row.sha256].drives["mouth"]] == [3]


def test_another_morph_is_chosen(page: Page, catalog: Path) -> None:
    loaded(page, ".card .small[data-view=mouth] img")
    before = page.get_attribute(".card .small[data-view=mouth] img", "src")
    page.click(".card .small[data-view=mouth]")
    page.wait_for_selector("#morph-list [data-morph='3']")
    chosen = page.get_attribute("#morph-list .small", "class")
    assert chosen is not None
    assert "chosen" in chosen  # the one in use comes first
    with page.expect_response("**/correction"):
        page.click("#morph-list [data-morph='3']")
    page.wait_for_function(
        "b => ![null, b].includes(document.querySelector('.card .small[data-view=mouth] img').src)",
        arg=before,
    )
    kept = said(catalog)[in_order(catalog)[0].sha256].drives
    assert [drive.morph for drive in kept["mouth"]] == [3]


def test_keys_accept_and_reject(page: Page, catalog: Path) -> None:
    first, second = (row.sha256 for row in in_order(catalog)[:2])
    with page.expect_response("**/correction"):
        page.keyboard.press("a")
    page.wait_for_function("() => document.querySelectorAll('.card')[1].matches('.current')")
    with page.expect_response("**/correction"):
        page.keyboard.press("r")
    assert decisions(catalog) == {first: "accept", second: "reject"}
    # All of it is still there after loading the page again.
    page.reload()
    page.wait_for_selector("body[data-ready]")
    pressed = page.eval_on_selector_all(
        ".card [aria-pressed=true]", "all => all.map(e => e.textContent)"
    )
    assert pressed == ["accept", "reject"]


def pressed_are(page: Page, count: int) -> None:
    page.wait_for_function(
        "n => document.querySelectorAll('[aria-pressed=true]').length === n", arg=count
    )


def test_quick_keys_are_a_model_each_and_undo_takes_back_the_last(
    page: Page, catalog: Path
) -> None:
    first, second, third = (row.sha256 for row in in_order(catalog))
    for key in "aar":  # with no waiting between
        page.keyboard.press(key)
    pressed_are(page, 3)
    assert decisions(catalog) == {first: "accept", second: "accept", third: "reject"}
    page.keyboard.press("u")
    pressed_are(page, 2)
    assert decisions(catalog) == {first: "accept", second: "accept"}
    page.keyboard.press("u")
    pressed_are(page, 1)
    assert decisions(catalog) == {first: "accept"}
    page.click(".card >> text=forget")
    pressed_are(page, 0)
    assert decisions(catalog) == {}


def test_undo_takes_its_turn_and_then_there_is_nothing_more(page: Page, catalog: Path) -> None:
    first = in_order(catalog)[0].sha256
    page.keyboard.press("a")
    page.keyboard.press("u")  # before the answer to the first
    page.keyboard.press("u")
    page.wait_for_function("() => document.querySelector('#fault').textContent.includes('nothing')")
    pressed_are(page, 0)
    assert said(catalog) == {}
    page.keyboard.press("a")
    pressed_are(page, 1)
    assert decisions(catalog) == {first: "accept"}


def test_what_another_page_said_meanwhile_stays(
    page: Page, catalog: Path, painter: Painter
) -> None:
    row = in_order(catalog)[0]
    box = row.described().annotation.head_box
    higher = replace(box, skull_top_y=box.skull_top_y + 0.1)
    Review(catalog, painter).correct(row.sha256, {"head_box": asdict(higher)}, adding=True)
    page.keyboard.press("a")
    pressed_are(page, 1)
    kept = said(catalog)[row.sha256]
    assert (kept.decision, kept.head_box) == ("accept", higher)


def test_names_are_text_and_models_are_found_by_them(
    page: Page, catalog: Path, painter: Painter
) -> None:
    row = load_catalog(catalog).rows[0]
    summary = Review(catalog, painter).summary(row.sha256)
    summary["name"] = "<img src=x onerror=document.title='bad'>"
    page.route(
        "**/api/models?*",
        lambda route: route.fulfill(
            json={
                "models": [summary],
                "count": 1,
                "pages": 1,
                "sources": ["a"],
                "axes": [],
            }
        ),
    )
    page.reload()
    page.wait_for_selector("body[data-ready]")
    assert page.inner_text(".card b").startswith("<img")
    assert page.locator(".card b img").count() == 0
    assert page.title() == "opentha: review models"
    page.unroute("**/api/models?*")
    page.fill("#search", "franchise_1")
    page.press("#search", "Enter")
    page.wait_for_function(
        "() => document.querySelector('.card .path')?.textContent.includes('franchise_1')"
    )
    assert page.locator(".card").count() == 1
