"""References from one section into another, and the numbers of the mesh: what no section can check.

Real files refer to things that do not exist, and MMD loads them: such a reference means none. Only
where no model can be drawn without the target (a face's vertex, a vertex's bone) is the file
refused; the fault names the file, the section, the byte at which that section starts, and the
record. What no picture needs is dropped before: see ``renderer.formats.mend``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from renderer.formats.cursor import Cursor
from renderer.formats.model import (
    Append,
    Ik,
    Material,
    MmdModel,
    Vertices,
)

_MAX_IK_ITERATIONS = 255  # MMD's own limit, by the PMX description; files claim up to 2^31 - 1


def reference(index: int, count: int) -> int:
    """``index`` if there is such an entry among ``count``, else -1."""
    return index if 0 <= index < count else -1


def parent_reference(parent: int, bone: int, bone_count: int) -> int:
    """The parent of bone number ``bone``; some exporters say a root is its own parent."""
    return -1 if parent == bone else reference(parent, bone_count)


def usable_append(append: Append, bone_count: int) -> Append | None:
    """``append``, or ``None`` when its source bone does not exist."""
    return append if 0 <= append.bone < bone_count else None


def usable_ik(ik: Ik, bone_count: int) -> Ik | None:
    """``ik`` without links to nowhere and with MMD's iterations; ``None`` without an effector."""
    if not 0 <= ik.effector < bone_count:
        return None
    return replace(
        ik,
        iterations=min(max(ik.iterations, 0), _MAX_IK_ITERATIONS),
        links=tuple(link for link in ik.links if 0 <= link.bone < bone_count),
    )


def check_model(model: MmdModel, cursor: Cursor) -> None:
    """Raise a ``FormatError`` unless what is left of ``model`` once mended can be used as it is.

    All arrays are read-only afterwards. ``cursor`` is the one that read the model.
    """
    _check_vertices(cursor, model.vertices, len(model.bones))
    _require_indices(cursor, "faces", "", model.faces, len(model.vertices), allow_none=False)
    _check_materials(cursor, model.materials, model.faces.size)
    for record in (model, model.vertices, *(morph.offsets for morph in model.morphs)):
        for array in _arrays(record):
            array.flags.writeable = False


def _arrays(record: object) -> Iterator[npt.NDArray[np.generic]]:
    return (value for value in vars(record).values() if isinstance(value, np.ndarray))


def _require_indices(
    cursor: Cursor,
    section: str,
    record: str,
    indices: npt.NDArray[np.int32],
    count: int,
    *,
    allow_none: bool = True,
) -> None:
    low = -1 if allow_none else 0
    if not indices.size or (low <= indices.min() and indices.max() < count):
        return
    worst = int(indices.min()) if indices.min() < low else int(indices.max())
    raise cursor.fault_in(
        section,
        f"{record}index {worst} points outside the {count} that exist; the file is corrupt",
        "index-out-of-range",
    )


def _require_finite(cursor: Cursor, section: str, record: str, values: npt.ArrayLike) -> None:
    if not np.isfinite(values).all():
        raise cursor.fault_in(
            section,
            f"{record}there are numbers that are not finite; the file is corrupt",
            "non-finite-numbers",
        )


def _check_vertices(cursor: Cursor, vertices: Vertices, bone_count: int) -> None:
    _require_indices(cursor, "vertices", "a bone ", vertices.bone_indices, bone_count)
    for values in (
        vertices.positions,
        vertices.bone_weights,
        vertices.sdef_c,
        vertices.sdef_r0,
        vertices.sdef_r1,
    ):
        _require_finite(cursor, "vertices", "", values)


def _check_materials(cursor: Cursor, materials: tuple[Material, ...], index_count: int) -> None:
    total = 0
    for number, material in enumerate(materials):
        record = f"material {number} {material.name!r}"
        total += material.index_count
        if material.index_count < 0 or material.index_count % 3 or total > index_count:
            raise cursor.fault_in(
                "materials",
                f"{record} colours {material.index_count} face indices up to {total} of "
                f"{index_count}, in whole triangles; the file is corrupt",
                "index-out-of-range",
            )
