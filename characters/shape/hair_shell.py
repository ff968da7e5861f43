"""Hair on the head: scalp cap, fringe, side locks and back hair, all on one shell.

The shell is a surface of revolution, flattened, around the skull: a dome from the crown to its
widest level and below that a curtain. A place on it is an azimuth (0 at the face, + to the
character's left, pi behind) and a height. Strands leave the crown together and fan out, so their
roots overlap like real locks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from characters.base.curves import F64, Profile, bump, ease, unit
from characters.base.surface import I64, Surface, grid, grid_faces, surface
from characters.design.spec import CharacterSpec
from characters.shape.sweep import sweep, taper

CENTRE_Z = 0.05
RING_TOP_Y = 1.25  # texture v = 0
TILES = 3  # locks painted side by side in the texture
TEXTURE_SPAN = 2.6  # head heights from v = 0 to v = 1; longer hair repeats its tip
_JAW_Y = 0.2  # from here down loose hair lies aside


def hair_v(y: F64) -> F64:
    """Texture v of hair at height ``y``: absolute, so that the gloss runs through all locks."""
    below = (RING_TOP_Y - y) / TEXTURE_SPAN
    return np.clip(below, 0.01, 0.99)


def lock_u(tile: I64) -> tuple[F64, F64]:
    """Texture u from and to (S,) of locks that wear the given tiles (0..TILES - 1)."""
    return (tile + 0.02) / TILES, (tile + 0.98) / TILES


class Shell:
    """The surface that hair lies on."""

    def __init__(self, spec: CharacterSpec) -> None:
        v = spec.hair.volume
        w = spec.face.half_width
        self.top = 1.0 + v * 0.9
        self.widest_y = 0.56
        self.side = 0.6 * w + 0.137 + 1.4 * v
        self.front = 0.372 * spec.face.depth + CENTRE_Z + v * 0.72
        self.back = 0.43 - CENTRE_Z + v * 1.1

    def radius(self, y: F64) -> F64:
        """Relative distance from the axis at height ``y``: 0 at the top, 1 from the widest down."""
        rise = np.clip((y - self.widest_y) / (self.top - self.widest_y), 0, 1)
        return np.sqrt(np.maximum(1 - rise**2.25, 0))

    def at(self, azimuth: F64, y: F64, swell: F64) -> F64:
        """Points (..., 3); ``swell`` is the distance outside the shell."""
        depth = np.where(np.abs(azimuth) < np.pi / 2, self.front, self.back)
        r = self.radius(y)
        x = (self.side * r + swell) * np.sin(azimuth)
        z = CENTRE_Z - (depth * r + swell) * np.cos(azimuth)
        return np.stack(np.broadcast_arrays(x, y, z), -1)

    def outward(self, azimuth: F64, y: F64) -> F64:
        """Unit normals of the dome, level below it."""
        rise = np.clip((y - self.widest_y) / (self.top - self.widest_y), 0, 1)
        level = np.sqrt(1 - np.minimum(rise, 0.999) ** 2)
        normal = np.stack(
            np.broadcast_arrays(np.sin(azimuth) * level, rise * 1.1, -np.cos(azimuth) * level), -1
        )
        return unit(normal)


@dataclass(frozen=True)
class Locks:
    """A group of strands on the shell, S of them; angles in radians, lengths in head heights.

    ``narrow``: the share of the length from which a lock tapers to its tip, ``power`` below 1
    keeps it broad for longer. ``hook`` turns the last third sideways (radians at the tip).
    ``body`` swells the locks at the cheeks' height. ``ahead``: how far before the shell a lock
    hangs from the jaw down. ``spread``, ``sway``: how far the outermost locks lie aside, and all
    to the character's left, a head height below the jaw.
    """

    root: F64  # azimuth at the crown
    tip: F64  # azimuth at the end
    end_y: F64
    half_width: F64
    thickness: F64
    lift: F64  # distance outside the shell
    flare: F64  # further distance at the tip, may be negative
    hook: F64
    narrow: float = 0.45
    power: float = 0.9
    bend: float = 1.5  # how late the azimuth moves from root to tip
    wave: float = 0.0
    waves: float = 2.6
    body: float = 0.0
    ahead: float = 0.0
    spread: float = 0.0
    sway: float = 0.0
    stations: int = 14


def build_locks(shell: Shell, locks: Locks, bones: BoneChain, rng: np.random.Generator) -> Surface:
    """The strands of a group."""
    count, stations = len(locks.root), locks.stations
    t = np.linspace(0, 1, stations)
    y = _heights(shell, shell.top, locks.end_y, t)
    late = ease(t, 0.55, 1.05) ** 1.5
    azimuth = locks.root[:, None] + (locks.tip - locks.root)[:, None] * t**locks.bend
    azimuth = azimuth + locks.hook[:, None] * late
    # Waves run in step from lock to lock, by height, as in combed hair.
    phase = rng.uniform(-0.6, 0.6, count)[:, None]
    sway = locks.wave * ease(y, 0.75, 0.1) * np.sin(locks.waves * 2 * np.pi * y + phase)
    swell = locks.lift[:, None] * ease(t, 0.0, 0.35) + locks.flare[:, None] * t**3 + sway
    swell = swell + locks.body * bump(y, 0.34, 0.26)
    centres = shell.at(azimuth + 1.4 * sway, y, swell)
    centres[..., 2] -= locks.ahead * ease(y, 0.55, 0.05)
    below = np.maximum(_JAW_Y - y, 0) ** 1.3
    centres[..., 0] += below * (locks.spread * np.sin(azimuth) + locks.sway)
    outward = shell.outward(azimuth, y)
    room = 0.12 + 0.88 * shell.radius(y)
    width = locks.half_width[:, None] * taper(stations, 0.9, 0.3, locks.narrow, locks.power)
    thick = locks.thickness[:, None] * taper(stations, 0.5, 0.4, max(locks.narrow, 0.5))
    u = lock_u(rng.integers(0, TILES, count))
    index, weight = bones.follow(centres)
    return sweep(centres, outward, width * room, thick, u, hair_v(y), index, weight)


def _heights(shell: Shell, start: float, end: F64, t: F64) -> F64:
    """Heights (S, N) from ``start`` to ``end`` such that stations are even along the dome."""
    dome = start - shell.widest_y
    total = np.pi / 2 * dome + np.maximum(shell.widest_y - end, 0.0)
    walked = t[None] * total[:, None]
    angle = np.minimum(walked / dome, np.pi / 2)
    y = shell.widest_y + dome * np.cos(angle) - np.maximum(walked - np.pi / 2 * dome, 0)
    # Locks that end on the dome: the same walk, squeezed into their height.
    short = start + (y - start) * ((start - end) / (start - y[:, -1]))[:, None]
    heights: F64 = np.where(end[:, None] < shell.widest_y, y, short)
    return heights


@dataclass(frozen=True)
class BoneChain:
    """Bones that a group of strands hangs on: all on ``head``, below the joints on the chain."""

    head: int
    joints: tuple[int, ...] = ()
    heights: tuple[float, ...] = ()  # y of each joint, falling

    def follow(self, centres: F64) -> tuple[I64, F64]:
        """Bones (..., 2) and the share of the first (...) of points (..., 3)."""
        chain = np.array([self.head, *self.joints])
        y = centres[..., 1]
        if not self.joints:
            index = np.full((*y.shape, 2), self.head)
            return index, np.ones(y.shape)
        knots = np.array(self.heights)
        place = np.interp(-y, -np.concatenate([[knots[0] + 0.12], knots]), np.arange(len(chain)))
        low = np.minimum(place.astype(np.int64), len(chain) - 2)
        return np.stack([chain[low], chain[low + 1]], -1), 1 - (place - low)


def build_cap(shell: Shell, spec: CharacterSpec, bone: int) -> Surface:
    """The scalp: the shell itself, a little inside the strands, down to hairline and nape."""
    rows, columns = 9, 28
    azimuth = np.linspace(-np.pi, np.pi, columns, endpoint=False)[None]
    hairline = Profile(
        [(0.0, 0.83), (0.3, 0.77), (0.5, 0.75), (1.0, 0.60), (1.35, 0.42), (1.9, 0.20), (3.2, 0.16)]
    )
    bottom = hairline(np.abs(azimuth))
    top = shell.top - 0.012
    t = np.linspace(1, 0, rows)[:, None]
    y = top - (top - bottom) * (1 - np.cos(t * np.pi / 2)) ** 0.8
    xyz = shell.at(azimuth, y, -0.022 * shell.radius(y))
    # The rim dives to the skull, so that no gap shows between hair and head.
    xyz[0] = shell.at(azimuth, y[:1], np.full((1, 1), -spec.hair.volume - 0.04))[0]
    uv = np.stack(np.broadcast_arrays(0.22 + 0.2 * np.cos(3 * azimuth), hair_v(y)), -1)
    normals = shell.outward(np.broadcast_to(azimuth, y.shape), y)
    faces = grid_faces(grid(rows, columns, wrap=True))
    return surface(xyz.reshape(-1, 3), uv.reshape(-1, 2), faces, bone, normals.reshape(-1, 3))
