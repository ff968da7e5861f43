"""The local page on which a person looks at what the scan found, and corrects it.

Models are asked for by the hash of their file, and only those of the catalogue. What is decided is
in the overrides file before the answer is given.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from contract.errors import InputError, OpenthaError
from contract.pose import FACE_AXES, REST, Pose
from contract.web import Asgi, OwnPageOnly
from dataset.annotation import SIDES, Annotation, Drive
from dataset.catalog import CatalogRow, load_catalog
from dataset.corrections import (
    Correction,
    Corrections,
    corrected,
    corrected_row,
    keep_correction,
    load_corrections,
    overrides_of,
)
from dataset.decode import decode
from dataset.objections import in_words
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
        self._read: Corrections = load_corrections(self._overrides)
        self._stamp: object = None
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
                self._require_morphs(row, made)
                corrected(row.model.annotation, made)
        except ValueError as error:
            raise InputError(f"{row.path}: {error!s:.200}") from error
        keep_correction(self._overrides, self._named(made))
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

    def _named(self, made: Correction) -> Correction:
        """The correction with the names that its morphs have in the file."""
        if not made.drives:
            return made
        names = self.morphs(made.sha256)
        drives = {
            axis: tuple(replace(drive, name=names[drive.morph]) for drive in chosen)
            for axis, chosen in made.drives.items()
        }
        return replace(made, drives=drives)

    def _corrections(self) -> Corrections:
        """What was decided so far, here or by another program."""
        with self._lock:
            found = self._overrides.stat() if self._overrides.exists() else None
            stamp = found and (found.st_mtime_ns, found.st_size, found.st_ino)
            if stamp != self._stamp:
                self._read, self._stamp = load_corrections(self._overrides), stamp
            return self._read

    def _row(self, sha256: str) -> CatalogRow:
        if sha256 not in self._rows:
            raise InputError("no such model in this catalogue; load the page again")
        return self._rows[sha256]

    def _now(self, row: CatalogRow) -> CatalogRow:
        """The row as corrected; a rejected one keeps what is known of it, to be shown."""
        correction = self._corrections().get(row.sha256)
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
        correction = self._corrections().get(row.sha256)
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
            "objections": [in_words(one) for one in model.annotation.objections] if model else [],
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


def make_app(desk: Desk, painter: Painter, host: str) -> Asgi:
    """The application for pages of ``host``."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        painter.close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
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
            data = await run_in_threadpool(desk.picture, sha256, view, axis, morph, side)
        # The page names in the address what the picture is drawn of.
        kept = {"Cache-Control": "private, max-age=600"}
        return Response(data, media_type="image/png", headers=kept)

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
        return await run_in_threadpool(desk.correct, sha256, values)

    @app.exception_handler(OpenthaError)
    async def in_one_line(_request: Request, error: Exception) -> Response:
        return JSONResponse({"fault": " ".join(str(error).split())}, 422)

    return OwnPageOnly(app, host)
