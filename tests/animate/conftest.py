"""The server with nothing drawn yet, and one with a block, for tests that want no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from animate.drawing.drawing import decode_drawing
from animate.serve.server import make_app
from tests.support.in_browser import serving
from tests.support.page_client import GOOD, HERE, token_of
from tests.support.shifting import Shifting


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """Of a server without a first drawing."""
    with TestClient(make_app(Shifting(), None, "127.0.0.1", tmp_path), base_url=HERE) as one:
        yield one


@pytest.fixture
def token(client: TestClient) -> str:
    """Of a drawing that is open."""
    return token_of(client)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Of a server whose first drawing is the block, on a port of its own."""
    first = decode_drawing(GOOD, "block.png")
    with serving(make_app(Shifting(), first, "127.0.0.1", tmp_path)) as address:
        yield address
