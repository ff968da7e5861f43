"""One PMX material record."""

from __future__ import annotations

import struct

from renderer.formats.model import Material, SphereMode
from renderer.formats.pmx_cursor import PmxCursor

_SHARED_TOONS = 10


def read_material(cursor: PmxCursor, first_index: int, texture_count: int) -> Material:
    """Read one material; references to nothing, and modes that do not exist, become none."""
    texture_index = cursor.header.texture_index
    name, name_english = cursor.text("a material name"), cursor.text("a material name")
    colours = cursor.unpack("4f3ff3fB4ff", "a material's colours")
    flags = int(colours[11])
    texture, sphere, sphere_mode, toon_mode = cursor.unpack(
        f"2{texture_index}BB", "a material's textures"
    )
    if sphere_mode > SphereMode.SUB_TEXTURE:
        cursor.mend(f"material {name!r}: sphere mode {sphere_mode}; known are 0-3, left out")
        sphere_mode = SphereMode.NONE
    toon = cursor.index(_toon_letter(cursor, toon_mode), "a toon index")
    if toon_mode > 1:
        cursor.mend(f"material {name!r}: toon mode {toon_mode}; known are 0-1, its toon left out")
        toon, toon_mode = -1, 1
    cursor.text("a material memo")
    index_count = cursor.index("i", "a material's number of face indices")
    return Material(
        name=name,
        name_english=name_english,
        diffuse=colours[0:4],
        specular=colours[4:7],
        specular_power=colours[7],
        ambient=colours[8:11],
        double_sided=bool(flags & 0x01),
        draw_edge=bool(flags & 0x10),
        edge_color=colours[12:16],
        edge_size=colours[16],
        texture=cursor.reference(texture_index, texture, texture_count),
        sphere_texture=cursor.reference(texture_index, sphere, texture_count),
        sphere_mode=SphereMode(sphere_mode),
        toon_texture=-1 if toon_mode else cursor.reference(texture_index, toon, texture_count),
        shared_toon=toon if toon_mode and 0 <= toon < _SHARED_TOONS else -1,
        first_index=first_index,
        index_count=index_count,
    )


def _toon_letter(cursor: PmxCursor, mode: int) -> str:
    """How a toon is stored: in a byte where it is shared (mode 1), as a texture's index (mode 0).

    Other modes do not say; then what follows must make sense: a memo and a number of face indices.
    """
    own = cursor.header.texture_index
    if mode <= 1:
        return "b" if mode else own
    return "b" if _memo_follows(cursor.data, cursor.offset + 1) else own


def _memo_follows(data: bytes, offset: int) -> bool:
    try:
        (size,) = struct.unpack_from("<i", data, offset)
        (index_count,) = struct.unpack_from("<i", data, offset + 4 + max(size, 0))
    except struct.error:
        return False
    return bool(size >= 0 and index_count >= 0 and index_count % 3 == 0)
