"""VMD against bytes written out by hand."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from contract.errors import FormatError
from renderer.formats.vmd import Vmd, read_vmd, rotation_curves
from tests.support.vmd_bytes import bone, morph, vmd


def read(folder: Path, data: bytes) -> Vmd:
    path = folder / "a.vmd"
    path.write_bytes(data)
    return read_vmd(path)


def test_all_sections(tmp_path: Path) -> None:
    data = vmd([bone("頭", 7, (0, 0, 0.6, 0.8), (1, 2, 3))], [morph("あ", 3, 0.25)])
    data += struct.pack("<I I7f24BIB", 1, 5, -45, 1, 2, 3, 4, 5, 6, *range(24), 30, 1)
    data += struct.pack("<I I6f", 1, 6, 0.1, 0.2, 0.3, -1, -2, -3)
    data += struct.pack("<I IBf", 1, 8, 2, 0.5)
    data += struct.pack("<I IBI", 1, 9, 1, 2)
    data += "左足ＩＫ".encode("cp932").ljust(20, b"\0") + b"\0"
    data += "右足ＩＫ".encode("cp932").ljust(20, b"\0") + b"\1"
    motion = read(tmp_path, data + b"junk")
    (head,) = motion.bones["頭"]
    assert head["frame"] == 7
    assert head["position"].tolist() == [1, 2, 3]
    np.testing.assert_allclose(head["rotation"], [0, 0, 0.6, 0.8], rtol=1e-6)
    assert motion.morphs["あ"][["frame", "weight"]].tolist() == [(3, 0.25)]
    assert motion.camera[["frame", "distance", "view_angle_degrees", "orthographic"]].tolist() == [
        (5, -45, 30, 1)
    ]
    assert motion.light["direction"].tolist() == [[-1, -2, -3]]
    assert motion.shadow[["frame", "mode", "distance"]].tolist() == [(8, 2, 0.5)]
    assert [(one.frame, one.shown, one.switches) for one in motion.ik] == [
        (9, True, {"左足ＩＫ": False, "右足ＩＫ": True})
    ]
    assert (motion.trailing_bytes, motion.last_frame) == (4, 7)


def test_later_sections_may_be_missing_from_the_end(tmp_path: Path) -> None:
    motion = read(tmp_path, vmd())
    assert len(motion.camera) == len(motion.light) == len(motion.shadow) == len(motion.ik) == 0
    motion = read(tmp_path, vmd() + bytes(4))
    assert (len(motion.camera), motion.trailing_bytes) == (0, 0)


def test_the_old_header_has_a_shorter_name(tmp_path: Path) -> None:
    old = b"Vocaloid Motion Data file".ljust(30, b"\0") + "ミク".encode("cp932").ljust(10, b"\0")
    motion = read(tmp_path, old + bytes(4) + struct.pack("<I", 1) + morph("あ", 0, 1))
    assert motion.model_name == "ミク"
    assert list(motion.morphs) == ["あ"]


def test_a_name_ends_at_nul_and_may_be_cut_in_mid_character(tmp_path: Path) -> None:
    dirty = "頭".encode("cp932") + b"\0\xfd\xfdab"
    cut = "あいうえおかきく".encode("cp932")[:15]
    whole = bone("x", 0)[15:]
    data = vmd([dirty.ljust(15, b"\xfd") + whole, cut + whole])
    names = list(read(tmp_path, data).bones)
    assert names[0] == "頭"
    assert names[1] == "あいうえおかき\ufffd"


def test_tracks_are_in_order_of_frames_and_the_last_of_equals_counts(tmp_path: Path) -> None:
    data = vmd(
        [], [morph("あ", 9, 0.9), morph("い", 0, 1), morph("あ", 2, 0.1), morph("あ", 9, 0.5)]
    )
    track = read(tmp_path, data).morphs["あ"]
    assert track[["frame", "weight"]].tolist() == [
        (2, pytest.approx(0.1)),
        (9, 0.5),
    ]


def test_the_rotation_curve_is_read_past_the_physics_flags(tmp_path: Path) -> None:
    data = vmd([bone("頭", 0, curve=(127, 0, 64, 32))])
    curves = rotation_curves(read(tmp_path, data).bones["頭"])
    np.testing.assert_allclose(curves, [[1, 0, 64 / 127, 32 / 127]])


FAULTS = {
    "empty": (b"", "header, byte 0 of 0"),
    "another kind": (b"\x89PNG".ljust(99), "no VMD signature"),
    "another version": (b"Vocaloid Motion Data 0003".ljust(99, b"\0"), "no VMD signature"),
    "bones cut short": (vmd([bone("頭", 0)])[:-9], "bones, byte 50 of 160: 1 bones keyframes"),
    "no morphs": (vmd()[:-4], "morphs, byte 54 of 54"),
    "lying count": (vmd()[:50] + b"\xff\xff\xff\xff", "bones, byte 50 of 54: 4294967295"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_say_where(tmp_path: Path, name: str) -> None:
    data, words = FAULTS[name]
    with pytest.raises(FormatError) as caught:
        read(tmp_path, data)
    assert words in str(caught.value)
    assert str(caught.value).startswith("a.vmd: ")
    assert "\n" not in str(caught.value)


def test_every_shortening_is_refused_or_a_whole_motion(tmp_path: Path) -> None:
    whole = vmd([bone("頭", 0)], [morph("あ", 0, 1)]) + bytes(16)
    ends = []
    for size in range(len(whole)):
        try:
            motion = read(tmp_path, whole[:size])
        except FormatError:
            continue
        assert (list(motion.bones), list(motion.morphs)) == (["頭"], ["あ"])
        ends += [] if motion.note else [len(whole) - size]
        assert motion.note == "" or "is left" in motion.note or "are left" in motion.note
    assert ends == [16, 12, 8, 4]


@pytest.mark.parametrize("rest", [b"rubbish" * 9, bytes(12) + struct.pack("<IIBI", 1, 0, 1, 9)])
def test_rubbish_after_the_morphs_is_said_in_one_note(tmp_path: Path, rest: bytes) -> None:
    motion = read(tmp_path, vmd([bone("頭", 0)], [morph("あ", 3, 1)]) + rest)
    assert (list(motion.bones), list(motion.morphs)) == (["頭"], ["あ"])
    assert (motion.ik, "byte" in motion.note, "\n" in motion.note) == ((), True, False)


@pytest.mark.parametrize(
    ("encoding", "found"),
    [("cp932", ""), ("utf-8", "utf-8"), ("gb18030", "gb18030"), ("big5hkscs", "big5hkscs")],
)
def test_names_are_read_in_the_encoding_that_makes_sense_of_them(
    tmp_path: Path, encoding: str, found: str
) -> None:
    """A file of two bones and two morphs, as a program of that country writes it."""

    def said(data: bytes, name: str) -> bytes:
        return name.encode(encoding)[:15].ljust(15, b"\0") + data[15:]

    bones = [said(bone("x", 0), name) for name in ("頭", "首", "上半身", "左足")]
    morphs = [said(morph("x", 0, 1), name) for name in ("まばたき", "あ")]
    motion = read(tmp_path, vmd(bones, morphs))
    assert {"頭", "首"} <= set(motion.bones)
    assert set(motion.morphs) == {"まばたき", "あ"}
    assert found in motion.note
    assert bool(motion.note) == bool(found)


def test_what_is_not_finite_breaks_its_own_track_only(tmp_path: Path) -> None:
    nan = float("nan")
    bones = [bone("頭", 0), bone("首", 0, (0, nan, 0, 1)), bone("首", 5), bone("頭", 5)]
    motion = read(tmp_path, vmd(bones, [morph("あ", 0, nan), morph("い", 0, 1)]))
    assert (list(motion.bones), list(motion.morphs)) == (["頭"], ["い"])
    assert set(motion.broken) == {"首", "あ"}
    assert "a.vmd: bones, byte 165 of" in str(motion.broken["首"])
    assert "keyframe 1 has a rotation" in str(motion.broken["首"])
    assert "not finite" in motion.note


def test_a_folder_is_no_motion(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="not a file"):
        read_vmd(tmp_path)


def test_real_motions(real_motions: Path) -> None:
    paths = sorted(real_motions.glob("*.vmd"))
    assert paths
    for path in paths:
        motion = read_vmd(path)
        assert motion.trailing_bytes == 0, path
        assert {"あ", "まばたき"} <= set(motion.morphs), path
        for track in motion.bones.values():
            np.testing.assert_allclose(np.linalg.norm(track["rotation"], axis=1), 1, atol=1e-4)
