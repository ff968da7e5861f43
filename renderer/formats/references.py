"""What becomes of references to things that do not exist: real files hold them, and MMD loads them.

A reference that points outside its list means none. Only where no model can be drawn without the
target (a face's vertex, a vertex's bone, a morph's target) is the file refused, in ``checks``.
"""

from __future__ import annotations

from dataclasses import replace

from renderer.formats.model import Append, Ik

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
