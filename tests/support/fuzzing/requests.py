"""Requests to the page of a review.

A file is {"method", "path", "query", "headers": [[name, value], ...], "body"}.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from contract.errors import InputError
from tests.support.fuzzing.mutation import Rng, anywhere, in_json, pick
from tests.support.fuzzing.target import Seed, Target


def _requests(_folder: Path) -> list[Seed]:
    sha256 = _review_row()
    drive = {"morph": 0, "name": "", "weight": 0.5, "side": "left"}
    word = {
        "decision": "accept",
        "head_box": {"chin_y": 16.5, "skull_top_y": 19.0, "centre_x": 0.1},
        "drives": {"mouth": [drive], "left_eye": [drive, drive]},
    }
    ours = [["host", "127.0.0.1:80"], ["origin", "http://127.0.0.1:80"]]
    made = (
        ("PATCH", f"/api/models/{sha256}/correction", "", json.dumps(word)),
        ("PUT", f"/api/models/{sha256}/correction", "", json.dumps({"decision": "reject"})),
        ("GET", "/api/models", "status=ok&source=s&search=m&page=0", ""),
        ("GET", f"/api/models/{sha256}/picture/rest", "axis=mouth&morph=0&side=whole", ""),
        ("GET", "/page/review.js", "", ""),
    )
    documents = [
        {"method": method, "path": path, "query": query, "headers": ours, "body": body}
        for method, path, query, body in made
    ]
    return [Seed(json.dumps(document).encode(), (in_request,)) for document in documents]


def in_request(rng: Rng, data: bytes) -> bytes:
    """A request with its body, its query, its path or a header changed."""
    document = json.loads(data)
    for _ in range(int(rng.integers(1, 3))):
        name = pick(rng, ("body", "body", "body", "query", "path", "headers"))
        if name == "headers":
            header = pick(rng, document["headers"])
            odd = ("[::1", "http://[::1", "", "null", "http://127.0.0.1:80@evil", "127.0.0.1:99999")
            header[1] = pick(rng, (*odd, _jumbled(rng, header[1])))
        elif name == "body" and document["body"]:
            try:
                changed = in_json(rng, document["body"].encode("utf-8", "surrogatepass"))
            except ValueError:
                changed = anywhere(rng, document["body"].encode("utf-8", "surrogatepass"))
            document["body"] = changed.decode("utf-8", "surrogateescape")
        else:
            document[name] = _jumbled(rng, document[name])
    return json.dumps(document).encode()


def _jumbled(rng: Rng, text: str) -> str:
    return anywhere(rng, text.encode("latin-1", "replace")).decode("latin-1")


@cache
def _review() -> tuple[Any, Path]:
    """The page of a review of one model, and the file of its decisions."""
    import atexit
    import tempfile

    from dataset.catalog.catalog import Catalog, save_catalog
    from dataset.catalog.corrections import OVERRIDES_NAME
    from dataset.review.review import Review
    from dataset.review.server import make_app
    from tests.support.catalog_rows import model

    logging.disable()
    scratch = tempfile.TemporaryDirectory()
    atexit.register(scratch.cleanup)
    folder = Path(scratch.name)
    rows = (model("s/m.pmx"), model("t/n.pmx", doubtful=True))
    save_catalog(folder / "catalog.jsonl", Catalog(folder, "1", rows, (), ()))
    painter: Any = _Painter()
    app = make_app(Review(folder / "catalog.jsonl", painter), painter, "127.0.0.1")
    return app, folder / OVERRIDES_NAME


class _Painter:
    """Paints nothing, and knows two morphs."""

    def paint(self, _painting: object) -> bytes:
        return b"a picture"

    def morph_names(self, _path: Path) -> tuple[str, ...]:
        return ("a", "b")

    def close(self) -> None:
        pass


def _review_row() -> str:
    from tests.support.catalog_rows import model

    return model("s/m.pmx").sha256


def _read_request(path: Path) -> None:
    """Ask the review's page; what it keeps must be read again."""
    from dataset.catalog.corrections import load_corrections

    document = json.loads(path.read_bytes())
    app, overrides = _review()
    status, body = asyncio.run(_asked(app, document))
    assert 200 <= status < 500, f"status {status}"
    load_corrections(overrides)
    if status >= 400:
        said = json.loads(body) if body.startswith(b"{") else {}
        assert "\n" not in said.get("fault", ""), "a fault of several lines"
        raise InputError(f"status {status}: {said.get('fault', '')[:200]}")


async def _asked(app: Any, document: Mapping[str, Any]) -> tuple[int, bytes]:  # noqa: ANN401
    """The answer as a server would hear it, with its body."""
    body = document["body"].encode("utf-8", "surrogateescape")
    waiting = [{"type": "http.request", "body": body, "more_body": False}]
    status, parts = 0, []

    async def receive() -> dict[str, Any]:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)
        parts.append(message.get("body", b""))

    headers = [(n.encode(), v.encode("latin-1", "replace")) for n, v in document["headers"]]
    raw = document["path"].encode("latin-1", "replace")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": document["method"],
        "scheme": "http",
        "path": document["path"],
        "raw_path": raw,
        "root_path": "",
        "query_string": document["query"].encode("latin-1", "replace"),
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    return status, b"".join(parts)


TARGETS: Mapping[str, Target] = {
    "requests": Target("request.json", _requests, _read_request, share=1.5),
}
