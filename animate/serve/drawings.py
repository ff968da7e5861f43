"""The drawings that a page gives: checked, mended where it says so, and opened."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from fastapi import FastAPI, Request, Response

from animate.drawing.check import Report, check, fix, framed_head
from animate.drawing.drawing import MAX_BYTES, Drawing, decode_drawing, resized
from animate.drawing.head_by_hand import head_by_hand, require_on_picture
from animate.drawing.head_estimate import Head
from animate.serve.sessions import Prepared, Sessions, made_in
from contract.errors import InputError
from contract.image import Stored
from contract.picture import QUICK, png_bytes
from web.shell import body_of

_UPLOADS_AT_ONCE = 3
_PREVIEW_SIDE = 640  # pixels: of what the head's lines are dragged on


def serve_drawings(app: FastAPI, sessions: Sessions, first: Drawing | None) -> None:
    """Let pages open drawings; ``first`` is open when a page is."""
    _serve_first(app, sessions, first)
    # An upload is held in memory until it is its turn.
    uploads = asyncio.Semaphore(_UPLOADS_AT_ONCE)

    @app.post("/api/drawing")
    async def upload(
        request: Request,
        name: str = "drawing",
        mend: bool = False,
        head: str | None = None,
        instead: str = "",
    ) -> object:
        """``head``: TOP,CHIN,MIDDLE, where a person says it is; ``instead``: of a session."""
        said = None if head is None else head_by_hand(head)
        too_long = f"the upload is over {MAX_BYTES >> 20} MiB; scale the drawing down"
        shown = Path(name).name[:80] or "drawing"
        async with uploads:
            data = await body_of(request, MAX_BYTES, too_long)

            def make() -> Drawing:
                drawing = decode_drawing(data, shown)
                return _mended(drawing, said) if mend or said else drawing

            answer = await _opened(sessions, make, by_hand=said is not None)
        if answer["token"]:
            sessions.close(instead)
        return answer


def _serve_first(app: FastAPI, sessions: Sessions, first: Drawing | None) -> None:
    opening = asyncio.Lock()
    answer: dict[str, object] = {}

    @app.get("/api/first")
    async def the_first() -> object:
        if first is None:
            return {}
        # One session, however many pages ask.
        async with opening:
            if not sessions.has(answer.get("token")):
                answer.update(await _opened(sessions, lambda: first))
        return answer

    @app.get("/api/first/picture")
    async def picture() -> Response:
        if first is None:
            raise InputError("no drawing was given; drop one on the page")
        data = await made_in(sessions.threads.opener, lambda: png_bytes(first.picture, QUICK))
        return Response(data, media_type="image/png")


async def _opened(
    sessions: Sessions, make: Callable[[], Drawing], *, by_hand: bool = False
) -> dict[str, object]:
    """What there is to say of a drawing, and its session's token if it can be posed."""

    def prepare() -> Prepared | None:
        drawing = make()
        report = check(drawing, framed_head(len(drawing.picture)) if by_hand else None)
        answer.update(_answer(drawing, report))
        return sessions.prepared(drawing) if _is_usable(drawing, report) else None

    answer: dict[str, object] = {"token": None}
    prepared = await made_in(sessions.threads.opener, prepare)
    if prepared:
        answer["token"] = sessions.open(prepared).token
    return answer


def _mended(drawing: Drawing, head: Head | None) -> Drawing:
    """A copy as it should be; head: where a person says that it is."""
    if head:
        height, width = drawing.picture.shape[:2]
        require_on_picture(head, width, height)
    return fix(drawing, head=head)


def _is_usable(drawing: Drawing, report: Report) -> bool:
    height, width = drawing.picture.shape[:2]
    return width == height and not any(fault.code == "opaque" for fault in report.faults)


def _answer(drawing: Drawing, report: Report) -> dict[str, object]:
    preview = base64.b64encode(png_bytes(_preview(drawing.picture), QUICK)).decode()
    return {
        "name": drawing.name,
        "faults": [asdict(fault) for fault in report.faults],
        "notes": report.notes,
        "fixable": any(fault.fixable for fault in report.faults),
        "preview": f"data:image/png;base64,{preview}",
        "width": report.width,
        "height": report.height,
        "head": report.head and [report.head.skull_top, report.head.chin, report.head.centre_x],
    }


def _preview(picture: Stored) -> Stored:
    height, width = picture.shape[:2]
    scale = min(1.0, _PREVIEW_SIDE / max(height, width))
    return resized(picture, max(1, round(width * scale)), max(1, round(height * scale)))
