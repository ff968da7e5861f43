"""The shell of a local page: a folder of static files, answers in JSON, faults in one line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.requests import ClientDisconnect

from contract.errors import InputError, OpenthaError

STALLED_SECONDS, LONGEST_SECONDS = 20.0, 300.0
"""For a piece of what is sent, and for all of it: others may be waiting for their turn."""


def new_app(page: Path, close: Callable[[], None]) -> FastAPI:
    """An application that shows ``page`` (index.html at /, all of it below /page).

    A project error becomes ``{"fault": its text}`` with status 422. close: called at the end.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/page", StaticFiles(directory=page), name="page")

    @app.get("/")
    async def index() -> Response:
        return FileResponse(page / "index.html")

    @app.exception_handler(OpenthaError)
    async def in_one_line(_request: Request, error: Exception) -> Response:
        return JSONResponse({"fault": " ".join(str(error).split())}, 422)

    @app.exception_handler(ClientDisconnect)
    async def to_nobody(_request: Request, _error: Exception) -> Response:
        return Response(status_code=400)  # who sent half of something has left

    return app


async def body_of(request: Request, most: int, fault: str) -> bytes:
    """What a request carries, of which never more than ``most`` bytes and a chunk are held.

    Raises:
        InputError: it is longer, and ``fault`` says so; or it comes to a halt, or never ends.
    """
    body, clock = bytearray(), asyncio.get_running_loop()
    last = clock.time() + LONGEST_SECONDS
    try:
        async with asyncio.timeout(STALLED_SECONDS) as patience:
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise InputError(fault)
                patience.reschedule(min(last, clock.time() + STALLED_SECONDS))
    except TimeoutError as error:
        raise InputError(
            "what was sent came to a halt, or takes too long; send it again"
        ) from error
    return bytes(body)
