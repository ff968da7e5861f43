"""Archives of models."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from contract.errors import InputError
from contract.progress import LogProgress
from tests.support.fuzzing.mutation import any_number, anywhere, in_archive
from tests.support.fuzzing.target import Seed, Target

_STRANGE = (
    "../m.pmx",
    "/m.pmx",
    "a/../../m.pmx",
    "C:\\m.pmx",
    "con.pmx",
    "ミク/表.png",
    "a\0b.pmx",
)


def _zip(packing: int, inner: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        for name in _STRANGE:
            archive.writestr(name, b"a face" * 20)
        link = zipfile.ZipInfo("link.pmx")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/hostname")
        if inner:
            archive.writestr("inner.zip", inner)
    return out.getvalue()


def _archives(folder: Path) -> list[Seed]:
    import libarchive

    inner = _zip(zipfile.ZIP_STORED)
    zips = [_zip(zipfile.ZIP_STORED), _zip(zipfile.ZIP_DEFLATED), _zip(zipfile.ZIP_STORED, inner)]
    with libarchive.file_writer(str(folder / "m.7z"), "7zip") as archive:
        archive.add_file_from_memory("tex/face.png", 4, b"face")
        archive.add_file_from_memory("m.pmx", 600, b"model!" * 100)
    return [
        *(Seed(data, (in_archive, in_archive, any_number, anywhere)) for data in zips),
        Seed((folder / "m.7z").read_bytes(), (any_number, anywhere)),
    ]


def _read_archive(path: Path) -> None:
    """Unpack it beside a file that must stay alone."""
    from dataset.unpack.archive import Budget
    from dataset.unpack.unpack import unpack

    with tempfile.TemporaryDirectory() as scratch:
        folder, log = Path(scratch), io.StringIO()
        models = folder / "models"
        given = [path]
        summary = unpack(
            given, models, lambda _: (), LogProgress(log, "archives"), budget=Budget(200, 1 << 22)
        )
        assert [one.name for one in folder.iterdir()] == ["models"], "a path left the folder"
        links = [one for one in models.rglob("*") if one.is_symlink()]
        assert not links, "a link was made"
        if summary.faults:
            raise InputError(summary.faults[0])


TARGETS: Mapping[str, Target] = {
    "archives": Target("models.zip", _archives, _read_archive, share=2),
}
