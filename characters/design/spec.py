"""What makes a character: a frozen record, every length in head heights (chin 0, skull top 1).

The record is drawn by ``characters.design.franchise``; builders read it and draw nothing but
small jitter from their own generator, so that a part's shape does not depend on the other parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Colour = tuple[float, float, float]
"""sRGB, each in [0, 1]."""

Fringe = Literal[
    "straight", "parted", "swept", "m_shape", "between", "spiky", "curtain", "side",
    "over_eyes", "one_eye", "open", "up",
]  # fmt: skip
Back = Literal["short", "bob", "flip", "medium", "long", "spiky"]
Tails = Literal["none", "ponytail", "twin", "low_twin", "braids", "side", "buns", "half", "drills"]
SideLocks = Literal["none", "short", "long", "hime"]
Outfit = Literal[
    "sailor",
    "shirt",
    "blazer",
    "turtleneck",
    "hoodie",
    "kimono",
    "dress",
    "crew",
    "gakuran",
    "vest",
    "coat",
    "camisole",
    "off_shoulder",
    "cape",
]
Pattern = Literal["plain", "stripes", "dots", "emblem", "suspenders", "raglan"]
Bottom = Literal["skirt", "trousers", "long_skirt"]
Neckwear = Literal[
    "none", "tie", "ribbon", "scarf", "choker", "big_scarf", "bell", "pendant", "headphones",
]  # fmt: skip
ArmPose = Literal[
    "a", "low", "down", "akimbo", "behind", "chest", "hold", "raised", "cheek", "chin", "up",
]  # fmt: skip
Carried = Literal["none", "strap", "plush", "book", "cup", "flowers", "microphone", "staff"]
IrisStyle = Literal[
    "deep", "bright", "ring", "flat", "halves", "dull", "dark", "pale",
    "star", "slit", "heart", "cross",
]  # fmt: skip
EyeStyle = Literal[
    "plain", "tall", "round", "wide", "sleepy", "sharp", "droopy", "narrow", "staring",
]  # fmt: skip
NoseStyle = Literal["shadow", "dot", "line", "gloss", "wedge", "none"]
BlushStyle = Literal["soft", "strokes", "oval", "across"]
FaceMark = Literal["none", "freckles", "whiskers", "stripes", "plaster", "star", "scar"]
Teeth = Literal["none", "upper", "both", "fang", "fangs"]


@dataclass(frozen=True)
class Palette:
    """The colours of one character."""

    skin: Colour
    skin_shadow: Colour
    blush: Colour
    hair: Colour
    hair_shadow: Colour
    hair_light: Colour
    hair_tip: Colour
    left_iris: Colour
    right_iris: Colour
    lash: Colour
    line: Colour
    brow: Colour
    mouth: Colour
    cavity: Colour
    tongue: Colour
    cloth: Colour
    trim: Colour
    accent: Colour
    lower: Colour


@dataclass(frozen=True)
class Face:
    """The head's shape and what is painted on it. ``chin_point``, ``cheek``, ``jaw`` in 0..1.

    ``nose``: how far it stands out, 0 for a flat face; ``nose_y``: the height of its tip.
    ``mole``: -1 or 1 for a beauty mark under the right or left eye, 0 for none. ``makeup``: the
    strength of the tint around the lids. ``shadow_side``: -1 or 1 where a hard shadow lies on the
    right or left half of the face, else 0.
    """

    half_width: float
    depth: float
    chin_point: float
    cheek: float
    jaw: float
    nose: float
    nose_y: float
    nose_style: NoseStyle
    flatness: float
    elf_ears: bool
    blush: float
    blush_style: BlushStyle
    mole: int
    mark: FaceMark
    makeup: float
    shadow_side: int


@dataclass(frozen=True)
class Eye:
    """One eye's opening and what is painted in it; the other mirrors it.

    ``up`` and ``down``: how far the opening rises above and sinks below the corner's height.
    ``ticks`` and ``lower_ticks``: single lashes at the outer end of the upper and lower one.
    ``shut_lash``: how thick the lash is when shut, as a share of its thickness.
    ``lid_bones``: the lids are moved by bones, and in a PMX closed by bone morphs.
    """

    style: EyeStyle
    x: float
    y: float
    half_width: float
    up: float
    down: float
    slant: float
    peak: float
    fullness: float
    lash: float
    wing: float
    lower_lash: float
    double_lid: float
    iris_width: float
    iris_height: float
    iris_drop: float
    iris_style: IrisStyle
    pupil: float
    highlight: int
    close_at: float
    shut_lash: float
    ticks: int
    lower_ticks: int
    lid_bones: bool


@dataclass(frozen=True)
class Brow:
    """A brow: its middle's height, half length, thickness and tilt (positive: outer end up)."""

    y: float
    half_length: float
    thickness: float
    tilt: float
    arch: float


@dataclass(frozen=True)
class Mouth:
    """The mouth at rest and wide open.

    ``top`` and ``low``: exponents of the open lips' arcs (1 a triangle, 2 an ellipse, more a box).
    ``jaw``: how far the chin sinks when it opens. ``tongue``: which share of what is open below
    the lips' line half of it takes.
    ``cat``: the depth of the two waves of a cat's upper lip; ``crooked`` raises the left corner.
    """

    y: float
    half_width: float
    smile: float
    open_half_width: float
    open_up: float
    open_down: float
    jaw: float
    top: float
    low: float
    cat: float
    crooked: float
    line: float
    tongue: float
    teeth: Teeth


@dataclass(frozen=True)
class Hair:
    """The hair style. ``volume``: the shell's distance from the skull.

    ``fringe_alpha``: how opaque the fringe is over the eyes, 1 for hair that hides them.
    ``tail_bulk``: from 0, tails that hang beside the head, to 1, as thick and wide as half of it.
    ``spread``, ``sway``: how far long hair lies to its side, and to the character's left, a head
    height below the jaw, in head heights.
    """

    volume: float
    fringe: Fringe
    fringe_y: float
    fringe_clumps: int
    fringe_alpha: float
    side: SideLocks
    side_y: float
    back: Back
    back_y: float
    tails: Tails
    tail_y: float
    tail_height: float
    tail_bulk: float
    parting: float
    wave: float
    curl: float
    spread: float
    sway: float
    messy: float
    clump: float
    ahoge: int
    streak: bool
    gloss: float
    ring: int


@dataclass(frozen=True)
class Body:
    """Below the chin. ``heads``: the body's whole height in head heights.

    ``sleeve``: 0 none, 1 to the elbow, 2 to the wrist. ``turn`` (radians, + to the character's
    left) and ``lean`` (how far aside a head height lower) pose what is below the neck.
    ``shoulder_y``, ``neck_root_y``, ``head_root_y``: where the shoulders' joints lie above the
    chin, and those about which neck and head turn; in head heights, most below it.
    ``head_root_z``: how far behind the middle of the face's outline the latter lies.
    """

    male: bool
    heads: float
    shoulder: float
    shoulder_y: float
    neck: float
    neck_root_y: float
    head_root_y: float
    head_root_z: float
    bust: float
    outfit: Outfit
    bottom: Bottom
    neckwear: Neckwear
    plaid: bool
    pattern: Pattern
    sleeve: float
    left_arm: ArmPose
    right_arm: ArmPose
    turn: float
    lean: float
    carried: Carried


Naming = Literal[
    "standard",
    "viewer",
    "exchanged",
    "variants",
    "english",
    "blink_only",
    "empty",
    "groups",
    "one_wink",
]


@dataclass(frozen=True)
class Shading:
    """How the materials answer to light; ``cel``: 0 softly painted .. 1 hard-edged shadows.

    ``flat_face``: 0 lit like a ball .. 1 lit like a sheet of paper. ``line_hair``: how much of the
    hair's colour is in the drawn lines of the face. ``neck_shadow``: how much of the chin's shadow
    is painted on the neck.
    """

    ambient: float
    specular: float
    edge_size: float
    edge_darkness: float
    toon_edge: float
    toon_tint: float
    hair_sphere: bool
    cel: float
    skin_edge: bool
    neck_shadow: float
    flat_face: float
    line_hair: float


@dataclass(frozen=True)
class CharacterSpec:
    """One character, whole. ``head_height``: h in MMD's units (2.4-3.8)."""

    seed: int
    franchise: int
    name: str
    name_english: str
    head_height: float
    palette: Palette
    face: Face
    eye: Eye
    brow: Brow
    mouth: Mouth
    hair: Hair
    body: Body
    shading: Shading
    accessories: tuple[str, ...]
    naming: Naming
