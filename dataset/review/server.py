"""The local page on which a person looks at what the scan found, and corrects it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from contract.errors import InputError
from dataset.review.painter import Painter
from dataset.review.review import Review
from web.guard import Asgi, OwnPageOnly
from web.shell import body_of, new_app

PAGE = Path(__file__).with_name("page")
_LARGEST_BODY = 1 << 16


def make_app(review: Review, painter: Painter, host: str) -> Asgi:
    """The application for pages of ``host``."""

    app = new_app(PAGE, painter.close)
    _serve_models(app, review)
    _serve_pictures(app, review)
    _take_corrections(app, review)
    return OwnPageOnly(app, host)


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
        body = await body_of(request, _LARGEST_BODY, "the correction is too long")
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
