"""Our pages in a real Chromium."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from web.guard import Asgi
from web.serving import listening

CHROMIUM = shutil.which("chromium")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH")

_REFUSALS = {
    "NotFoundError": "plug one in",
    "NotAllowedError": "allow it beside the address",
    "NotReadableError": "end the other program",
}
"""What getUserMedia is refused with, and the remedy that the page names."""


@contextmanager
def chromium(*options: str) -> Iterator[Browser]:
    """A browser without a window; options: of its command line."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", *options]
        )
        yield browser
        browser.close()


def fake_devices(
    *, film: Path | None = None, sound: Path | None = None, cameras: int = 1
) -> tuple[str, ...]:
    """Options for a browser with cameras and a microphone that are not there; it asks nobody.

    film: Y4M that the camera shows. sound: WAV that the microphone hears.
    """
    options = [
        f"--use-fake-device-for-media-stream=device-count={cameras}",
        "--use-fake-ui-for-media-stream",
    ]
    if film:
        options.append(f"--use-file-for-fake-video-capture={film}")
    if sound:
        options.append(f"--use-file-for-fake-audio-capture={sound}")
    return tuple(options)


@contextmanager
def serving(app: Asgi) -> Iterator[str]:
    """The address of an app that is served meanwhile on a free port."""
    listener = listening("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


@contextmanager
def opened(browser: Browser, url: str, *permissions: str) -> Iterator[Page]:
    """A page of ours once it is ready; whatever a test does, nothing is asked of other hosts."""
    asked: list[str] = []
    context = browser.new_context(accept_downloads=True, viewport={"width": 1280, "height": 900})
    context.grant_permissions(list(permissions))
    context.set_default_timeout(120_000)  # of a machine that is busy with other things
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    page.wait_for_selector("body[data-ready]")
    yield page
    assert [one for one in asked if not one.startswith((url, "data:", "blob:"))] == []
    context.close()


def wait_until(page: Page, check: str, seconds: float = 120.0) -> None:
    """Until a function of JavaScript gives true."""
    page.wait_for_function(check, timeout=1000 * seconds)


def assert_refusals_have_remedies(page: Page, button: str) -> None:
    """Press a device's button, which browsers refuse to give: the page says why, and is off."""
    for name, remedy in _REFUSALS.items():
        page.evaluate(
            """(name) => { navigator.mediaDevices.getUserMedia =
              () => Promise.reject(new DOMException("no", name)); }""",
            name,
        )
        page.click(button)
        wait_until(page, f"() => document.getElementById('fault').textContent.includes('{remedy}')")
        assert page.get_attribute(button, "aria-pressed") == "false"
