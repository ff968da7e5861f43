"""A data set -> files that other programs read: PNG pictures with tables, or WebDataset tars.

``png``, for each part of the split a folder with:

    model_table.csv     a row a model: model (its number, from 0), sha256, seed, path, source,
                        name, terms (the file that states them)
    sample_table.csv    a row a sample: model, index, the six axes, ambient, shading, and where its
                        three pictures lie
    00000/              the pictures of model 0: rest-0.png (under its light level 0),
                        3-expression.png and 3-posed.png (of its sample 3)

``webdataset``, for each part a folder with model_table.csv and a tar for each shard; a sample is
four files in a row, ``<model>-<index>.rest.png``, ``.expression.png``, ``.posed.png`` and
``.json`` (the values of its row).

Pictures are 8-bit RGBA, sRGB, straight alpha: the stored form, unchanged.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from contract.picture import QUICK, png_bytes
from contract.pose import AXIS_NAMES
from contract.progress import Progress
from contract.text import printable
from dataset.curate.parts import every, new_folder, open_parts
from dataset.shards.records import PICTURE_NAMES, ModelRow, PictureName
from dataset.shards.shard import ShardReader
from dataset.shards.split_file import SPLIT_FILE

ExportKind = Literal["png", "webdataset"]
EXPORT_KINDS: tuple[ExportKind, ...] = ("png", "webdataset")

_Key = tuple[str, int]  # sha256 and seed: which samples a model has hangs on both
_Values = Mapping[str, str | int | float]
_MODEL_COLUMNS = ("model", "sha256", "seed", "path", "source", "name", "terms")
_VALUE_COLUMNS = ("model", "index", *AXIS_NAMES, "ambient", "shading")


@dataclass(frozen=True)
class Exported:
    """What was written; ``pictures``: files of pictures, those in tars too."""

    samples: int
    pictures: int


def export(folder: Path, out: Path, kind: ExportKind, progress: Progress) -> Exported:
    """Write all samples of a data set as the new folder ``out``, whole or not at all.

    Raises:
        InputError: there is no shard, or ``out`` exists or cannot be written.
        ShardError: a shard is damaged.
    """
    parts = open_parts(folder)
    write = _write_pngs if kind == "png" else _write_tars
    done = samples = pictures = 0
    with new_folder(out) as temporary:
        for part, readers in parts.items():
            place = temporary / part
            place.mkdir(exist_ok=True)
            numbers = _write_models(readers, place / "model_table.csv")
            for written in write(readers, numbers, place):
                samples, pictures = samples + written.samples, pictures + written.pictures
                done += 1
                progress.show(done, len(every(parts)), "shards exported")
        if (folder / SPLIT_FILE).is_file():
            shutil.copyfile(folder / SPLIT_FILE, temporary / SPLIT_FILE)
    return Exported(samples, pictures)


def _write_models(readers: Sequence[ShardReader], path: Path) -> Mapping[_Key, int]:
    """Write the table of models; their numbers."""
    rows: dict[_Key, ModelRow] = {}
    for reader in readers:
        for row in reader.models:
            rows.setdefault((row.sha256, row.seed), row)
        reader.close()
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        table = csv.writer(file)
        table.writerow(_MODEL_COLUMNS)
        for number, row in enumerate(rows.values()):
            terms = row.licence.path if row.licence else ""
            texts = (row.path, row.source, row.facts.name, terms)
            table.writerow((number, printable(row.sha256), row.seed, *map(printable, texts)))
    return {key: number for number, key in enumerate(rows)}


def _write_pngs(
    readers: Sequence[ShardReader], numbers: Mapping[_Key, int], place: Path
) -> Iterator[Exported]:
    """Write the table of samples, and each picture once; what each shard came to."""
    with (place / "sample_table.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow((*_VALUE_COLUMNS, *PICTURE_NAMES))
        for reader in readers:
            pictures = 0
            for i in range(len(reader)):
                values = _values(reader, numbers, i)
                files = _file_names(reader, values, i)
                table.writerow((*values.values(), *files.values()))
                for name, relative in files.items():
                    path = place / relative
                    if not path.exists():
                        path.parent.mkdir(exist_ok=True)
                        path.write_bytes(_png(reader, i, name))
                        pictures += 1
            yield Exported(len(reader), pictures)
            reader.close()


def _write_tars(
    readers: Sequence[ShardReader], numbers: Mapping[_Key, int], place: Path
) -> Iterator[Exported]:
    """Write a tar for each shard; what each came to."""
    for number, reader in enumerate(readers):
        path = place / f"shard-{number:05d}.tar"
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
            for i in range(len(reader)):
                values = _values(reader, numbers, i)
                key = f"{values['model']:05d}-{values['index']:06d}"
                for name in PICTURE_NAMES:
                    _add(tar, f"{key}.{name}.png", _png(reader, i, name))
                _add(tar, f"{key}.json", json.dumps(values).encode())
        yield Exported(len(reader), len(PICTURE_NAMES) * len(reader))
        reader.close()


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    # No times and no users: equal data sets give equal tars.
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def _values(reader: ShardReader, numbers: Mapping[_Key, int], i: int) -> _Values:
    """What there is to say of sample ``i``, by column."""
    row = reader.samples[i]
    model = reader.models[row["model"]]
    light = model.light(int(row["light"]), reader.header.shading)
    # The shortest decimal that is the same float32.
    pose = {name: float(str(v)) for name, v in zip(AXIS_NAMES, row["pose"], strict=True)}
    return {
        "model": numbers[model.sha256, model.seed],
        "index": int(row["index"]),
        **pose,
        "ambient": float(str(row["ambient"])),
        "shading": light.shading,
    }


def _file_names(reader: ShardReader, values: _Values, i: int) -> dict[PictureName, str]:
    """Where the pictures of a sample go; its rest picture serves all under its light."""
    folder, index = f"{values['model']:05d}", values["index"]
    return {
        "rest": f"{folder}/rest-{reader.samples[i]['light']}.png",
        "expression": f"{folder}/{index}-expression.png",
        "posed": f"{folder}/{index}-posed.png",
    }


def _png(reader: ShardReader, i: int, name: PictureName) -> bytes:
    (picture,) = reader.pictures(i, (name,))
    return png_bytes(picture, QUICK)
