"""What a page says over a WebSocket, right and wrong: never another error than our own.

``messages`` and ``say`` serve longer campaigns as well.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from animate.pose.poser import Poser
from animate.serve import microphone, played_sound
from animate.serve.camera import MAX_JPEG_BYTES, decode_jpeg
from animate.serve.live import Live
from animate.serve.recording import order_of
from animate.serve.show import Show
from animate.serve.wire import LeftError, next_message, tell_fault
from contract.errors import InputError, OpenthaError
from tests.support.shifting import Shifting, drawing

Event = MutableMapping[str, Any]

GOOD = (
    '{"shown": true}',
    '{"pose": {"head_x": 0.5, "mouth": 1}, "held": ["mouth"]}',
    '{"motion": "nod"}',
    '{"motion": null, "kind": "webm", "seconds": 4, "fps": 25}',
    '{"calibrate": true, "mirrored": false, "landmarks": true}',
    '{"rate": 48000}',
    '{"name": "a.wav", "bytes": 1000}',
    '{"at": 1.5, "playing": true}',
)
VALUES = (
    "null", "true", "0", "-1", "1e999", "NaN", "-Infinity", "9" * 400, "1e308", '""', '"\\ud800"',
    '"\\u0000"', "[]", "{}", "[[[[]]]]", '{"head_x": "up"}', '"' + "x" * 200 + '"', "[null, 1]",
    "\ud800", "\N{ZERO WIDTH JOINER}", "[" * 2000, '{"a":' * 600,
)  # fmt: skip


def messages(rng: np.random.Generator) -> Iterator[Event]:
    """ASGI events without end: good messages with values put in, bytes changed, cut or doubled."""
    while True:
        text = GOOD[rng.integers(len(GOOD))]
        for _ in range(rng.integers(4)):
            text = _changed(text, rng)
        kind = rng.random()
        if kind < 0.8:
            yield {"type": "websocket.receive", "text": text}
        elif kind < 0.95:
            size = int(rng.choice([0, 1, 2, 100, MAX_JPEG_BYTES, MAX_JPEG_BYTES + 1]))
            yield {
                "type": "websocket.receive",
                "bytes": text.encode("utf-8", "replace") + bytes(size),
            }
        else:
            yield {"type": "websocket.receive", "text": None, "bytes": None}


def _changed(text: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(len(text) + 1))
    value = VALUES[rng.integers(len(VALUES))]
    match rng.integers(5):
        case 0:  # another value behind a colon
            colon = text.find(":", at)
            end = text.find(",", colon)
            return text if colon < 0 else text[: colon + 1] + value + text[end if end > 0 else -1 :]
        case 1:
            return text[:at] + value + text[at:]
        case 2:
            return text[:at]
        case 3:
            return text[:at] + chr(rng.integers(1, 0x3000)) + text[at + 1 :]
        case _:
            return text + text[at:]


class _Page:
    """Says one thing; what it is told must be words that can be sent."""

    def __init__(self, event: Event) -> None:
        self._event = event

    async def receive(self) -> Event:
        return self._event

    async def send_text(self, data: str) -> None:
        data.encode()
        assert isinstance(json.loads(data), dict)

    async def send_bytes(self, data: bytes) -> None:
        raise AssertionError


def _taken_live(message: Mapping[str, object]) -> None:
    with ThreadPoolExecutor(1) as drawer:
        Live(_Page({}), Show(Poser(Shifting(), drawing()), drawer))._take(message)


TAKERS: tuple[Callable[[Mapping[str, object]], object], ...] = (
    _taken_live,
    order_of,
    microphone._rate,
    played_sound._offer,
    played_sound._place,
)
"""All that becomes of a message; each may say that it is wrong."""


def say(event: Event) -> int:
    """Let everything that hears a page take this; how many took it without complaint."""
    page, taken = _Page(event), 0

    async def run() -> Mapping[str, object] | bytes | None:
        try:
            return await next_message(page, MAX_JPEG_BYTES)
        except InputError as error:
            await tell_fault(page, error)
            return None

    message = asyncio.run(run())
    if isinstance(message, bytes):
        with pytest.raises(InputError):
            decode_jpeg(message)
    elif message is not None:
        for take in TAKERS:
            try:
                take(message)
                taken += 1
            except OpenthaError as error:
                asyncio.run(tell_fault(page, error))
    return taken


def test_good_messages_are_taken() -> None:
    for text in GOOD:
        assert say({"type": "websocket.receive", "text": text}) > 0


@pytest.mark.parametrize("seed", range(4))
def test_thousands_of_wrong_messages_do_no_harm(seed: int) -> None:
    events = messages(np.random.default_rng(seed))
    taken = [say(next(events)) for _ in range(800)]
    assert 0 < sum(one > 0 for one in taken) < 800


def test_a_page_that_has_left_says_nothing() -> None:
    with pytest.raises(LeftError):
        asyncio.run(next_message(_Page({"type": "websocket.disconnect", "code": 1006})))


def test_more_bytes_than_are_awaited_are_no_message() -> None:
    data = {"type": "websocket.receive", "bytes": bytes(11)}
    assert asyncio.run(next_message(_Page(data), 11)) == bytes(11)
    with pytest.raises(InputError, match="no message"):
        asyncio.run(next_message(_Page(data), 10))
