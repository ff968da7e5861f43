"""The head: skull, face with holes for eyes and mouth, jaw, neck top and ears.

The face is a height field z = depth(x, y) between the two sides of its outline. A grid of it has
three rectangular blocks of cells removed; rings lead from each block's rim to the opening of an
eye or the mouth, so that the lids and lips have loops of edges to move along.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from characters.base.atlas import face_uv
from characters.base.curves import F64, bump, ease, unit
from characters.base.surface import I64, Surface, compact, grid, grid_faces, smooth_normals, surface
from characters.design.spec import CharacterSpec, Face, Mouth
from characters.shape.face_shape import FaceShape

EYE_COLUMNS, EYE_ROWS = 10, 6
MOUTH_COLUMNS, MOUTH_ROWS = 18, 4
RINGS = 5
EYE_POINTS = 2 * (EYE_COLUMNS + EYE_ROWS)
MOUTH_POINTS = 2 * (MOUTH_COLUMNS + MOUTH_ROWS)
_SIDE, _MIDDLE = 3, 4  # columns outside each eye's block, and between the two
_LOW, _BETWEEN, _HIGH = 3, 2, 10  # rows below the mouth's block, between it and the eyes', above
_BACK = 12
_JAW_SHARES = {"a": 1.0, "o": 0.8, "e": 0.5}
_JAW_ROW = _LOW + MOUTH_ROWS + _BETWEEN  # from here up, rings go all the way round
NECK_TOP_Y = 0.13
_EAR_Y = 0.345


@dataclass(frozen=True)
class Opening:
    """A hole's rim: ``outline`` (N, 2) at rest and, by shape name, where each shape moves it.

    Point 0 is the inner corner (the character's right corner for the mouth); the first half runs
    along the upper side.
    """

    outline: F64
    moved: dict[str, F64]
    falloff: float = 1.5


def _columns(spec: CharacterSpec) -> F64:
    """s = x / half width of the grid's columns, left of the screen first."""
    eye, width = spec.eye, spec.face.half_width
    inner = float(np.clip((eye.x - eye.half_width) / width - 0.07, 0.05, 0.15))
    outer = float(np.clip((eye.x + eye.half_width) / width + 0.07, 0.74, 0.95))
    half = np.concatenate(
        [
            np.linspace(0, inner, _MIDDLE // 2 + 1)[1:],
            np.linspace(inner, outer, EYE_COLUMNS + 1)[1:],
            1 - (1 - outer) * np.linspace(1, 0, _SIDE + 1)[1:] ** 2,
        ]
    )
    return np.concatenate([-half[::-1], [0.0], half])


def mouth_room(spec: CharacterSpec) -> float:
    """The half width of the mouth's block, as a share of the face's at the same height."""
    columns = _columns(spec)
    return float(columns[len(columns) // 2 + MOUTH_COLUMNS // 2])


def _rows(spec: CharacterSpec) -> F64:
    eye, mouth = spec.eye, spec.mouth
    mouth_low = max(mouth.y - mouth.open_down - 0.025, 0.022)
    mouth_high = mouth.y + mouth.open_up + 0.03
    eye_low, eye_high = eye.y - eye.down - 0.04, eye.y + eye.up + 0.06
    mouth_high = min(mouth_high, eye_low - 0.025)
    return np.concatenate(
        [
            mouth_low * np.array([0.0, 0.25, 0.6]),
            np.linspace(mouth_low, mouth_high, MOUTH_ROWS + 1)[:-1],
            np.linspace(mouth_high, eye_low, _BETWEEN + 1)[:-1],
            np.linspace(eye_low, eye_high, EYE_ROWS + 1)[:-1],
            eye_high + (1 - eye_high) * np.sin(np.linspace(0, np.pi / 2, _HIGH + 1)),
        ]
    )


def _rim(index: I64, mirrored: bool) -> I64:
    """The perimeter of a block of grid indices, from the middle of its inner side, up first."""
    block = index[:, ::-1] if mirrored else index
    rows = len(block)
    path = np.concatenate([block[:-1, 0], block[-1, :-1], block[:0:-1, -1], block[0, :0:-1]])
    return np.roll(path, -(rows // 2))


@dataclass(frozen=True)
class _Mesh:
    xyz: list[F64]
    faces: list[I64]
    shapes: dict[str, dict[int, F64]]  # name -> first vertex -> offsets

    def count(self) -> int:
        return sum(map(len, self.xyz))


def _fill(
    mesh: _Mesh, shape: FaceShape, rim: I64, rim_xy: F64, opening: Opening, flip: bool
) -> None:
    """Add the rings between a block's rim and an opening, with the opening's shapes."""
    start, points = mesh.count(), len(rim)
    reach = np.linspace(0, 1, RINGS + 1)[:-1] ** 1.25
    target = opening.outline

    def ring_xy(outline: F64) -> F64:
        return (outline + (rim_xy - outline) * reach[:, None, None]).reshape(-1, 2)

    rest = ring_xy(target)
    rest_xyz = shape.on(rest)
    mesh.xyz.append(rest_xyz)
    index = np.concatenate([start + grid(RINGS, points), rim[None]])
    mesh.faces.append(grid_faces(np.concatenate([index, index[:, :1]], axis=1), flip))
    for name, moved in opening.moved.items():
        pull = (1 - reach[:, None, None]) ** opening.falloff
        xy = rest + ((moved - target) * pull).reshape(-1, 2)
        mesh.shapes.setdefault(name, {})[start] = shape.on(xy) - rest_xyz


def build_head(
    spec: CharacterSpec,
    shape: FaceShape,
    left_eye: Opening,
    right_eye: Opening,
    mouth: Opening,
    bone: int,
) -> Surface:
    """The head's skin, open at eyes, mouth and neck."""
    columns, rows = _columns(spec), _rows(spec)
    y = np.repeat(rows[:, None], len(columns), 1)
    x = columns * shape.half_width(y)
    front = np.stack([x, y, shape.depth(x, y)], -1)
    index = grid(*x.shape)
    mesh = _Mesh([front.reshape(-1, 3)], [], {})
    mesh.faces.extend(_front_faces(index))
    _add_openings(mesh, shape, index, front[..., :2], left_eye, right_eye, mouth)
    _add_back(mesh, shape, index, rows)
    positions = np.concatenate(mesh.xyz)
    faces = np.concatenate(mesh.faces)
    shapes = {}
    for name, pieces in mesh.shapes.items():
        offsets = np.zeros_like(positions)
        for start, piece in pieces.items():
            offsets[start : start + len(piece)] = piece
        shapes[name] = offsets
    for name, share in _JAW_SHARES.items():
        shapes[name] += share * _jaw_offsets(positions, spec.mouth)
    rounded = smooth_normals(positions, faces)
    normals = soft_normals(positions, rounded, spec.shading.flat_face)
    return compact(surface(positions, face_uv(positions), faces, bone, normals, shapes))


def _jaw_offsets(positions: F64, mouth: Mouth) -> F64:
    """How the chin sinks when the mouth opens wide; the lips have shapes of their own."""
    below = ease(positions[:, 1], mouth.y - 0.015, 0.3 * mouth.y)
    sunk = mouth.jaw * below * ease(positions[:, 2], -0.08, -0.20)
    return np.stack([np.zeros(len(sunk)), -sunk, 0.3 * sunk], 1)


def soft_normals(positions: F64, normals: F64, flat: float) -> F64:
    """Normals pulled toward a sphere's, so that light falls on the face in one soft gradient.

    ``flat``: 0 for the sphere .. 1 for a sheet of paper.
    """
    ahead = np.array([0.0, 0.40, 0.22]) + flat * np.array([0.0, 0.0, 3.0])
    round_ = unit((positions - ahead) * np.array([0.9, 0.6, 1.0]))
    share = (0.80 + 0.2 * flat) * ease(positions[:, 2], 0.1, -0.1)[:, None]
    return unit(normals * (1 - share) + round_ * share)


def _blocks(index: I64) -> tuple[I64, I64, I64]:
    """The grid blocks of the mouth, the right eye (low columns) and the left eye."""
    middle = index.shape[1] // 2
    mouth = index[
        _LOW : _LOW + MOUTH_ROWS + 1, middle - MOUTH_COLUMNS // 2 : middle + MOUTH_COLUMNS // 2 + 1
    ]
    low = _LOW + MOUTH_ROWS + _BETWEEN
    rows = index[low : low + EYE_ROWS + 1]
    left = rows[:, middle + _MIDDLE // 2 : middle + _MIDDLE // 2 + EYE_COLUMNS + 1]
    right = rows[:, _SIDE : _SIDE + EYE_COLUMNS + 1]
    return mouth, right, left


def _front_faces(index: I64) -> list[I64]:
    """The grid's triangles without the three blocks."""
    keep = np.ones((index.shape[0] - 1, index.shape[1] - 1), bool)
    for block in _blocks(index):
        row, column = np.unravel_index(block[0, 0], index.shape)
        keep[row : row + len(block) - 1, column : column + block.shape[1] - 1] = False
    faces = grid_faces(index)
    return [faces[np.tile(keep.ravel(), 2)]]


def _add_openings(
    mesh: _Mesh,
    shape: FaceShape,
    index: I64,
    xy: F64,
    left_eye: Opening,
    right_eye: Opening,
    mouth: Opening,
) -> None:
    flat = xy.reshape(-1, 2)
    blocks = _blocks(index)
    for block, opening, mirrored in zip(
        blocks, (mouth, right_eye, left_eye), (False, True, False), strict=True
    ):
        rim = _rim(block, mirrored)
        _fill(mesh, shape, rim, flat[rim], opening, flip=mirrored)


def _add_back(mesh: _Mesh, shape: FaceShape, index: I64, rows: F64) -> None:
    """The back of the skull, and the underside from jaw and nape to the neck's top."""
    high = rows[_JAW_ROW:]
    angle = np.linspace(0, np.pi, _BACK + 2)[1:-1]
    x = shape.half_width(high)[:, None] * np.cos(angle)
    side = shape.side_z(high)[:, None]
    z = side + (shape.back_z(high)[:, None] - side) * np.sin(angle)
    start = mesh.count()
    mesh.xyz.append(np.stack([x, np.repeat(high[:, None], _BACK, 1), z], -1).reshape(-1, 3))
    back = start + grid(len(high), _BACK)
    around = np.concatenate([index[_JAW_ROW:, -1:], back, index[_JAW_ROW:, :1]], axis=1)
    mesh.faces.append(grid_faces(around))
    loop = np.concatenate(
        [index[_JAW_ROW:0:-1, 0], index[0], index[1:_JAW_ROW, -1], around[0, :-1]]
    )
    rim = np.concatenate(mesh.xyz)[loop]
    rings = []
    neck = neck_ring(np.arctan2(rim[:, 0], -(rim[:, 2] - 0.06)), NECK_TOP_Y, 0.125)
    for t in (0.3, 0.65, 1.0):
        ring = rim + (neck - rim) * t
        ring[:, 1] += 0.02 * np.sin(np.pi * t)
        rings.append(ring)
    start = mesh.count()
    mesh.xyz.append(np.concatenate(rings))
    under = np.concatenate([loop[None], start + grid(3, len(loop))])
    mesh.faces.append(grid_faces(np.concatenate([under, under[:, :1]], axis=1), flip=True))


def neck_ring(angle: F64, y: float, radius: float) -> F64:
    """Points of the neck's cross-section at ``angle`` (0 in front, + to the left)."""
    return np.stack(
        [
            radius * np.sin(angle),
            np.full(len(angle), y),
            0.06 - radius * 0.95 * np.cos(angle),
        ],
        axis=1,
    )


def build_ear(shape: FaceShape, face: Face, sign: int, bone: int) -> Surface:
    """One ear; its cup faces forward and outward."""
    around = 18
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)
    # (share of the outline, how far out of the head) from the root over the rim into the cup.
    rings = (
        (0.62, -0.02),
        (1.0, 0.035),
        (0.98, 0.060),
        (0.78, 0.062),
        (0.55, 0.030),
        (0.05, 0.022),
    )
    tall, deep = 0.084, 0.050
    rows = []
    for share, out in rings:
        y = np.cos(angle) * tall * share
        z = np.sin(angle) * deep * share * (1 + 0.25 * np.cos(angle))
        x = out + 0.30 * z + 0.12 * y
        if face.elf_ears:
            stretch = bump(angle, 0.0, 0.7) + bump(angle, 2 * np.pi, 0.7)
            x = x + 0.19 * stretch * share
            y = y + 0.05 * stretch * share
        side = float(shape.half_width(np.array(_EAR_Y)))
        rows.append(np.stack([sign * (side - 0.012 + x), _EAR_Y + y, 0.035 + z], 1))
    xyz = np.concatenate(rows)
    faces = grid_faces(grid(len(rings), around, wrap=True), flip=sign > 0)
    uv = face_uv(xyz * [0.0, 1.0, 1.0] + [sign * 0.405, 0.0, 0.0])
    return surface(xyz, uv, faces, bone)
