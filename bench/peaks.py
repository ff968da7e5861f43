"""The most memory that reading takes of the largest that is accepted, of each kind.

    python bench/peaks.py [KIND ...]

Each is read in a process of its own, whose peak is told, and how much of it reading added to what
the program takes anyway. Linux alone tells peaks. Ends with 1 where one is above what SECURITY.md
promises.
"""

from __future__ import annotations

import io
import re
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from dataset.shards.shard import ShardWriter  # noqa: E402
from tests.support.rounds.kinds import give_drawing  # noqa: E402
from tests.support.rounds.serving import Served  # noqa: E402
from tests.support.shard_bytes import HEADER, add_model, model_row  # noqa: E402

PICTURE_MB, MODEL_MB = 600, 2000
SIDES = (8192, 7168, 6144, 5120, 4096)

# Not getrusage: on Linux a new process begins with the peak of the one that started it.
_MEASURED = """
import re, sys
from pathlib import Path
def peak():
    return int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
path = Path(sys.argv[1])
{before}
base = peak()
{work}
print("peaks", base, peak())
"""
_TEXTURE = "from renderer.draw.textures import load_texture", "load_texture(path, 2048)"
_DRAWING = (
    "from animate.drawing.check import check\nfrom animate.drawing.drawing import read_drawing",
    "check(read_drawing(path))",
)
_MODEL = "from renderer.formats.read import read_model", "read_model(path)"
_MOTION = "from animate.motion.vmd_motion import read_motion", "read_motion(path, 30.0)"
_TABLE = "from animate.motion.motion import read_csv", "read_csv(path, 25.0)"
_SHARD = (
    "from dataset.shards.shard import ShardReader",
    "reader = ShardReader(path)\nreader.sample(len(reader) - 1)",
)


@dataclass(frozen=True)
class Case:
    """``write(path, size)`` makes a file; the first of ``sizes`` that is accepted is measured.

    code: what is loaded, and what reads; None: three uploads at once to a page, over its base.
    """

    name: str
    write: Callable[[Path, int], None]
    sizes: tuple[int, ...]
    code: tuple[str, str] | None
    most_mb: int


def _picture(kind: str, mode: str = "RGBA", **options: object) -> Callable[[Path, int], None]:
    def write(path: Path, side: int) -> None:
        image = Image.new(mode, (side, side), {"RGBA": (200, 40, 90, 255)}.get(mode, 90))
        image.save(path, kind, **options)

    return write


def _noise(path: Path, side: int) -> None:
    """Bytes that cannot be packed, as a PNG of one filter."""
    rng = np.random.default_rng(1)
    image = Image.fromarray(rng.integers(0, 256, (side, side, 4), np.uint8), "RGBA")
    image.save(path, "PNG", compress_level=0)


def _deep(path: Path, side: int) -> None:
    Image.fromarray(np.full((side, side), 30_000, np.uint16)).save(path, "PNG")


def _pmx(path: Path, mega: int) -> None:
    """Four million vertices of the richest kind, faces, and morphs for what is left."""
    count = 4_000_000
    text = struct.pack("<i", 0)
    vertex = np.dtype([("head", "<f4", 8), ("kind", "u1"), ("bones", "u1", 4),
                       ("weights", "<f4", 4), ("edge", "<f4")])  # fmt: skip
    vertices = np.zeros(count, vertex)
    vertices["kind"], vertices["weights"] = 2, 0.25
    vertices["head"] = np.arange(8, dtype=np.float32)
    faces = np.resize(np.arange(count, dtype="<u4"), 24_999_999)
    material = text * 2 + struct.pack("<11fB", *[0.5] * 11, 0) + struct.pack("<4ff", *[0.0] * 5)
    material += struct.pack("<bbBBb", -1, -1, 0, 0, -1) + text + struct.pack("<i", len(faces))
    bone = text * 2 + struct.pack("<3fbiH3f", 0, 10, 0, -1, 0, 0, 0, 1, 0)
    with path.open("wb") as file:
        file.write(b"PMX " + struct.pack("<fB8B", 2.0, 8, 1, 0, 4, 1, 1, 1, 1, 1) + text * 4)
        file.write(struct.pack("<i", count) + vertices.tobytes())
        file.write(struct.pack("<i", len(faces)) + faces.tobytes())
        file.write(struct.pack("<i", 0) + struct.pack("<i", 1) + material)
        file.write(struct.pack("<i", 1) + bone)
        left = (mega << 20) - file.tell() - 64
        offsets = np.zeros(left // 16, np.dtype([("vertex", "<u4"), ("by", "<f4", 3)]))
        offsets["vertex"] = np.arange(len(offsets)) % count
        file.write(struct.pack("<i", 1) + text * 2 + struct.pack("<BBi", 1, 1, len(offsets)))
        file.write(offsets.tobytes() + struct.pack("<iii", 0, 0, 0))


def _vmd(path: Path, mega: int) -> None:
    """Keys of one bone that a motion uses, of every frame and more."""
    key = np.dtype([("name", "S15"), ("frame", "<u4"), ("numbers", "<f4", 7), ("curves", "u1", 64)])
    keys = np.zeros(((mega << 20) - 100) // key.itemsize, key)
    keys["name"] = "頭".encode("cp932")
    keys["frame"] = np.arange(len(keys)) % 90_000
    keys["numbers"] = (0, 0, 0, 0, 0, 0.1, 0.99)
    keys["curves"] = 20
    head = b"Vocaloid Motion Data 0002".ljust(30, b"\0") + bytes(20)
    path.write_bytes(head + struct.pack("<I", len(keys)) + keys.tobytes() + struct.pack("<I", 0))


def _csv(path: Path, mega: int) -> None:
    row = b"%d,0.5,0.25\n"
    out = io.BytesIO()
    out.write(b"time,head_x,mouth\n")
    number = 0
    while out.tell() < (mega << 20) - 40 and number < 1_000_000:
        out.write(row % number if number < 3900 else b"%.4f,0.5,0.25\n" % (3900 + number / 1e4))
        number += 1
    path.write_bytes(out.getvalue())


def _shard(path: Path, models: int) -> None:
    """Of many models, each with a sample."""
    row = model_row("m", 1)
    with ShardWriter(path, HEADER) as writer:
        for number in range(models):
            sha256 = f"{number:064x}"
            add_model(writer, replace(row, sha256=sha256, path=f"s/{number}.pmx"))
        writer.finish()


CASES = (
    Case("drawing PNG", _picture("PNG"), SIDES, _DRAWING, PICTURE_MB),
    Case("drawing PNG, noise", _noise, (4095,), _DRAWING, PICTURE_MB),
    Case("drawing PNG, 16 bits", _deep, SIDES, _DRAWING, PICTURE_MB),
    Case("drawing WebP", _picture("WEBP", lossless=True, method=0), SIDES, _DRAWING, PICTURE_MB),
    Case("drawing TIFF", _picture("TIFF", compression="tiff_lzw"), SIDES, _DRAWING, PICTURE_MB),
    Case("drawing JPEG", _picture("JPEG", "RGB", progressive=True), SIDES, _DRAWING, PICTURE_MB),
    Case("texture PNG", _picture("PNG"), SIDES, _TEXTURE, PICTURE_MB),
    Case("texture TGA", _picture("TGA"), SIDES, _TEXTURE, PICTURE_MB),
    Case("texture BMP", _picture("BMP", "RGB"), SIDES, _TEXTURE, PICTURE_MB),
    Case("texture TIFF", _picture("TIFF", compression="tiff_lzw"), SIDES, _TEXTURE, PICTURE_MB),
    Case("texture JPEG", _picture("JPEG", "RGB", progressive=True), SIDES, _TEXTURE, PICTURE_MB),
    Case("three uploads", _noise, (4095,), None, PICTURE_MB),
    Case("three flat uploads", _picture("PNG"), SIDES, None, PICTURE_MB),
    Case("model PMX", _pmx, (511,), _MODEL, MODEL_MB),
    Case("motion VMD", _vmd, (255,), _MOTION, MODEL_MB),
    Case("motion CSV", _csv, (15,), _TABLE, MODEL_MB),
    Case("shard", _shard, (20_000,), _SHARD, MODEL_MB),
)
_SUFFIXES = {
    **{case.name: f".{case.name.split()[-1].lower()}" for case in CASES if case.code is _TEXTURE},
    "model PMX": ".pmx",
    "motion VMD": ".vmd",
    "shard": ".h5",
}


def main() -> int:
    wanted = sys.argv[1:]
    print(f"{'kind':24}{'size':>7}{'file':>10}{'base':>9}{'peak':>9}{'added':>9}{'of':>7}")
    ends_well = True
    for case in CASES:
        if not wanted or any(word in case.name for word in wanted):
            ends_well &= _measure(case)
    return 0 if ends_well else 1


def _measure(case: Case) -> bool:
    for size in case.sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"file{_SUFFIXES.get(case.name, '.png')}"
            case.write(path, size)
            file_mb = path.stat().st_size / (1 << 20)
            found = _peaks(case.code, path) if case.code else _peaks_of_page(path)
        if isinstance(found, tuple):
            base, peak = found
            counted = peak if case.code else peak - base
            print(
                f"{case.name:24}{size:7}{file_mb:7.1f} MB{base:6.0f} MB{peak:6.0f} MB"
                f"{peak - base:6.0f} MB{counted / case.most_mb:7.2f}",
                flush=True,
            )
            return counted <= case.most_mb
        print(f"{case.name:24}{size:7}{file_mb:7.1f} MB  refused: {found}", flush=True)
    return False


def _peaks(code: tuple[str, str], path: Path) -> tuple[float, float] | str:
    """Before and after, in MB; the last line of words where it is refused."""
    script = _MEASURED.format(before=code[0], work=code[1])
    words = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    found = re.search(r"peaks (\S+) (\S+)", done.stdout)
    if found:
        return float(found[1]), float(found[2])
    return (done.stderr.strip().splitlines() or ["it died"])[-1][:150]


def _peaks_of_page(path: Path) -> tuple[float, float]:
    """As many uploads at once as a page takes."""
    folder = path.parent / "page"
    page = Served(folder, give_drawing(folder))
    try:
        page.upload(_small())
        base, data = _peak(page.run.process.pid), path.read_bytes()
        with ThreadPoolExecutor(3) as threads:
            list(threads.map(page.upload, [data] * 3))
        return base, _peak(page.run.process.pid)
    finally:
        page.run.signal_all(signal.SIGINT)
        page.run.end()


def _small() -> bytes:
    out = io.BytesIO()
    Image.new("RGBA", (64, 64)).save(out, "PNG")
    return out.getvalue()


def _peak(process: int) -> float:
    found = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found
    return int(found[1]) / 1024


if __name__ == "__main__":
    sys.exit(main())
