"""The review's page in a real browser, on generated characters."""

from __future__ import annotations

import io
import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from characters.generate import write_character
from contract.web import listening
from dataset.catalog import load_catalog, save_catalog
from dataset.corrections import load_corrections, overrides_of
from dataset.pool import Crew
from dataset.progress import LogProgress
from dataset.rendering import open_scanner
from dataset.review import Desk, make_app
from dataset.review_painter import Painter, open_tools
from dataset.scan import scan

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH")


@dataclass
class Served:
    url: str
    catalog: Path
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    models, path = tmp_path / "models", tmp_path / "catalog.jsonl"
    for seed in range(3):
        write_character(models / f"franchise_{seed}" / f"m{seed}", seed=seed)
    log = LogProgress(io.StringIO(), "models")
    catalog = scan(models, path, Crew(1, 120), partial(open_scanner, "auto"), log)
    # As if the last one's chin had been doubted.
    last = catalog.rows[-1]
    doubted = replace(last.described().annotation, doubtful=("chin",))
    row = replace(last, status="doubtful", model=replace(last.described(), annotation=doubted))
    save_catalog(path, replace(catalog, rows=(*catalog.rows[:-1], row)))
    painter = Painter(partial(open_tools, "auto"))
    listener = listening("127.0.0.1", 0)
    app = make_app(Desk(path, painter), painter, "127.0.0.1")
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", path)
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.on("request", lambda request: served.requests.append(request.url))
    opened.goto(served.url)
    opened.wait_for_selector("body[data-ready]")
    yield opened
    outside = [url for url in served.requests if not url.startswith((served.url, "data:"))]
    assert outside == []
    opened.close()


def loaded(page: Page, selector: str) -> None:
    page.wait_for_function(
        "s => { const i = document.querySelector(s); return i?.complete && i.naturalWidth > 0; }",
        arg=selector,
        timeout=60_000,
    )


def test_a_person_corrects_models(page: Page, served: Served) -> None:
    rows = load_catalog(served.catalog).rows
    doubtful, second = rows[-1], rows[0]
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
    with page.expect_response("**/correction"):
        page.mouse.up()
    found = doubtful.described().annotation.head_box
    height = found.skull_top_y - found.chin_y
    kept = load_corrections(overrides_of(served.catalog))[doubtful.sha256].head_box
    assert kept is not None
    assert kept.skull_top_y == pytest.approx(found.skull_top_y + 0.2 * height, abs=0.02 * height)
    assert kept.chin_y == found.chin_y
    # The box of the head is a person's word now, so nothing about it is doubted any more.
    page.wait_for_function("() => document.querySelector('.card .status').textContent === 'ok'")

    # Another morph for the mouth: its picture changes, and it is kept.
    loaded(page, ".card .small[data-view=mouth] img")
    before = page.get_attribute(".card .small[data-view=mouth] img", "src")
    page.click(".card .small[data-view=mouth]")
    page.wait_for_selector("#morph-list [data-morph='3']")
    with page.expect_response("**/correction"):
        page.click("#morph-list [data-morph='3']")
    page.wait_for_function(
        "b => ![null, b].includes(document.querySelector('.card .small[data-view=mouth] img').src)",
        arg=before,
    )
    kept_drives = load_corrections(overrides_of(served.catalog))[doubtful.sha256].drives
    assert [drive.morph for drive in kept_drives["mouth"]] == [3]

    # Keys: accept this one, go on, reject the next.
    with page.expect_response("**/correction"):
        page.keyboard.press("a")
    page.wait_for_function("() => document.querySelectorAll('.card')[1].matches('.current')")
    with page.expect_response("**/correction"):
        page.keyboard.press("r")
    decisions = {
        sha256: one.decision
        for sha256, one in load_corrections(overrides_of(served.catalog)).items()
    }
    assert decisions == {doubtful.sha256: "accept", second.sha256: "reject"}

    # All of it is still there after loading the page again.
    page.reload()
    page.wait_for_selector("body[data-ready]")
    pressed = page.eval_on_selector_all(
        ".card [aria-pressed=true]", "all => all.map(e => e.textContent)"
    )
    assert pressed == ["accept", "reject"]
    page.keyboard.press("u")
    page.wait_for_function("() => document.querySelectorAll('[aria-pressed=true]').length === 1")
    assert doubtful.sha256 not in load_corrections(overrides_of(served.catalog))


def test_names_are_text_and_models_are_found_by_them(page: Page, served: Served) -> None:
    lines = served.catalog.read_text("utf-8").splitlines()
    row = json.loads(lines[1])
    row["model"]["name"] = "<img src=x onerror=document.title='bad'>"
    served.catalog.write_text("\n".join([lines[0], json.dumps(row), *lines[2:]]) + "\n", "utf-8")
    painter = Painter(partial(open_tools, "auto"))
    desk = Desk(served.catalog, painter)
    summary = desk.summary(row["sha256"])
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
    page.wait_for_function("() => document.querySelectorAll('.card').length === 1")
    assert "franchise_1" in page.inner_text(".card .path")
