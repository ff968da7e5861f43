"""What a small file may make a program take: measured in a process of its own."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

SIDE = 8192
MOST_MB = 600
MOST_LEFT_MB = 200

# Not getrusage: on Linux a new process begins with the peak of the one that started it.
_MEASURED = """
import re, sys
from pathlib import Path
path = Path(sys.argv[1])
{work}
status = Path("/proc/self/status").read_text()
for what in ("VmHWM", "VmRSS"):
    print(int(re.search(rf"{{what}}:\\s*(\\d+) kB", status)[1]) / 1024)
"""
_TEXTURE = """
from renderer.draw.textures import load_texture
assert load_texture(path, 2048).pixels.shape == (2048, 2048, 4)
"""
_DRAWING = """
from animate.drawing.check import check
from animate.drawing.drawing import read_drawing
drawing = read_drawing(path)
assert drawing.picture.shape == (4096, 4096, 4)
assert "reduced from 8192x8192 to 4096x4096" in drawing.notes[0]
assert [fault.code for fault in check(drawing).faults] == ["opaque", "no-figure"]
"""
_SEVERAL = """
from concurrent.futures import ThreadPoolExecutor
from animate.drawing.drawing import read_drawing
with ThreadPoolExecutor(1) as opener:  # as the page does
    for _ in range(3):
        opener.submit(lambda: read_drawing(path).name).result()
"""
_BACKGROUND = """
from animate.drawing.backdrop import open_backdrop
assert open_backdrop(str(path), 1024).picture.shape == (1024, 1024, 4)
"""


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PNG of 64 million pixels of one colour, a few hundred kilobytes of file."""
    path = tmp_path_factory.mktemp("pictures") / "flat.png"
    row, packer = b"\0" + b"\xc8\x28\x5a\xff" * SIDE, zlib.compressobj(1)
    packed = b"".join([*(packer.compress(row) for _ in range(SIDE)), packer.flush()])
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 6, 0, 0, 0)
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, data in ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b"")):
            file.write(struct.pack(">I", len(data)) + kind + data)
            file.write(struct.pack(">I", zlib.crc32(kind + data)))
    return path


ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="its /proc tells of memory")


@ON_LINUX
@pytest.mark.parametrize(
    "work", [_TEXTURE, _DRAWING, _BACKGROUND], ids=["texture", "drawing", "background"]
)
def test_a_small_file_of_many_pixels_takes_bounded_memory(flat: Path, work: str) -> None:
    peak, _ = _measured(work, flat)
    assert peak < MOST_MB


@ON_LINUX
def test_of_drawings_that_are_let_go_of_no_memory_is_kept(flat: Path) -> None:
    _, left = _measured(_SEVERAL, flat)
    assert left < MOST_LEFT_MB


def _measured(work: str, path: Path) -> tuple[float, float]:
    """The process' memory at its peak and at its end, MB."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED.format(work=work), str(path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    peak, left = map(float, done.stdout.split())
    return peak, left
