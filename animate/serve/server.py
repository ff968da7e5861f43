"""The local page on which a drawing is posed live, and what it asks for.

Nothing is fetched from elsewhere. Who comes from another page, or by another name than this
machine's when it is bound to loopback, is turned away.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse

from animate.drawing.drawing import Drawing
from animate.motion.motion import MOTIONS
from animate.pose.poser import Networks
from animate.serve.connections import serve_connections
from animate.serve.drawings import serve_drawings
from animate.serve.driver import Source
from animate.serve.recording import KINDS
from animate.serve.sessions import Sessions, made_in
from contract.errors import InputError
from contract.picture import png_bytes
from contract.pose import AXES, Pose, pose_from_mapping
from web.guard import Asgi, OwnPageOnly
from web.shell import new_app

PAGE = Path(__file__).with_name("page")
GALLERY = PAGE / "gallery"


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
    serve_drawings(app, sessions, first)
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
