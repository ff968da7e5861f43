"""What is read from strangers, each with sound inputs to make wrong ones of.

``read`` must end, or raise one of the project's own errors: nothing else, whatever the bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np

from contract.errors import InputError, ShardError
from contract.pose import pose_from_mapping
from tests.support.fuzzing.mutation import (
    Mutator,
    any_number,
    anywhere,
    at_marks,
    in_json,
    in_lines,
    in_png,
)

Read = Callable[[Path], object]


@dataclass(frozen=True)
class Seed:
    """A sound input, and how it is made wrong."""

    data: bytes
    mutators: Sequence[Mutator]


@dataclass(frozen=True)
class Target:
    """``seeds`` are made in an empty folder, which ``prepare`` fills with what else is read.

    ``name``: of the file that ``read`` is given. ``share``: how many inputs it gets, beside others.
    """

    name: str
    seeds: Callable[[Path], Sequence[Seed]]
    read: Read
    prepare: Callable[[Path], None] = lambda _: None
    share: float = 1.0


# Models and motions.


def _pmx(_folder: Path) -> list[Seed]:
    from tests.support.complete_models import complete_pmx

    built = complete_pmx()
    marks = [(at, letter) for _, at, letter in built.counts]
    return [Seed(bytes(built.data), (at_marks(marks), any_number, anywhere))]


def _pmd(_folder: Path) -> list[Seed]:
    from tests.support.complete_models import complete_pmd

    built = complete_pmd()
    marks = [(at, letter) for _, at, letter in built.counts]
    return [Seed(bytes(built.data), (at_marks(marks), any_number, anywhere))]


def _read_model(path: Path) -> None:
    """Read, rigged and posed, as a scan does."""
    from contract.rig import MorphUse
    from renderer.deform.deformer import Deformer
    from renderer.fit.fit_rig import fit_rig
    from renderer.formats.read import read_model

    model = read_model(path)
    deformer = Deformer(model)
    uses = tuple(MorphUse(number, 0.7) for number in range(min(len(model.morphs), 20)))
    deformer.skin(deformer.morph(uses), {})
    fit_rig(model)


def _characters(folder: Path) -> list[Seed]:
    from characters.files.generate import write_character

    made = [write_character(folder / kind, 1, kind) for kind in ("pmx", "pmd")]
    return [Seed(path.read_bytes(), (any_number, anywhere)) for path in made]


def _vmd(_folder: Path) -> list[Seed]:
    from tests.support.vmd_bytes import bone, morph, vmd

    turned = (0.1, 0.2, 0.0, 0.97)
    data = vmd(
        [bone("頭", 0), bone("頭", 20, turned), bone("首", 10, turned), bone("上半身", 5)],
        [morph("あ", 0, 0.0), morph("あ", 12, 1.0), morph("まばたき", 7, 1.0)],
    )
    marks = [(50, "I"), (54 + 4 * 111, "I"), (69, "I"), (54 + 111 + 15, "I")]
    return [Seed(data, (at_marks(marks), any_number, anywhere))]


def _read_vmd(path: Path) -> None:
    from animate.motion.vmd_motion import read_motion

    read_motion(path, 30.0)


# Pictures.


def _pictures(_folder: Path) -> list[Seed]:
    import io

    from PIL import Image

    rng = np.random.default_rng(3)
    shades = rng.integers(0, 256, (24, 20, 4), np.uint8)
    shades[:6, :, 3] = 0
    rgba = Image.fromarray(shades, "RGBA")
    rgb, grey = rgba.convert("RGB"), rgba.convert("L")
    deep = Image.fromarray(shades[..., 0].astype(np.uint16) * 257)
    frames = {"save_all": True, "append_images": [rgba.rotate(90), rgba], "duration": 40}
    kinds: list[tuple[Image.Image, str, dict[str, object]]] = [
        *((one, "PNG", {}) for one in (rgba, rgb.convert("P"), deep, grey.convert("1"))),
        (rgba, "PNG", frames),
        *((rgb, "JPEG", {"progressive": p, "quality": 60}) for p in (False, True)),
        *((rgb.convert("CMYK"), "JPEG", {}), (grey, "JPEG", {})),
        *((rgba, "WEBP", {"lossless": lossless}) for lossless in (False, True)),
        (rgba, "WEBP", frames),
        *((rgb, "GIF", {}), (rgba, "GIF", frames), (rgb, "BMP", {}), (rgba, "BMP", {})),
        *((rgb.convert("P"), "BMP", {}), (rgba, "TGA", {}), (grey, "TGA", {"rle": True})),
        *((rgba, "TIFF", {"compression": c}) for c in (None, "tiff_lzw", "tiff_adobe_deflate")),
        *((rgb, "TIFF", {"compression": "jpeg"}), (deep, "TIFF", {}), (grey, "TIFF", {})),
        *((rgba, "DDS", {"pixel_format": p}) for p in (None, "DXT1", "DXT5", "BC5")),
        *((rgb, "DDS", {}), (grey, "DDS", {})),
    ]
    seeds = []
    for image, kind, options in kinds:
        out = io.BytesIO()
        given = {name: value for name, value in options.items() if value is not None}
        source = rgb if options.get("pixel_format") == "BC5" else image
        source.save(out, kind, **given)
        special = (in_png, in_png) if kind == "PNG" else (any_number,)
        seeds.append(Seed(out.getvalue(), (*special, any_number, anywhere)))
    return seeds


def _read_texture(path: Path) -> None:
    from renderer.draw.textures import load_texture

    load_texture(path, 16)


def _read_drawing(path: Path) -> None:
    from animate.drawing.check import check
    from animate.drawing.drawing import read_drawing

    drawing = read_drawing(path)
    if drawing.picture.size < 1 << 14 and drawing.picture[0, 0, 0] % 64 == 0:
        check(drawing)  # slower by far than reading


# Shards.


def _shards(folder: Path) -> list[Seed]:
    from tests.support.shard_bytes import write_shard

    seeds = []
    for codec in ("qoi", "webp"):
        write_shard(folder / f"{codec}.h5", codec)
        seeds.append(Seed((folder / f"{codec}.h5").read_bytes(), (in_shard, any_number, anywhere)))
    return seeds


def in_shard(rng: np.random.Generator, data: bytes) -> bytes:
    """A shard whose tables, attributes or pictures were changed, with a checksum that is right."""
    import io

    import h5py

    from dataset.shards.schema import TABLE_TYPES, tables_crc32

    file = io.BytesIO(data)
    with h5py.File(file, "r+") as shard:
        for _ in range(int(rng.integers(1, 3))):
            name = str(rng.choice([*TABLE_TYPES, "frames", *shard.attrs]))
            if name in shard.attrs:
                value = np.array(shard.attrs[name])
                raw = anywhere(rng, value.tobytes())[: value.nbytes].ljust(value.nbytes, b"\0")
                shard.attrs[name] = np.frombuffer(raw, value.dtype)[0]
            else:
                table = shard[name][:]
                raw = any_number(rng, table.tobytes())[: table.nbytes].ljust(table.nbytes, b"\0")
                shard[name][:] = np.frombuffer(raw, table.dtype)
        shard.attrs["tables_crc32"] = tables_crc32(shard[name][:] for name in TABLE_TYPES)
    return file.getvalue()


def _read_shard(path: Path) -> None:
    from dataset.shards.shard import ShardReader

    with ShardReader(path) as reader:
        for number in range(len(reader)):
            try:
                reader.sample(number)
            except ShardError:
                continue


# Networks.


def _config() -> object:
    from models.base.config import NetworkConfig

    return NetworkConfig(size=16, channels=1, max_channels=2, residual_blocks=1)


@cache
def _bundle_bytes(folder: Path) -> Mapping[str, bytes]:
    from models.base.config import NetworkConfig
    from models.files.bundle import save_bundle
    from tests.support.untrained import untrained

    config = NetworkConfig(size=16, channels=1, max_channels=2, residual_blocks=1)
    save_bundle(folder / "sound", untrained(config, "L1"))
    return {path.name: path.read_bytes() for path in (folder / "sound").iterdir()}


def _bundle_records(folder: Path) -> list[Seed]:
    return [Seed(_bundle_bytes(folder)["bundle.json"], (in_json,))]


def _fill_bundle(folder: Path) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as other:
        for name, data in _bundle_bytes(Path(other)).items():
            (folder / name).write_bytes(data)


def _read_bundle(path: Path) -> None:
    from models.files.bundle import load_bundle

    load_bundle(path.parent)


def _tensors(folder: Path) -> list[Seed]:
    return [Seed(_bundle_bytes(folder)["morpher.safetensors"], (in_tensors, any_number, anywhere))]


def in_tensors(rng: np.random.Generator, data: bytes) -> bytes:
    """A safetensors file whose header was changed, its length being right."""
    size = int.from_bytes(data[:8], "little")
    header = in_json(rng, data[8 : 8 + size])
    return len(header).to_bytes(8, "little") + header + data[8 + size :]


def _read_tensors(path: Path) -> None:
    """With a record that says that these are the right bytes."""
    import hashlib

    record = path.parent / "bundle.json"
    document = json.loads(_sound_record(path.parent))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    document["networks"]["morpher"]["sha256"] = sha256
    record.write_text(json.dumps(document))
    _read_bundle(path)


@cache
def _sound_record(folder: Path) -> bytes:
    return (folder / "bundle.json").read_bytes()


def _onnx_records(_folder: Path) -> list[Seed]:
    from models.files.onnx_record import PARTS, WIDE_PARTS, OnnxRecord, write_onnx_record

    digests = dict.fromkeys((*PARTS, *WIDE_PARTS), "0" * 64)
    write_onnx_record(_folder, OnnxRecord(64, 32, 32, "FU-L1-L1", digests))
    return [Seed((_folder / "onnx.json").read_bytes(), (in_json,))]


def _read_onnx_record(path: Path) -> None:
    from models.files.onnx_record import read_onnx_record

    read_onnx_record(path.parent)


@cache
def _trainee() -> object:
    import torch

    from models.base.execution import Execution
    from models.networks.face_morpher import FaceMorpher
    from tests.support.tiny_runs import tiny_plan
    from train.plan.plan import StageSettings
    from train.run.trainee import Trainee

    torch.manual_seed(0)
    plan = tiny_plan(StageSettings(4, 8, 1e-2, 8, "cosine", 0.5, 0.2))
    trainee = Trainee(FaceMorpher(_config()), plan, torch.device("cpu"), Execution())  # type: ignore[arg-type]
    loss = sum(parameter.square().sum() for parameter in trainee.network.parameters())
    trainee.step_back(loss, 1.0, 4, 16)  # type: ignore[arg-type]
    return trainee


def _checkpoints(folder: Path) -> list[Seed]:
    from train.run.checkpoint import save_checkpoint
    from train.run.trainee import Trainee

    trainee = _trainee()
    assert isinstance(trainee, Trainee)
    decides = {"stage": {"samples": 8, "batch": 4}, "network": {"size": 16}, "data": "c0ffee"}
    save_checkpoint(folder / "checkpoint.pt", trainee.checkpoint("morpher", decides))
    data = (folder / "checkpoint.pt").read_bytes()
    return [Seed(data, (in_archive, in_archive, any_number, anywhere))]


def in_archive(rng: np.random.Generator, data: bytes) -> bytes:
    """A zip archive with an entry changed, renamed, removed or packed, its sums being right."""
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
    pickles = [n for n, (name, _) in enumerate(entries) if name.endswith(".pkl")]
    for _ in range(int(rng.integers(1, 3))):
        at = pickles[0] if rng.random() < 0.6 else int(rng.integers(len(entries)))
        name, inner = entries[at]
        match int(rng.integers(8)):
            case 0:
                entries[at] = name + "x", inner
            case 1:
                entries[at] = name, b""
            case 2:
                entries[at] = name, any_number(rng, inner)
            case _:
                entries[at] = name, anywhere(rng, inner)
    out = io.BytesIO()
    packing = zipfile.ZIP_DEFLATED if rng.random() < 0.02 else zipfile.ZIP_STORED
    with zipfile.ZipFile(out, "w", packing) as archive:
        for name, inner in entries:
            archive.writestr(name, inner)
    return out.getvalue()


def _read_checkpoint(path: Path) -> None:
    """Load, and go on with it."""
    from train.run.checkpoint import load_checkpoint, naming_damage, require_same
    from train.run.trainee import Trainee

    checkpoint = load_checkpoint(path)
    trainee = _trainee()
    assert isinstance(trainee, Trainee)
    with naming_damage(path):
        trainee.restore(checkpoint)
    require_same(path, checkpoint, checkpoint.decides)


# Tables, records, journals.


def _catalogs(folder: Path) -> list[Seed]:
    from dataset.catalog.catalog import Catalog, save_catalog
    from tests.support.catalog_rows import model

    rows = (model("a/0.pmx"), model("b/1.pmx", 0, doubtful=True), model("c/2.pmx", 0))
    save_catalog(folder / "catalog.jsonl", Catalog(folder, "1", rows, ("a.zip",), ("link",)))
    return [Seed((folder / "catalog.jsonl").read_bytes(), (in_lines,))]


def _read_catalog(path: Path) -> None:
    from dataset.catalog.catalog import load_catalog
    from dataset.catalog.choose import Wish, choose

    choose(load_catalog(path), {}, Wish())


def _overrides(folder: Path) -> list[Seed]:
    from contract.rig import HeadBox, MorphUse
    from dataset.catalog.corrections import Correction, save_corrections
    from tests.support.catalog_rows import model

    one, other = model("a/0.pmx"), model("b/1.pmx")
    drives = {"mouth": (MorphUse(1, 0.5, name="あ"),)}
    box = HeadBox(16.0, 19.0, 0.1)
    said = {
        one.sha256: Correction(one.sha256, one.path, "accept", box, drives),
        other.sha256: Correction(other.sha256, other.path, "reject"),
    }
    save_corrections(folder / "overrides.jsonl", said)
    return [Seed((folder / "overrides.jsonl").read_bytes(), (in_lines,))]


def _read_overrides(path: Path) -> None:
    from dataset.catalog.corrections import corrected_row, load_corrections
    from tests.support.catalog_rows import model

    said = load_corrections(path)
    for row in (model("a/0.pmx"), model("b/1.pmx")):
        corrected_row(row, said.get(row.sha256))


def _splits(_folder: Path) -> list[Seed]:
    data = {"train": ["a", "b"], "validation": ["c"], "test": ["d"], "seed": 3, "split_version": 1}
    return [Seed(json.dumps(data).encode(), (in_json,))]


def _read_split(path: Path) -> None:
    from dataset.shards.split_file import read_split

    read_split(path)


def _plans(_folder: Path) -> list[Seed]:
    from dataset.build.configuration import Configuration
    from dataset.build.plan import make_plan, plan_to_json
    from dataset.catalog.choose import PlannedModel, Selection
    from tests.support.tiny_renderer import tiny_annotation

    model = PlannedModel("a/0.pmx", "0" * 64, tiny_annotation())
    plan = make_plan(
        Selection((model,), {}, {}, {}, (), ()), Configuration(5, 3, 16, "mixed", 0.5, 1.2)
    )
    return [Seed(plan_to_json(plan), (in_json,))]


def _read_plan(path: Path) -> None:
    from dataset.build.plan import load_plan

    load_plan(path.parent).shards()


def _quarantines(_folder: Path) -> list[Seed]:
    from contract.records import json_line
    from dataset.catalog.quarantine import QuarantineRow

    rows = [QuarantineRow(f"{n}.pmx", "0" * 64, "no-head-bone", "no head", "open") for n in "abc"]
    return [Seed(b"".join(json_line(asdict(row)) for row in rows), (in_lines,))]


def _read_quarantine(path: Path) -> None:
    from dataset.catalog.quarantine import Quarantine, QuarantineRow

    quarantine = Quarantine(path.parent)
    quarantine.add(QuarantineRow("new.pmx", "0" * 64, "code", "text", "open"))
    assert "new.pmx" in Quarantine(path.parent), "what was added is lost"


def _histories(_folder: Path) -> list[Seed]:
    row = {"stage": "morpher", "samples": 8, "held_out_mse": {"image": 0.1}, "loss": 0.5}
    return [Seed(json.dumps(row).encode() + b"\n" + json.dumps(row).encode() + b"\n", (in_lines,))]


def _read_history(path: Path) -> None:
    from train.run.watch import read_history

    read_history(path.parent)


def _tables(_folder: Path) -> list[Seed]:
    text = "time,head_x,left_eye,mouth\n0,0.5,1,0\n0.5,-0.5,0,1\n1.25,0,0.25,0.5\n"
    return [Seed(text.encode(), (in_table, anywhere))]


def in_table(rng: np.random.Generator, data: bytes) -> bytes:
    """A table with cells changed, doubled or removed."""
    rows = [line.split(b",") for line in data.splitlines()]
    cells = (
        b"nan",
        b"inf",
        b"",
        b'"',
        b"1e999",
        b"-1",
        b"0x1",
        b"time",
        b"\xff",
        b"\0",
        b"9" * 400,
    )
    for _ in range(int(rng.integers(1, 5))):
        row = rows[int(rng.integers(len(rows)))]
        at = int(rng.integers(len(row) + 1))
        row[at : at + int(rng.integers(2))] = [cells[int(rng.integers(len(cells)))]]
    return b"\n".join(b",".join(row) for row in rows) + b"\n"


def _read_table(path: Path) -> None:
    from animate.motion.motion import read_csv

    read_csv(path, 25.0)


def _calibrations(_folder: Path) -> list[Seed]:
    names = "head_x head_y neck_z left_shut left_open right_shut right_open mouth_shut mouth_open"
    values = {name: number / 10 for number, name in enumerate(names.split())}
    return [Seed(json.dumps(values).encode(), (in_json,))]


def _read_calibration(path: Path) -> None:
    from animate.track.calibration import load

    load(path)


def _messages(_folder: Path) -> list[Seed]:
    said = {"pose": {"head_x": 0.5, "mouth": 1}, "motion": None, "shown": True}
    return [Seed(json.dumps(said).encode(), (in_json,))]


def _read_message(path: Path) -> None:
    """What a page says over its WebSocket, as far as it is one value."""
    try:
        said = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError("no message") from error
    pose = said.get("pose") if isinstance(said, dict) else None
    if isinstance(pose, dict) and all(isinstance(value, int | float) for value in pose.values()):
        pose_from_mapping(pose)


TARGETS: Mapping[str, Target] = {
    "pmx": Target("model.pmx", _pmx, _read_model, share=3),
    "pmd": Target("model.pmd", _pmd, _read_model, share=2),
    "characters": Target("model.pmx", _characters, _read_model, share=0.05),
    "vmd": Target("motion.vmd", _vmd, _read_vmd, share=2),
    "textures": Target("texture.png", _pictures, _read_texture, share=4),
    "drawings": Target("drawing.png", _pictures, _read_drawing, share=3),
    "shards": Target("shard.h5", _shards, _read_shard, share=2),
    "bundles": Target("bundle.json", _bundle_records, _read_bundle, _fill_bundle),
    "tensors": Target("morpher.safetensors", _tensors, _read_tensors, _fill_bundle),
    "onnx-records": Target("onnx.json", _onnx_records, _read_onnx_record),
    "checkpoints": Target("checkpoint.pt", _checkpoints, _read_checkpoint, share=2),
    "catalogues": Target("catalog.jsonl", _catalogs, _read_catalog, share=2),
    "overrides": Target("overrides.jsonl", _overrides, _read_overrides, share=2),
    "splits": Target("split.json", _splits, _read_split),
    "plans": Target("plan.json", _plans, _read_plan),
    "quarantines": Target("quarantine.jsonl", _quarantines, _read_quarantine),
    "histories": Target("history.jsonl", _histories, _read_history),
    "pose-tables": Target("poses.csv", _tables, _read_table),
    "calibrations": Target("calibration.json", _calibrations, _read_calibration),
    "messages": Target("message.json", _messages, _read_message),
}
