"""The local page on which a person looks at what the scan found, and corrects it.

Models are asked for by the hash of their file, and only those of the catalogue. What is decided is
in the overrides file before the answer is given.
"""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from contract.errors import InputError, OpenthaError
from contract.pose import FACE_AXES, REST, Pose
from contract.web import HEADERS, is_welcome
from dataset.annotation import SIDES, Annotation, Drive
from dataset.catalog import CatalogRow, load_catalog
from dataset.corrections import (
    Correction,
    corrected,
    corrected_row,
    load_corrections,
    overrides_of,
    save_corrections,
)
from dataset.decode import decode
from dataset.review_painter import Painter, Painting

PAGE = Path(__file__).with_name("page")
PAGE_MODELS = 60
VIEWS = {
    "rest": REST,
    "left_eye": Pose(left_eye=1.0),
    "right_eye": Pose(right_eye=1.0),
    "both": Pose(left_eye=1.0, right_eye=1.0),
    "mouth": Pose(mouth=0.0),
}
"""The pictures of a model: as found at rest, each eye and both closed, the mouth closed."""
_ORDER = {"doubtful": 0, "ok": 1, "refused": 2}
_LARGEST_BODY = 1 << 16


class Desk:
    """A catalogue under review: its rows, and what was decided so far."""

    def __init__(self, catalog: Path, painter: Painter) -> None:
        self._catalog = load_catalog(catalog)
        self._overrides = overrides_of(catalog)
        self._corrections = load_corrections(self._overrides)
        self._painter = painter
        self._lock = threading.Lock()
        self._rows: dict[str, CatalogRow] = {}
        for row in self._catalog.rows:
            self._rows.setdefault(row.sha256, row)

    def listed(self, status: str, source: str, search: str, page: int) -> dict[str, object]:
        """A page of models, doubtful ones first, by what is thought of them now."""
        wanted = [
            row
            for row in map(self._now, self._rows.values())
            if status in {"", row.status}
            and source in {"", row.source}
            and (not search or search.casefold() in self._words(row))
        ]
        wanted.sort(key=lambda row: (_ORDER[self._rows[row.sha256].status], row.path))
        first = page * PAGE_MODELS
        return {
            "models": [self._summary(row) for row in wanted[first : first + PAGE_MODELS]],
            "count": len(wanted),
            "pages": -(-len(wanted) // PAGE_MODELS),
            "sources": sorted({row.source for row in self._rows.values()}),
            "axes": FACE_AXES,
        }

    def summary(self, sha256: str) -> dict[str, object]:
        """One model."""
        return self._summary(self._now(self._row(sha256)))

    def correct(self, sha256: str, values: object) -> dict[str, object]:
        """Keep a person's word on a model: on disk when this returns.

        Raises:
            InputError: it is no correction, or does not fit the model.
        """
        row = self._row(sha256)
        try:
            if not isinstance(values, dict):
                raise ValueError("no correction")
            made = decode(Correction, {**values, "sha256": sha256, "path": row.path})
            if row.model:
                corrected(row.model.annotation, made)
                self._require_morphs(row, made)
        except ValueError as error:
            raise InputError(f"{row.path}: {error!s:.200}") from error
        with self._lock:
            changed = {**self._corrections, sha256: made}
            if made.is_empty:
                del changed[sha256]
            save_corrections(self._overrides, changed)
            self._corrections = changed
        return self.summary(sha256)

    def picture(self, sha256: str, view: str, axis: str, morph: int, side: str) -> bytes:
        """A view as PNG; with ``axis``, as if that axis were driven by another morph."""
        row = self._now(self._row(sha256))
        if view not in VIEWS:
            raise InputError(f"view {view:.20}: unknown; choose {', '.join(VIEWS)}")
        annotation = row.described().annotation if row.model else None
        if annotation is None:
            raise InputError(f"{row.path}: {row.status}; there is no picture of it")
        if axis:
            annotation = self._with_morph(annotation, axis, morph, side)
        path = self._catalog.models_folder / row.path
        return self._painter.paint(Painting(path, annotation, VIEWS[view]))

    def morphs(self, sha256: str) -> tuple[str, ...]:
        """The names of a model's morphs."""
        return self._painter.morph_names(self._catalog.models_folder / self._row(sha256).path)

    def _row(self, sha256: str) -> CatalogRow:
        if sha256 not in self._rows:
            raise InputError("no such model in this catalogue; load the page again")
        return self._rows[sha256]

    def _now(self, row: CatalogRow) -> CatalogRow:
        """The row as corrected; a rejected one keeps what is known of it, to be shown."""
        correction = self._corrections.get(row.sha256)
        if correction is None or row.model is None:
            return row
        if correction.decision == "reject":
            kept = replace(correction, decision=None)
            return replace(corrected_row(row, kept), status="refused", code="rejected")
        return corrected_row(row, correction)

    @staticmethod
    def _words(row: CatalogRow) -> str:
        return f"{row.path} {row.model.name if row.model else ''} {row.code}".casefold()

    def _summary(self, row: CatalogRow) -> dict[str, object]:
        correction = self._corrections.get(row.sha256)
        model = row.model
        return {
            "sha256": row.sha256,
            "path": row.path,
            "source": row.source,
            "status": row.status,
            "was": self._rows[row.sha256].status,
            "code": row.code,
            "message": row.message,
            "licence": row.licence.text[:400] if row.licence else "",
            "name": model.name if model else "",
            "annotation": asdict(model.annotation) if model else None,
            "correction": asdict(correction) if correction else None,
            "group": row.group,
        }

    @staticmethod
    def _with_morph(annotation: Annotation, axis: str, morph: int, side: str) -> Annotation:
        if axis not in FACE_AXES or side not in SIDES:
            raise InputError(f"axis {axis:.20}, side {side:.20}: unknown")
        drives = {**annotation.drives, axis: (Drive(morph, "", 1.0, side),)}
        return replace(annotation, drives=drives)

    @staticmethod
    def _require_morphs(row: CatalogRow, made: Correction) -> None:
        count = row.described().counts.morphs
        for drives in made.drives.values():
            for drive in drives:
                if not 0 <= drive.morph < count or not 0 < drive.weight <= 1:
                    raise ValueError(f"morph {drive.morph} of {count}, weight {drive.weight:g}")


def make_app(desk: Desk, painter: Painter, host: str) -> FastAPI:
    """The application."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        painter.close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    _guard(app, host)
    app.mount("/page", StaticFiles(directory=PAGE), name="page")

    @app.get("/")
    async def index() -> Response:
        return FileResponse(PAGE / "index.html")

    @app.get("/api/models")
    def models(
        status: str = "", source: str = "", search: str = "", page: int = 0
    ) -> dict[str, object]:
        return desk.listed(status, source, search, max(page, 0))

    @app.get("/api/models/{sha256}/morphs")
    def morphs(sha256: str) -> tuple[str, ...]:
        return desk.morphs(sha256)

    @app.get("/api/models/{sha256}/picture/{view}")
    def picture(
        sha256: str, view: str, axis: str = "", morph: int = 0, side: str = "whole"
    ) -> Response:
        return Response(desk.picture(sha256, view, axis, morph, side), media_type="image/png")

    @app.put("/api/models/{sha256}/correction")
    async def correct(sha256: str, request: Request) -> dict[str, object]:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LARGEST_BODY:
                raise InputError("the correction is too long")
        try:
            values = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise InputError(f"no correction: {error!s:.80}") from error
        return desk.correct(sha256, values)

    return app


def _guard(app: FastAPI, host: str) -> None:
    @app.middleware("http")
    async def turn_away(request: Request, proceed: Callable[[Request], object]) -> Response:
        if not is_welcome(request.headers, host, needs_origin=request.method != "GET"):
            return JSONResponse({"fault": "only the page of this program may ask"}, 403)
        response: Response = await proceed(request)  # type: ignore[misc]
        response.headers.update(HEADERS)
        return response

    @app.exception_handler(OpenthaError)
    async def in_one_line(_request: Request, error: Exception) -> Response:
        return JSONResponse({"fault": " ".join(str(error).split())}, 422)
