"""VMD motions, whole: keyframes of bones, morphs, camera, light, shadow and IK switches.

Source: the VMD format description ("VMD file format", MMD 7.40 and later); which bytes of a curve
hold which control point was checked on files of MMD itself. Text is cp932 in fixed fields cut at
the first NUL, or what other programs took for it. Sections from the camera on may be missing, in
order, from the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from contract.errors import FormatError
from renderer.formats.cursor import MOST_RECORDS, Cursor

FRAMES_PER_SECOND = 30.0
MAX_FILE_BYTES = 256 << 20
_MOST_SWITCHES = 1 << 20

Records = npt.NDArray[Any]

BONE_RECORD = np.dtype(
    [
        ("name", "V15"),
        ("frame", "<u4"),
        ("position", "<f4", 3),
        ("rotation", "<f4", 4),  # quaternion x, y, z, w, in the file's own numbers
        ("curves", "u1", 64),
    ]
)
MORPH_RECORD = np.dtype([("name", "V15"), ("frame", "<u4"), ("weight", "<f4")])
CAMERA_RECORD = np.dtype(
    [
        ("frame", "<u4"),
        ("distance", "<f4"),
        ("target", "<f4", 3),
        ("rotation", "<f4", 3),
        ("curves", "u1", 24),
        ("view_angle_degrees", "<u4"),
        ("orthographic", "u1"),
    ]
)
LIGHT_RECORD = np.dtype([("frame", "<u4"), ("color", "<f4", 3), ("direction", "<f4", 3)])
SHADOW_RECORD = np.dtype([("frame", "<u4"), ("mode", "u1"), ("distance", "<f4")])
IK_SWITCH_RECORD = np.dtype([("name", "V20"), ("on", "u1")])
_OTHERS = {"camera": CAMERA_RECORD, "light": LIGHT_RECORD, "shadow": SHADOW_RECORD}

_MAGIC = b"Vocaloid Motion Data "
_NAME_BYTES = {b"0002": 20, b"file": 10}

# cp932 reads nearly any bytes, so an encoding is known by the names that it gives.
_ENCODINGS = ("cp932", "utf-8", "gb18030", "big5hkscs", "cp949")
_KNOWN_NAMES = frozenset(
    (
        *("全ての親", "センター", "グルーブ", "上半身", "上半身2", "下半身", "首", "頭"),
        *("両目", "左目", "右目", "左肩", "右肩", "左腕", "右腕", "左ひじ", "右ひじ", "左手首"),
        *("右手首", "左足", "右足", "左ひざ", "右ひざ", "左足首", "右足首", "左足ＩＫ", "右足ＩＫ"),
        *("まばたき", "笑い", "ウィンク", "ウィンク右", "ウィンク２", "ｳｨﾝｸ２右", "なごみ"),
        *("あ", "い", "う", "え", "お", "ワ", "真面目", "困る", "にこり", "怒り", "上", "下", "涙"),
    )
)

# The 64 bytes are four rows of 16, each the row before moved on by one. MMD keeps physics flags in
# bytes 2 and 3 of the first row, so x1 of the rotation is read where the last row begins.
_ROTATION_CURVE = (48, 7, 11, 15)


@dataclass(frozen=True)
class IkFrame:
    """From ``frame`` on: is the model shown, and which IK chains are on."""

    frame: int
    shown: bool
    switches: Mapping[str, bool]


@dataclass(frozen=True)
class Vmd:
    """A motion file; all arrays are read-only, frames are thirtieths of a second.

    ``bones`` and ``morphs``: by name, ``BONE_RECORD`` or ``MORPH_RECORD`` in order of frames, one
    a frame (the file's last where there are several). ``broken``: names of those whose numbers are
    not finite, and the fault to raise where one of them is needed. ``note`` says in a line what
    else is not as it should be; it is empty for most files.
    """

    model_name: str
    bones: Mapping[str, Records]
    morphs: Mapping[str, Records]
    camera: Records
    light: Records
    shadow: Records
    ik: tuple[IkFrame, ...]
    trailing_bytes: int
    broken: Mapping[str, FormatError]
    note: str

    @property
    def last_frame(self) -> int:
        """The last frame of any bone or morph."""
        tracks = (*self.bones.values(), *self.morphs.values())
        return max((int(track["frame"][-1]) for track in tracks), default=0)


def rotation_curves(records: Records) -> npt.NDArray[np.float64]:
    """The Bezier control points x1, y1, x2, y2 in [0, 1], (n, 4), of ``BONE_RECORD`` records.

    They shape the rotation from the keyframe before to this one.
    """
    curves: npt.NDArray[np.float64] = records["curves"][:, list(_ROTATION_CURVE)] / 127.0
    return np.minimum(curves, 1.0)


def read_vmd(path: Path) -> Vmd:
    """Read a VMD file.

    ``FormatError`` (file, section, byte offset) where it is unreadable, no VMD, or cut short before
    the end of its morphs; whatever follows them is used as far as it is whole.
    """
    cursor = Cursor(_read_bytes(path), path.name)
    model_name = _header(cursor)
    bones = _records(cursor, "bones", BONE_RECORD)
    morphs = _records(cursor, "morphs", MORPH_RECORD)
    bone_names, morph_names = _Names(cursor, "bones", bones), _Names(cursor, "morphs", morphs)
    encoding = _encoding({*bone_names.raw, *morph_names.raw})
    broken: dict[str, FormatError] = {}
    bone_tracks = _tracks(cursor, "bones", bones, bone_names, encoding, broken)
    morph_tracks = _tracks(cursor, "morphs", morphs, morph_names, encoding, broken)
    notes = [] if encoding == "cp932" else [f"its names are in {encoding}, not in cp932"]
    notes += [f"{', '.join(sorted(broken))} not finite"] if broken else []
    others: dict[str, Records] = {name: np.empty(0, record) for name, record in _OTHERS.items()}
    ik: tuple[IkFrame, ...] = ()
    try:
        for section, record in _OTHERS.items():
            others[section] = _records(cursor, section, record)
        ik = _ik(cursor, encoding)
    except FormatError as fault:
        notes.append(str(fault).removeprefix(f"{path.name}: ").split("; ")[0])
    return Vmd(
        _decode(model_name, encoding),
        bone_tracks,
        morph_tracks,
        **others,
        ik=ik,
        trailing_bytes=cursor.remaining,
        broken=broken,
        note="; ".join(notes),
    )


def _read_bytes(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise FormatError(f"{path.name}: not a file; give a motion file", "unreadable-file")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise FormatError(
                f"{path.name}: over {MAX_FILE_BYTES >> 20} MiB; this is not read", "file-too-large"
            )
        return path.read_bytes()
    except OSError as error:
        raise FormatError(
            f"{path.name}: cannot be read ({error.strerror}); check the file", "unreadable-file"
        ) from error


def _header(cursor: Cursor) -> bytes:
    signature = cursor.raw(30, "the signature")
    size = _NAME_BYTES.get(signature[len(_MAGIC) :].split(b"\0", 1)[0])
    if not signature.startswith(_MAGIC) or size is None:
        raise cursor.fault("no VMD signature; this is not a VMD file", "not-a-motion", 0)
    return cursor.raw(size, "the model's name")


def _records(cursor: Cursor, section: str, record: np.dtype[Any]) -> Records:
    """The records of a section; none where the file ends before it."""
    cursor.enter(section)
    if section in _OTHERS and not cursor.remaining:
        return np.empty(0, record)
    count = cursor.count(record.itemsize, f"{section} keyframes", "I")
    return cursor.array(record, count, f"{section} keyframes")


class _Names:
    """The names in a section's records: ``raw``, each once, and ``number``, which one each record
    has, (n,). ``FormatError`` where there are more than any motion has."""

    def __init__(self, cursor: Cursor, section: str, records: Records) -> None:
        fields = np.ascontiguousarray(records["name"]).view(f"S{records.dtype['name'].itemsize}")
        unique, self.number = np.unique(fields, return_inverse=True)
        if len(unique) > MOST_RECORDS:
            cursor.section = section
            raise cursor.fault(
                f"{len(unique)} names; no motion has over {MOST_RECORDS}, the file is corrupt",
                offset=cursor.section_starts[section],
            )
        self.raw: list[bytes] = unique.tolist()


def _encoding(raw: set[bytes]) -> str:
    """The encoding under which most names are known ones."""

    def known(encoding: str) -> int:
        return sum(_decode(name, encoding) in _KNOWN_NAMES for name in raw)

    return max(_ENCODINGS, key=known)


def _decode(field: bytes, encoding: str) -> str:
    """A fixed field up to its first NUL; cut-off characters become replacement ones."""
    return field.split(b"\0", 1)[0].decode(encoding, errors="replace")


def _tracks(
    cursor: Cursor,
    section: str,
    records: Records,
    names: _Names,
    encoding: str,
    broken: dict[str, FormatError],
) -> Mapping[str, Records]:
    """The records by name; names of those with numbers that are not finite go to ``broken``."""
    decoded = [_decode(name, encoding) for name in names.raw]
    rows: dict[str, list[npt.NDArray[np.intp]]] = {}
    by_name = np.argsort(names.number, kind="stable")
    ends = np.cumsum(np.bincount(names.number, minlength=len(decoded)))
    for name, of_name in zip(decoded, np.split(by_name, ends[:-1]), strict=False):
        rows.setdefault(name, []).append(of_name)
    cursor.section = section
    for row, field in _not_finite(records, names.number):
        fault = cursor.fault(
            f"keyframe {row} has a {field} that is not finite; the file is corrupt",
            "non-finite-numbers",
            cursor.section_starts[section] + 4 + row * records.itemsize,
        )
        name = decoded[names.number[row]]
        rows.pop(name, None)
        broken.setdefault(name, fault)
    first = {name: np.sort(np.concatenate(parts)) for name, parts in rows.items()}
    in_order = sorted(first, key=lambda name: int(first[name][0]))
    return {name: _ordered(records[first[name]]) for name in in_order}


def _ordered(track: Records) -> Records:
    """By frame, the last of those at the same frame."""
    track = track[np.argsort(track["frame"], kind="stable")]
    is_last = np.append(np.diff(track["frame"].astype(np.int64)) > 0, True)
    kept: Records = track[is_last]
    kept.setflags(write=False)
    return kept


def _not_finite(records: Records, names: npt.NDArray[np.intp]) -> Iterator[tuple[int, str]]:
    """The first row of each name with a number that is not finite, and its field."""
    for field in ("position", "rotation", "weight"):
        if field in (records.dtype.names or ()):
            finite = np.isfinite(records[field])
            rows = np.flatnonzero(~finite.all(axis=tuple(range(1, finite.ndim))))
            for first in np.sort(np.unique(names[rows], return_index=True)[1]).tolist():
                yield int(rows[first]), field


def _ik(cursor: Cursor, encoding: str) -> tuple[IkFrame, ...]:
    cursor.enter("IK switches")
    if not cursor.remaining:
        return ()
    frames: list[IkFrame] = []
    left = _MOST_SWITCHES
    for _ in range(cursor.few(9, "IK keyframes", "I")):
        frame, shown = cursor.unpack("IB", "an IK keyframe")
        count = cursor.few(IK_SWITCH_RECORD.itemsize, "IK switches", "I")
        left -= count
        if left < 0:
            raise cursor.fault(f"over {_MOST_SWITCHES} IK switches; the file is corrupt")
        switches = cursor.array(IK_SWITCH_RECORD, count, "IK switches")
        names = [_decode(switch["name"].tobytes(), encoding) for switch in switches]
        states = dict(zip(names, map(bool, switches["on"]), strict=True))
        frames.append(IkFrame(frame, bool(shown), states))
    return tuple(frames)
