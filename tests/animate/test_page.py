"""The page in a real browser, with networks whose answers are known."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, TimeoutError

from animate.drawing.drawing import decode_drawing
from animate.serve.server import make_app
from contract.pose import AXIS_NAMES
from tests.support.in_browser import (
    assert_refusals_have_remedies,
    chromium,
    needs_browser,
    opened,
    serving,
    wait_until,
)
from tests.support.shifting import Shifting, bytes_of

SIZE = 64
pytestmark = needs_browser


def face() -> Image.Image:
    """A pale ball with two dark eyes in the middle half; a figure to the checks."""
    y, x = np.mgrid[:SIZE, :SIZE]
    picture = np.zeros((SIZE, SIZE, 4), np.uint8)
    picture[(x - 31.5) ** 2 + (y - 31.5) ** 2 < 16**2] = (250, 220, 200, 255)
    for eye in (26, 37):
        picture[29:35, eye - 2 : eye + 2, :3] = 20
    return Image.fromarray(picture, "RGBA")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened_browser:
        yield opened_browser


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    first = decode_drawing(bytes_of(face()), "face.png")
    app = make_app(Shifting(SIZE), first, "127.0.0.1", tmp_path)
    with serving(app) as url, opened(browser, url) as page:
        yield page


WIDTH = "document.getElementById('canvas').width"
MIDDLE = """() => {
  const c = document.getElementById('canvas');
  const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
  let sum = 0, n = 0;
  for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 127) { sum += (i / 4) % c.width; n++; }
  return n ? sum / n : -1;
}"""


def slide(page: Page, axis: str, value: float) -> None:
    page.eval_on_selector(
        f"#axis-{axis}",
        "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', {bubbles: true})); }",
        value,
    )


def test_a_slider_moves_the_picture_the_right_way(page: Page) -> None:
    small = "all => all.map(e => e.textContent)"
    names = page.eval_on_selector_all("#sliders .axis span small", small)
    assert tuple(names) == AXIS_NAMES
    wait_until(page, f"() => Math.abs(({MIDDLE})() - 31.5) < 0.1")
    assert not page.is_visible("#hint")
    slide(page, "head_y", 1)
    wait_until(page, f"() => Math.abs(({MIDDLE})() - 27.5) < 0.1")  # to the viewer's left
    slide(page, "head_y", -1)
    wait_until(page, f"() => Math.abs(({MIDDLE})() - 35.5) < 0.1")
    page.dblclick("#axis-head_y")
    wait_until(page, f"() => Math.abs(({MIDDLE})() - 31.5) < 0.1")
    # At rest there are no pictures a second to be told.
    wait_until(page, "() => document.getElementById('rate').textContent.endsWith('ms a picture')")


def test_dragging_and_keys_turn_the_head(page: Page) -> None:
    wait_until(page, f"() => ({MIDDLE})() > 0")
    box = page.locator("#view").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.up()
    wait_until(page, f"() => Math.abs(({MIDDLE})() - 27.5) < 0.1")
    page.keyboard.press("0")
    wait_until(page, f"() => Math.abs(({MIDDLE})() - 31.5) < 0.1")


@pytest.mark.parametrize(
    ("key", "axes", "value"),
    [
        ("ArrowLeft", ("head_y",), 0.1),
        ("ArrowRight", ("head_y",), -0.1),
        ("ArrowUp", ("head_x",), 0.1),
        ("ArrowDown", ("head_x",), -0.1),
        ("q", ("neck_z",), 0.1),
        ("e", ("neck_z",), -0.1),
        (" ", ("left_eye", "right_eye"), 1),
        ("m", ("mouth",), 1),
    ],
)
def test_a_key_moves_its_axes_alone(
    page: Page, key: str, axes: tuple[str, ...], value: float
) -> None:
    page.keyboard.press(key)
    for axis in AXIS_NAMES:
        expected = value if axis in axes else 0
        assert float(page.input_value(f"#axis-{axis}")) == pytest.approx(expected)
        assert page.inner_text(f".axis:has(#axis-{axis}) output") == f"{expected:.2f}"


def test_motions_run_but_for_what_is_held(page: Page) -> None:
    page.click("[data-motion=shake]")
    wait_until(page, f"() => ({MIDDLE})() < 30")
    wait_until(page, f"() => ({MIDDLE})() > 33")
    assert re.fullmatch(r"\d+ ms a picture, \d+ a second", page.inner_text("#rate"))
    slide(page, "head_y", 0)
    wait_until(page, f"() => Math.abs(({MIDDLE})() - 31.5) < 0.1")
    assert page.get_attribute("#hold-head_y", "aria-pressed") == "true"
    assert "turn held" in page.inner_text("#driven")
    page.click("#release")
    wait_until(page, f"() => ({MIDDLE})() > 33")
    page.click("[data-motion=shake]")
    wait_until(page, "() => document.getElementById('driven').hidden")
    assert page.get_attribute("[data-motion=shake]", "aria-pressed") == "false"


def test_nearly_nothing_is_shown_as_nothing(page: Page) -> None:
    shown = page.evaluate(
        """async () => {
          const { setPose } = await import("/page/pose.js");
          return [-0.004, -0.006, 0.004].map((value) => {
            setPose({ head_y: value });
            return document.querySelector(".axis:has(#axis-head_y) output").textContent;
          });
        }"""
    )
    assert shown == ["0.00", "-0.01", "0.00"]


def drop(page: Page, name: str, data: bytes) -> None:
    page.evaluate(
        """([name, bytes]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], name));
          const event = new DragEvent('drop', {dataTransfer: transfer, bubbles: true});
          document.getElementById('sliders').dispatchEvent(event);  // anywhere on the page
        }""",
        [name, list(data)],
    )


def test_what_is_dropped_is_checked_and_mended(page: Page) -> None:
    drop(page, "notes.png", b"no picture at all")
    wait_until(page, "() => document.getElementById('fault').textContent.includes('is no picture')")
    small = Image.new("RGBA", (200, 160))
    small.paste(face(), (10, 20))
    drop(page, "<img src=x onerror=alert(1)>.png", bytes_of(small))
    wait_until(page, "() => document.getElementById('faults').textContent.includes('be square')")
    assert page.locator("#name img").count() == 0
    page.click("#mend")
    wait_until(page, "() => document.getElementById('name').textContent.startsWith('<img')")
    wait_until(page, "() => document.getElementById('canvas').width >= 200")
    page.click("#undo")
    wait_until(page, "() => document.getElementById('faults').textContent.includes('be square')")
    wait_until(page, f"() => {WIDTH} === 64")  # what was open before
    assert not page.is_visible("#mended")
    wait_until(page, "() => document.querySelectorAll('#last img').length === 1")


def test_a_page_without_a_drawing_says_how_to_open_one(browser: Browser, tmp_path: Path) -> None:
    app = make_app(Shifting(SIZE), None, "127.0.0.1", tmp_path)
    with serving(app) as url, opened(browser, url) as page:
        assert page.is_visible("#gallery button >> nth=0")
        with page.expect_file_chooser():
            page.click("#view")
        wide = Image.new("RGBA", (200, 160))
        wide.paste(face(), (10, 20))
        drop(page, "wide.png", bytes_of(wide))
        wait_until(page, "() => document.getElementById('hint').textContent.includes('mending')")
        page.click("#gallery button >> nth=0")
        wait_until(page, "() => document.getElementById('hint').hidden")
        with pytest.raises(TimeoutError), page.expect_file_chooser(timeout=500):
            page.click("#view")


def test_a_character_and_a_drawing_of_the_last_are_opened_again(page: Page) -> None:
    wait_until(page, f"() => ({MIDDLE})() > 0")
    drop(page, "mine.png", bytes_of(face().resize((96, 96))))
    wait_until(page, f"() => {WIDTH} === 96")
    page.click("#choice summary")
    page.click("#gallery button")
    wait_until(page, f"() => {WIDTH} === 512")
    page.reload()
    page.wait_for_selector("body[data-ready]")
    wait_until(page, f"() => {WIDTH} === 64")
    page.click("#choice summary")
    page.click("#last img[alt='mine.png']")
    wait_until(page, f"() => {WIDTH} === 96")
    page.click("#last .forget")
    wait_until(page, "() => document.querySelectorAll('#last img').length === 0")


def test_the_pad_turns_the_head(page: Page) -> None:
    wait_until(page, f"() => ({MIDDLE})() > 0")
    page.click("#pad", position={"x": 3, "y": 59})
    wait_until(page, f"() => Math.abs(({MIDDLE})() - 27.5) < 0.6")
    assert float(page.input_value("#axis-head_y")) > 0.9


def test_what_moves_it_is_recorded_until_it_is_enough(page: Page) -> None:
    wait_until(page, f"() => ({MIDDLE})() > 0")
    page.click("[data-motion=shake]")
    page.fill("#seconds", "60")
    page.click("#record")
    wait_until(page, "() => document.getElementById('progress-words').textContent[0] === 'w'")
    with page.expect_download(timeout=60_000) as waiting:
        page.click("#enough")
    assert waiting.value.suggested_filename.startswith("live-")
    page.click("#record")
    wait_until(page, "() => document.getElementById('progress-words').textContent[0] === 'w'")
    page.click("#cancel")
    assert not page.is_visible("#recording")
    assert page.is_enabled("#record")


def test_no_camera_is_said_with_its_remedy(page: Page) -> None:
    pytest.importorskip("mediapipe")
    wait_until(page, f"() => ({MIDDLE})() > 0")
    assert_refusals_have_remedies(page, "#camera")


@pytest.mark.parametrize(("width", "height"), [(390, 844), (360, 640)])
def test_it_fits_a_telephone(page: Page, width: int, height: int) -> None:
    def is_in_sight(selector: str) -> bool:
        box = page.locator(selector).bounding_box()
        assert box is not None
        return 0 <= box["y"] <= box["y"] + box["height"] <= height

    page.set_viewport_size({"width": width, "height": height})
    drop(page, f"{'long' * 30}.png", bytes_of(face().resize((96, 96))))
    wait_until(page, f"() => {WIDTH} === 96")
    page.click("#choice summary")
    page.click("[data-motion=sway]")  # what drives is shown, with buttons to hold
    wait_until(page, "() => !document.getElementById('driven').hidden")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    # The picture and what is wrong stay in sight, however far down a person is.
    page.locator("#backgrounds").scroll_into_view_if_needed()
    drop(page, "notes.png", b"no picture at all")
    wait_until(page, "() => !document.getElementById('fault').hidden")
    assert page.evaluate("() => scrollY") > height / 2
    assert is_in_sight("#view")
    assert is_in_sight("#fault")
    page.click("#fault")
    assert not page.is_visible("#fault")


def luminance(colour: str) -> float:
    """Relative, in [0, 1]; colour: as browsers compute it, rgb(r, g, b)."""
    shares = np.array([float(one) for one in re.findall(r"[\d.]+", colour)[:3]]) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_in_light_and_dark(page: Page, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    style = "(e, of) => getComputedStyle(e)[of]"
    ground = luminance(page.eval_on_selector("body", style, "backgroundColor"))
    assert (ground > 0.5) == (scheme == "light")
    for words, behind in (("h1", "body"), (".keys", "fieldset"), ("legend", "body")):
        ink = luminance(page.eval_on_selector(words, style, "color"))
        paper = luminance(page.eval_on_selector(behind, style, "backgroundColor"))
        assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) > 4.4


@pytest.mark.parametrize(("kind", "frames"), [("webm", None), ("gif", 25), ("webp", 25)])
def test_a_recording_is_a_file_that_plays(page: Page, kind: str, frames: int | None) -> None:
    wait_until(page, f"() => ({MIDDLE})() > 0")
    page.select_option("#what", "sway")
    page.select_option("#kind", kind)
    page.fill("#seconds", "1")
    with page.expect_download(timeout=60_000) as waiting:
        page.click("#record")
    path = waiting.value.path()
    data = Path(path).read_bytes()
    assert waiting.value.suggested_filename.startswith("sway-")
    if kind == "webm":
        import av

        with av.open(io.BytesIO(data), "r") as container:
            assert len([*container.decode(video=0)]) == 25
    else:
        with Image.open(io.BytesIO(data)) as image:
            assert 2 <= getattr(image, "n_frames", 1) <= (frames or 0)
            assert image.size == (SIZE, SIZE)


def test_a_still_is_the_picture_of_the_pose(page: Page) -> None:
    wait_until(page, f"() => ({MIDDLE})() > 0")
    slide(page, "head_y", 1)
    with page.expect_download() as waiting:
        page.click("#still")
    with Image.open(waiting.value.path()) as image:
        seen = np.flatnonzero(np.array(image)[..., 3].any(axis=0))
    assert (seen[0] + seen[-1]) / 2 == pytest.approx(27.5, abs=0.6)
