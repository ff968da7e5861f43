"""The local page on which a drawing is posed live, and what it asks for.

Nothing is fetched from elsewhere. Who comes from another page, or by another name than this
machine's when it is bound to loopback, is turned away.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse

from animate.drawing.check import Report, check, fix
from animate.drawing.drawing import MAX_BYTES, Drawing, decode_drawing, resized
from animate.motion.motion import MOTIONS
from animate.pose.poser import Networks
from animate.serve.connections import serve_connections
from animate.serve.driver import Source
from animate.serve.recording import KINDS
from animate.serve.sessions import Prepared, Sessions, made_in
from contract.errors import InputError
from contract.image import Stored
from contract.picture import png_bytes
from contract.pose import AXES, Pose, pose_from_mapping
from web.guard import Asgi, OwnPageOnly
from web.shell import body_of, new_app

PAGE = Path(__file__).with_name("page")
GALLERY = PAGE / "gallery"
_UPLOADS_AT_ONCE = 3


def make_app(
    networks: Networks,
    first: Drawing | None,
    host: str,
    scratch: Path,
    background: str | None = None,
    usual: Source | None = None,
) -> Asgi:
    """The application for pages of ``host``; ``first`` is open when the page is.

    scratch: a folder for files that are being written. background: a colour, behind stages.
    usual: what drives a drawing where nothing else does.
    """
    sessions = Sessions(networks, usual)
    app = new_app(PAGE, sessions.threads.close)
    _serve_axes(app)
    _serve_drawings(app, sessions, first)
    _serve_still(app, sessions)
    serve_connections(app, sessions, scratch, background)
    return OwnPageOnly(app, host)


def _serve_axes(app: FastAPI) -> None:
    @app.get("/api/axes")
    async def axes() -> object:
        return {
            "axes": [asdict(axis) for axis in AXES],
            "motions": list(MOTIONS),
            "kinds": list(KINDS),
            "gallery": sorted(path.name for path in GALLERY.glob("*.png")),
        }

    @app.get("/stage")
    async def stage() -> Response:
        return FileResponse(PAGE / "stage.html")


def _serve_drawings(app: FastAPI, sessions: Sessions, first: Drawing | None) -> None:
    # An upload is held in memory until it is its turn.
    uploads = asyncio.Semaphore(_UPLOADS_AT_ONCE)
    opening_first = asyncio.Lock()
    answer_of_first: dict[str, object] = {}

    async def opened(make: Callable[[], Drawing]) -> dict[str, object]:
        def prepare() -> Prepared | None:
            drawing = make()
            report = check(drawing)
            answer.update(_answer(drawing, report))
            return sessions.prepared(drawing) if _is_usable(drawing, report) else None

        answer: dict[str, object] = {"token": None}
        prepared = await made_in(sessions.threads.opener, prepare)
        if prepared:
            answer["token"] = sessions.open(prepared).token
        return answer

    @app.get("/api/first")
    async def the_first() -> object:
        if first is None:
            return {}
        # One session, however many pages ask.
        async with opening_first:
            if not sessions.has(answer_of_first.get("token")):
                answer_of_first.update(await opened(lambda: first))
        return answer_of_first

    @app.post("/api/drawing")
    async def upload(request: Request, name: str = "drawing", mend: bool = False) -> object:
        too_long = f"the upload is over {MAX_BYTES >> 20} MiB; scale the drawing down"
        shown = Path(name).name[:80] or "drawing"
        async with uploads:
            data = await body_of(request, MAX_BYTES, too_long)

            def make() -> Drawing:
                drawing = decode_drawing(data, shown)
                return fix(drawing) if mend else drawing

            return await opened(make)


def _is_usable(drawing: Drawing, report: Report) -> bool:
    height, width = drawing.picture.shape[:2]
    return width == height and not any(fault.code == "opaque" for fault in report.faults)


def _answer(drawing: Drawing, report: Report) -> dict[str, object]:
    preview = base64.b64encode(png_bytes(_preview(drawing.picture))).decode()
    return {
        "name": drawing.name,
        "faults": [asdict(fault) for fault in report.faults],
        "notes": report.notes,
        "fixable": any(fault.fixable for fault in report.faults),
        "preview": f"data:image/png;base64,{preview}",
    }


def _preview(picture: Stored) -> Stored:
    height, width = picture.shape[:2]
    scale = min(1.0, 256 / max(height, width))
    return resized(picture, max(1, round(width * scale)), max(1, round(height * scale)))


def _serve_still(app: FastAPI, sessions: Sessions) -> None:
    @app.get("/api/still/{token}")
    async def still(token: str, request: Request) -> Response:
        pose = _pose_asked(request)
        session = sessions.session(token)

        def work() -> bytes:
            return png_bytes(sessions.poser(session.picture).draw(pose))

        name = {"Content-Disposition": 'attachment; filename="still.png"'}
        data = await made_in(sessions.threads.drawer, work)
        return Response(data, media_type="image/png", headers=name)


def _pose_asked(request: Request) -> Pose:
    names = {axis.name for axis in AXES}
    try:
        given = {k: float(v) for k, v in request.query_params.items() if k in names}
    except ValueError as error:
        raise InputError(f"pose: {error}") from error
    return pose_from_mapping(given)
