"""Files of nothing but empty records: refused by their number, before they are read."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from contract.errors import FormatError
from renderer.formats.cursor import MOST_RECORDS
from renderer.formats.vmd import MORPH_RECORD, read_vmd
from tests.support.model_bytes import PMX_SECTIONS, PmdBuilder, PmxBuilder, read_bytes

TOO_MANY = MOST_RECORDS + 1
_SMALLEST = {"textures": 4, "materials": 86, "bones": 28, "morphs": 14}


@pytest.mark.parametrize("section", _SMALLEST)
def test_a_pmx_of_empty_records_is_refused_by_their_number(section: str, tmp_path: Path) -> None:
    builder = PmxBuilder().begin(section, TOO_MANY)
    data = builder.data + bytes(_SMALLEST[section] * TOO_MANY)
    with pytest.raises(FormatError, match=rf"{TOO_MANY} {section}; no model needs over"):
        read_bytes(tmp_path, bytes(data))


@pytest.mark.parametrize("section", PMX_SECTIONS[6:])
def test_what_no_picture_needs_is_passed_over_instead(section: str, tmp_path: Path) -> None:
    builder = PmxBuilder().begin(section, TOO_MANY)
    model = read_bytes(tmp_path, bytes(builder.data) + bytes(200 * TOO_MANY))
    assert any(f"{TOO_MANY} {section}" in mend.text for mend in model.mends)


def test_a_pmd_of_empty_materials_is_refused(tmp_path: Path) -> None:
    data = PmdBuilder().begin("materials", TOO_MANY).data + bytes(70 * TOO_MANY)
    with pytest.raises(FormatError, match="materials; no model needs over"):
        read_bytes(tmp_path, bytes(data), "a.pmd")


def test_a_motion_of_a_name_a_keyframe_is_refused(tmp_path: Path) -> None:
    records = np.zeros(TOO_MANY, MORPH_RECORD)
    names = [f"{number}".encode().ljust(15, b"\0") for number in range(TOO_MANY)]
    records["name"] = np.frombuffer(b"".join(names), "V15")
    header = b"Vocaloid Motion Data 0002".ljust(30, b"\0") + bytes(20)
    path = tmp_path / "a.vmd"
    path.write_bytes(header + struct.pack("<II", 0, TOO_MANY) + records.tobytes())
    with pytest.raises(FormatError, match="no motion has over"):
        read_vmd(path)
