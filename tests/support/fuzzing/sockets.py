"""WebSocket messages of a page: live poses, a camera, an order of a recording.

A file is {"to": which, "events": [{"text": ...} or {"bytes": ...}, ...]}, bytes as Latin-1.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from animate.serve.wire import LeftError
from contract.errors import InputError
from tests.support.fuzzing.mutation import Rng, any_number, anywhere, in_json, pick
from tests.support.fuzzing.target import Seed, Target


def _text(**words: object) -> dict[str, object]:
    return {"text": json.dumps(words)}


def _sockets(_folder: Path) -> list[Seed]:
    from PIL import Image

    jpeg = io.BytesIO()
    shades = np.random.default_rng(5).integers(0, 256, (48, 64, 3), np.uint8)
    Image.fromarray(shades).save(jpeg, "JPEG")
    picture = {"bytes": jpeg.getvalue().decode("latin-1")}
    live = (
        _text(pose={"head_x": 0.5, "mouth": 1}, shown=True),
        _text(held=["head_x", "mouth"], motion="shake"),
        _text(motion=None, held=[]),
        _text(pose={"left_eye": 0.25, "neck_z": -1}, shown=True),
    )
    camera = (_text(mirrored=False), picture, _text(calibrate=True), picture, _text(landmarks=True))
    recordings = (
        _text(motion="shake", kind="gif", seconds=0.1, fps=25.0),
        _text(motion="idle", kind="webp", seconds=0.2, fps=10),
        _text(motion=None, kind="gif", seconds=0.02, fps=10),
    )
    given = [
        ("live", live),
        ("camera", camera),
        *(("recording", (one, _text(enough=True))) for one in recordings),
    ]
    documents = [json.dumps({"to": to, "events": events}) for to, events in given]
    return [Seed(document.encode(), (in_events,)) for document in documents]


def in_events(rng: Rng, data: bytes) -> bytes:
    """A connection with one to three events changed inside, moved, doubled, removed, or made of
    the other kind."""
    document = json.loads(data)
    events: list[dict[str, Any]] = list(document["events"])
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(len(events))) if events else 0
        event = dict(events[at]) if events else {"text": "{}"}
        match int(rng.integers(9)):
            case 0:
                events.insert(int(rng.integers(len(events) + 1)), event)
            case 1:
                del events[at : at + 1]
            case 2:
                events[at : at + 1] = [{"bytes" if "text" in event else "text": _inner(event)}]
            case 3:
                nothing: dict[str, Any] = {"text": None, "bytes": None}
                events.insert(at, pick(rng, ({}, nothing, {"text": "x", "bytes": "x"}, {"end": 1})))
            case 4:
                events[at : at + 1] = [{"text": _inner(event) * int(rng.integers(1, 2000))}]
            case _:
                events[at : at + 1] = [_changed_event(rng, event)]
    return json.dumps({"to": document["to"], "events": events[:40]}).encode()


def _inner(event: Mapping[str, Any]) -> str:
    return str(event.get("text") or event.get("bytes") or "")


def _changed_event(rng: Rng, event: Mapping[str, Any]) -> dict[str, Any]:
    data = _inner(event)
    if "bytes" in event:
        mutate = pick(rng, (anywhere, any_number))
        return {"bytes": mutate(rng, data.encode("latin-1", "replace")).decode("latin-1")}
    try:
        changed = in_json(rng, data.encode("utf-8", "surrogatepass"))
    except ValueError:
        changed = anywhere(rng, data.encode("utf-8", "surrogatepass"))
    return {"text": changed.decode("utf-8", "replace")}


@dataclass
class _Script:
    """A page that says what it was told to say, and leaves; what it was told of."""

    events: list[MutableMapping[str, Any]]
    faults: list[str] = field(default_factory=list)
    lingers: float = 0.0

    async def receive(self) -> MutableMapping[str, Any]:
        await asyncio.sleep(0.0005)  # while others have their turn
        if not self.events or "end" in self.events[0]:
            await asyncio.sleep(self.lingers)
            return {"type": "websocket.disconnect"}
        event = self.events.pop(0)
        data = event.get("bytes")
        raw = data.encode("latin-1", "replace") if isinstance(data, str) else None
        return {"type": "websocket.receive", "text": event.get("text"), "bytes": raw}

    async def send_bytes(self, data: bytes) -> None:
        assert data, "an empty picture"

    async def send_text(self, data: str) -> None:
        said = json.loads(data)
        data.encode()  # a WebSocket carries UTF-8
        if fault := said.get("fault"):
            assert "\n" not in fault, "a fault of several lines"
            self.faults.append(fault)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1)


def _read_events(path: Path) -> None:
    """Hold the connection that the file tells of; the last fault that the page was told of is the
    answer."""
    document = json.loads(path.read_bytes())
    script = _Script(list(document["events"]))
    halves = {"live": _live, "camera": _camera, "recording": _recording}

    async def connection() -> None:
        try:
            await asyncio.wait_for(halves[document["to"]](script), 20)
        except LeftError:
            return

    asyncio.run(connection())
    if script.faults:
        raise InputError(script.faults[-1])


async def _live(script: _Script) -> None:
    from animate.pose.poser import Poser
    from animate.serve.live import Live
    from animate.serve.show import Show
    from tests.support.shifting import Shifting, drawing

    await Live(script, Show(Poser(Shifting(), drawing()), _threads())).run()


async def _camera(script: _Script) -> None:
    from animate.serve.camera import Camera
    from animate.serve.driver import Driver

    driver = Driver()
    try:
        await Camera(script, driver, _Faces(), _threads()).run()
    finally:
        assert np.isfinite(driver.pose(0.0).to_vector()).all(), "a pose that is none"


class _Faces:
    """Sees a face in every picture but dark ones."""

    def find(self, picture: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
        if picture.mean() < 64:
            return None
        return np.random.default_rng(int(picture[0, 0, 0])).random((478, 3))[:, :2] * 64


async def _recording(script: _Script) -> None:
    """The order; and where it is a short one, the recording."""
    from animate.serve.recording import Recording, order_of
    from animate.serve.wire import next_message

    script.lingers = 0.05
    first = script.events[0].get("text") if script.events else None
    try:
        order = order_of(await next_message(_Script([{"text": first}])))  # type: ignore[arg-type]
    except (InputError, LeftError) as error:
        script.faults.append(str(error) or "left")
        return
    if order.seconds * order.fps <= 20 and order.seconds < 1:
        sessions, session, scratch = _sessions()
        await Recording(script, sessions, session, scratch).run()


@cache
def _sessions() -> tuple[Any, Any, Path]:
    import atexit
    import tempfile

    from animate.drawing.drawing import Drawing
    from animate.serve.sessions import Sessions
    from tests.support.shifting import Shifting, drawing

    scratch = tempfile.TemporaryDirectory()
    atexit.register(scratch.cleanup)
    sessions = Sessions(Shifting(), None)
    session = sessions.open(sessions.prepared(Drawing("a drawing", drawing(), True, ())))
    return sessions, session, Path(scratch.name)


TARGETS: Mapping[str, Target] = {
    "websockets": Target("events.json", _sockets, _read_events, share=1.5),
}
