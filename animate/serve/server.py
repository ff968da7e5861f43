"""The local page on which a drawing is posed: sliders, motions, recordings.

Nothing is fetched from elsewhere. Who comes from another page, or by another name than this
machine's when it is bound to loopback, is turned away.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import tempfile
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect

from animate.drawing.check import check, fix
from animate.drawing.drawing import MAX_BYTES, Drawing, clean, decode_drawing, resized
from animate.drawing.output import write_animation
from animate.motion.motion import built_in
from animate.pose.open_poser import drawn_size
from animate.pose.poser import Networks, Poser
from animate.serve.live import MOTION_NAMES, Live
from contract.errors import InputError
from contract.image import Stored
from contract.png import png_bytes
from contract.pose import AXES, Pose, pose_from_mapping
from web.guard import Asgi, OwnPageOnly
from web.shell import body_of, new_app

Made = TypeVar("Made")

PAGE = Path(__file__).with_name("page")
MAX_SESSIONS = 8
MAX_SECONDS = 60.0
RECORDINGS = {"webm": "video/webm", "gif": "image/gif", "webp": "image/webp", "mp4": "video/mp4"}


@dataclass(frozen=True)
class Session:
    """One uploaded drawing and what poses it."""

    drawing: Drawing
    poser: Poser


class Sessions:
    """The drawings that were uploaded last, and the one thread in which all is drawn."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        # Networks are not to be run by two threads at once.
        self.drawer = ThreadPoolExecutor(1)
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def open(self, drawing: Drawing) -> str:
        """The token of a new session; the oldest one makes room."""
        size = self.size_of(drawing)
        token = secrets.token_urlsafe(16)
        picture = clean(resized(drawing.picture, size, size))
        self._sessions[token] = Session(drawing, Poser(self._networks, picture))
        while len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return token

    def size_of(self, drawing: Drawing) -> int:
        """Pixels a side at which a drawing is posed."""
        return drawn_size(max(drawing.picture.shape[:2]), self._networks)

    def session(self, token: str) -> Session:
        """The session of a token; ``InputError`` when there is none (any more)."""
        if token not in self._sessions:
            raise InputError("this drawing is not open any more; drop it on the page again")
        return self._sessions[token]

    async def run(self, work: Callable[[], Made]) -> Made:
        """What ``work`` makes, in the thread that draws."""
        return await asyncio.get_running_loop().run_in_executor(self.drawer, work)


def make_app(networks: Networks, first: Drawing | None, host: str) -> Asgi:
    """The application for pages of ``host``; ``first`` is open when the page is."""
    sessions = Sessions(networks)
    app = new_app(PAGE, lambda: sessions.drawer.shutdown(wait=False, cancel_futures=True))
    _serve_axes(app)
    _serve_drawings(app, sessions, first)
    _serve_pictures(app, sessions)
    _serve_live(app, sessions)
    return OwnPageOnly(app, host)


def _serve_axes(app: FastAPI) -> None:
    @app.get("/api/axes")
    async def axes() -> object:
        return {"axes": [asdict(axis) for axis in AXES], "motions": MOTION_NAMES}


def _serve_drawings(app: FastAPI, sessions: Sessions, first: Drawing | None) -> None:
    def opened(drawing: Drawing) -> dict[str, object]:
        report = check(drawing)
        height, width = drawing.picture.shape[:2]
        usable = width == height and not any(fault.code == "opaque" for fault in report.faults)
        preview = base64.b64encode(png_bytes(_preview(drawing.picture))).decode()
        return {
            "name": drawing.name,
            "faults": [asdict(fault) for fault in report.faults],
            "notes": report.notes,
            "fixable": any(fault.fixable for fault in report.faults),
            "preview": f"data:image/png;base64,{preview}",
            "token": sessions.open(drawing) if usable else None,
        }

    @app.get("/api/first")
    def the_first() -> object:
        return opened(first) if first else {}

    @app.post("/api/drawing")
    async def upload(request: Request, name: str = "drawing", mend: bool = False) -> object:
        too_long = f"the upload is over {MAX_BYTES >> 20} MiB; scale the drawing down"
        data = await body_of(request, MAX_BYTES, too_long)
        shown = Path(name).name[:80] or "drawing"

        def work() -> dict[str, object]:
            drawing = decode_drawing(data, shown)
            return opened(fix(drawing, sessions.size_of(drawing)) if mend else drawing)

        return await sessions.run(work)


def _preview(picture: Stored) -> Stored:
    height, width = picture.shape[:2]
    scale = min(1.0, 256 / max(height, width))
    return resized(picture, max(1, round(width * scale)), max(1, round(height * scale)))


def _serve_pictures(app: FastAPI, sessions: Sessions) -> None:
    def pose_of(request: Request) -> Pose:
        names = {axis.name for axis in AXES}
        try:
            given = {k: float(v) for k, v in request.query_params.items() if k in names}
        except ValueError as error:
            raise InputError(f"pose: {error}") from error
        return pose_from_mapping(given)

    @app.get("/api/still/{token}")
    async def still(token: str, request: Request) -> Response:
        session, pose = sessions.session(token), pose_of(request)
        data = await sessions.run(lambda: png_bytes(session.poser.draw(pose)))
        return Response(data, media_type="image/png", headers=_named("still.png"))

    @app.get("/api/recording/{token}")
    async def recording(
        token: str,
        motion: str = "idle",
        kind: str = "webm",
        seconds: float = 4.0,
        fps: float = 25.0,
    ) -> Response:
        if kind not in RECORDINGS:
            raise InputError(f"kind {kind:.20}: unknown; choose {', '.join(RECORDINGS)}")
        if not 0 < seconds <= MAX_SECONDS or not 1 <= fps <= 60:
            raise InputError(
                f"a recording takes up to {MAX_SECONDS:g} s at 1 to 60 frames a second"
            )
        session, played = sessions.session(token), built_in(motion, seconds, fps)

        def work() -> bytes:
            def frames(wanted: range) -> Iterator[Stored]:
                return (session.poser.draw(played.pose(frame)) for frame in wanted)

            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"recording.{kind}"
                write_animation(path, frames, len(played.poses), fps)
                return path.read_bytes()

        data = await sessions.run(work)
        stamp = time.strftime("%H%M%S")
        return Response(
            data, media_type=RECORDINGS[kind], headers=_named(f"{motion}-{stamp}.{kind}")
        )


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _serve_live(app: FastAPI, sessions: Sessions) -> None:
    @app.websocket("/api/live/{token}")
    async def live(socket: WebSocket, token: str) -> None:
        await socket.accept()
        try:
            session = sessions.session(token)
        except InputError as error:
            await socket.send_json({"fault": str(error)})
            await socket.close(1008)
            return
        try:
            await Live(socket, session.poser, sessions.drawer).run()
        except (WebSocketDisconnect, RuntimeError):
            return  # the viewer left, perhaps while a picture was on its way
