"""The local page on which a person looks at what the scan found, and corrects it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from contract.errors import InputError, OpenthaError
from dataset.review.painter import Painter
from dataset.review.review import Review
from web.guard import Asgi, OwnPageOnly

PAGE = Path(__file__).with_name("page")
_LARGEST_BODY = 1 << 16


def make_app(review: Review, painter: Painter, host: str) -> Asgi:
    """The application for pages of ``host``."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        painter.close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    _serve_page(app)
    _serve_models(app, review)
    _serve_pictures(app, review)
    _take_corrections(app, review)

    @app.exception_handler(OpenthaError)
    async def in_one_line(_request: Request, error: Exception) -> Response:
        return JSONResponse({"fault": " ".join(str(error).split())}, 422)

    return OwnPageOnly(app, host)


def _serve_page(app: FastAPI) -> None:
    app.mount("/page", StaticFiles(directory=PAGE), name="page")

    @app.get("/")
    async def index() -> Response:
        return FileResponse(PAGE / "index.html")


def _serve_models(app: FastAPI, review: Review) -> None:
    @app.get("/api/models")
    def models(
        status: str = "", source: str = "", search: str = "", page: int = 0
    ) -> dict[str, object]:
        return review.listed(status, source, search, max(page, 0))

    @app.get("/api/models/{sha256}/morphs")
    def morphs(sha256: str) -> tuple[str, ...]:
        return review.morphs(sha256)


def _serve_pictures(app: FastAPI, review: Review) -> None:
    # One picture is drawn at a time; whoever went away meanwhile is passed over.
    turn = asyncio.Lock()

    @app.get("/api/models/{sha256}/picture/{view}")
    async def picture(
        request: Request,
        sha256: str,
        view: str,
        axis: str = "",
        morph: int = 0,
        side: str = "whole",
    ) -> Response:
        async with turn:
            if await request.is_disconnected():
                return Response(status_code=499)
            data = await run_in_threadpool(review.picture, sha256, view, axis, morph, side)
        # The page names in the address what the picture is drawn of.
        kept = {"Cache-Control": "private, max-age=600"}
        return Response(data, media_type="image/png", headers=kept)


def _take_corrections(app: FastAPI, review: Review) -> None:
    async def values_of(request: Request) -> object:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LARGEST_BODY:
                raise InputError("the correction is too long")
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise InputError(f"no correction: {error!s:.80}") from error

    @app.patch("/api/models/{sha256}/correction")
    async def add(sha256: str, request: Request) -> dict[str, object]:
        values = await values_of(request)
        return await run_in_threadpool(review.correct, sha256, values, adding=True)

    @app.put("/api/models/{sha256}/correction")
    async def replace(sha256: str, request: Request) -> dict[str, object]:
        values = await values_of(request)
        return await run_in_threadpool(review.correct, sha256, values, adding=False)
