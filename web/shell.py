"""The shell of a local page: a folder of static files, answers in JSON, faults in one line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from contract.errors import InputError, OpenthaError


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

    return app


async def body_of(request: Request, most: int, fault: str) -> bytes:
    """What a request carries, of which never more than ``most`` bytes and a chunk are held.

    Raises:
        InputError: it is longer; ``fault`` says so.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise InputError(fault)
    return bytes(body)
