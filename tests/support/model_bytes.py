"""PMX and PMD files put together field by field, so that what reading must give is known.

The builders write nothing but what the format descriptions say, remember where each count stands,
and share no code with the readers.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Self

from renderer.formats.model import MmdModel
from renderer.formats.read import read_model

Numbers = tuple[float, ...]

PMX_SECTIONS = (
    "vertices",
    "face indices",
    "textures",
    "materials",
    "bones",
    "morphs",
    "display frames",
    "rigid bodies",
    "joints",
)
PMD_SECTIONS = {
    "vertices": "I",
    "face indices": "I",
    "materials": "I",
    "bones": "H",
    "IK chains": "H",
    "morphs": "H",
}
ORIGIN = (0.0, 0.0, 0.0)


class ByteBuilder:
    """Bytes; where in them each count stands: (what, offset, struct letter); where they may end.

    ``needed_end``: no picture needs what follows that byte.
    """

    def __init__(self) -> None:
        self.data = bytearray()
        self.counts: list[tuple[str, int, str]] = []
        self.legal_ends: list[int] = []
        self.needed_end = 0

    def pack(self, layout: str, *values: float | bytes) -> Self:
        self.data += struct.pack("<" + layout, *values)
        return self

    def may_end(self) -> Self:
        self.legal_ends.append(len(self.data))
        return self

    def unneeded_from_here(self) -> Self:
        """No picture needs what follows."""
        self.needed_end = len(self.data)
        return self

    def count(self, what: str, number: int, letter: str = "i") -> Self:
        self.counts.append((what, len(self.data), letter))
        return self.pack(letter, number)


class PmxBuilder(ByteBuilder):
    """A PMX file in file order; ``begin`` gives the sections it passes over no records.

    ``indices`` are the struct letters of vertex, texture, material, bone, morph and rigid-body
    indices.
    """

    def __init__(
        self,
        version: float = 2.0,
        encoding: str = "utf-16-le",
        additional_uvs: int = 0,
        indices: str = "Bbbbbb",
        names: tuple[str, str, str, str] = ("", "", "", ""),
    ) -> None:
        super().__init__()
        self.version, self.encoding, self.additional_uvs = version, encoding, additional_uvs
        (
            self.vertex_index,
            self.texture_index,
            self.material_index,
            self.bone_index,
            self.morph_index,
            self.body_index,
        ) = list(indices)
        sizes = [struct.calcsize(letter) for letter in indices]
        self.pack("4sfB", b"PMX ", version, 8)
        self.pack("8B", int(encoding == "utf-8"), additional_uvs, *sizes)
        for name in names:
            self.text(name)
        self.sections_left = list(PMX_SECTIONS)

    def text(self, text: str) -> Self:
        raw = text.encode(self.encoding)
        return self.count(f"bytes of {text!r}", len(raw)).pack(f"{len(raw)}s", raw)

    def begin(self, section: str, count: int) -> Self:
        while (passed := self.sections_left.pop(0)) != section:
            self.count(passed, 0)
        return self.count(section, count)

    def vertex_head(
        self,
        position: Numbers = ORIGIN,
        normal: Numbers = ORIGIN,
        uv: Numbers = (0, 0),
        additional_uv: Numbers = (),
    ) -> Self:
        """Everything before the weight type."""
        numbers = (*position, *normal, *uv, *(additional_uv or (0.0,) * 4 * self.additional_uvs))
        return self.pack(f"{len(numbers)}f", *numbers)

    def bdef1(self, bone: int, position: Numbers = ORIGIN, edge_scale: float = 1.0) -> Self:
        """A whole vertex on one bone."""
        return self.vertex_head(position).pack(f"B{self.bone_index}f", 0, bone, edge_scale)

    def material(
        self,
        name: str,
        index_count: int,
        textures: tuple[int, int] = (-1, -1),
        sphere_mode: int = 0,
        toon: tuple[int, int] = (1, 0),
        flags: int = 0,
        diffuse: Numbers = (1, 1, 1, 1),
    ) -> Self:
        """``toon`` is (1, shared number) or (0, texture index)."""
        self.text(name).text(f"{name} in english")
        self.pack("4f", *diffuse).pack("3ff", 0.5, 0.25, 0.125, 7).pack("3f", 0.1, 0.2, 0.3)
        self.pack("B4ff", flags, 0, 0, 0.5, 1, 1.5)
        self.pack(f"2{self.texture_index}BB", *textures, sphere_mode, toon[0])
        self.pack("b" if toon[0] else self.texture_index, toon[1])
        return self.text("a memo").pack("i", index_count)

    def bone_head(
        self, name: str, flags: int, parent: int = -1, position: Numbers = ORIGIN, layer: int = 0
    ) -> Self:
        """Everything before the tail."""
        self.text(name).text(f"{name} in english")
        return self.pack(f"3f{self.bone_index}iH", *position, parent, layer, flags)

    def plain_bone(self, name: str, parent: int = -1, position: Numbers = ORIGIN) -> Self:
        """A whole bone without anything optional; its tail is a bone, none."""
        return self.bone_head(name, 0x001F, parent, position).pack(self.bone_index, -1)

    def morph_head(self, name: str, kind: int, count: int, panel: int = 4) -> Self:
        """Everything before the offsets."""
        self.text(name).text(f"{name} in english").pack("BB", panel, kind)
        return self.count(f"offsets of {name}", count)

    def display_frame(self, name: str, entries: tuple[tuple[int, int], ...]) -> Self:
        """Entries are (0, bone) or (1, morph)."""
        self.text(name).text("").pack("B", 0).count(f"entries of {name}", len(entries))
        for is_morph, index in entries:
            self.pack("B" + (self.morph_index if is_morph else self.bone_index), is_morph, index)
        return self

    def rigid_body(self, name: str, bone: int) -> Self:
        self.text(name).text("").pack(f"{self.bone_index}BHB", bone, 1, 0xFFFF, 2)
        return self.pack("9f5fB", *range(9), 1, 0.5, 0.5, 0, 0.5, 1)

    def joint(self, name: str, bodies: tuple[int, int]) -> Self:
        return self.text(name).text("").pack(f"B2{self.body_index}24f", 0, *bodies, *range(24))

    def soft_body(self, name: str, anchors: int, pins: int) -> Self:
        self.text(name).text("").pack(f"B{self.material_index}BHB", 0, 0, 1, 0xFFFF, 3)
        self.pack("iiffi", 2, 4, 1, 0.5, 0).pack("12f6f4i3f", *range(25))
        self.count(f"anchors of {name}", anchors)
        for _ in range(anchors):
            self.pack(f"{self.body_index}{self.vertex_index}B", 0, 0, 1)
        self.count(f"pins of {name}", pins)
        return self.pack(f"{pins}{self.vertex_index}", *[0] * pins)

    def to_bytes(self) -> bytes:
        """The file, ended after its joints (2.1: after whatever soft bodies were written)."""
        while self.sections_left:
            self.count(self.sections_left.pop(0), 0)
        return bytes(self.data)


class PmdBuilder(ByteBuilder):
    """A PMD file in file order; what follows the morphs is optional and written by hand."""

    def __init__(self, name: bytes = b"", comment: bytes = b"") -> None:
        super().__init__()
        self.pack("3sf20s256s", b"Pmd", 1.0, name, comment)
        self.sections_left = list(PMD_SECTIONS)

    def begin(self, section: str, count: int) -> Self:
        while (passed := self.sections_left.pop(0)) != section:
            self.count(passed, 0, PMD_SECTIONS[passed])
        return self.count(section, count, PMD_SECTIONS[section])

    def vertex(
        self,
        position: Numbers = ORIGIN,
        bones: tuple[int, int] = (0, 0),
        weight_percent: int = 100,
        no_edge: int = 0,
    ) -> Self:
        self.pack("3f3f2f", *position, 0, 0, -1, 0.5, 0.25)
        return self.pack("2HBB", *bones, weight_percent, no_edge)

    def material(
        self,
        texture: bytes = b"",
        index_count: int = 0,
        alpha: float = 1.0,
        toon: int = 0,
        edge: int = 1,
    ) -> Self:
        self.pack("4ff3f3f", 1, 0.5, 0.25, alpha, 5, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
        return self.pack("BBI20s", toon, edge, index_count, texture)

    def bone(
        self,
        name: bytes,
        parent: int = 0xFFFF,
        tail: int = 0,
        kind: int = 0,
        ik: int = 0,
        position: Numbers = ORIGIN,
    ) -> Self:
        return self.pack("20sHHBH3f", name, parent, tail, kind, ik, *position)

    def ik(self, owner: int, effector: int, links: tuple[int, ...], step_limit: float) -> Self:
        self.pack("HH", owner, effector).count("IK links", len(links), "B")
        return self.pack(f"Hf{len(links)}H", 40, step_limit, *links)

    def morph(
        self, name: bytes, panel: int, offsets: tuple[tuple[int, float, float, float], ...]
    ) -> Self:
        self.pack("20s", name).count(f"offsets of {name!r}", len(offsets), "I").pack("B", panel)
        for offset in offsets:
            self.pack("I3f", *offset)
        return self

    def rigid_body(self) -> Self:
        return self.pack("20sHBHB14fB", b"body", 0, 1, 0xFFFF, 0, *range(14), 1)

    def joint(self) -> Self:
        return self.pack("20sII24f", b"joint", 0, 0, *range(24))

    def to_bytes(self) -> bytes:
        """The file, ended after its morphs or after whatever was written since."""
        while self.sections_left:
            section = self.sections_left.pop(0)
            self.count(section, 0, PMD_SECTIONS[section])
        return bytes(self.data)


def read_bytes(folder: Path, data: bytes, name: str = "model.pmx") -> MmdModel:
    """Read ``data`` the way every caller does: as a file."""
    path = folder / name
    path.write_bytes(data)
    return read_model(path)
