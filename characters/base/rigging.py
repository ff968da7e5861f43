"""The skeleton: MMD's standard bones, placed for a body, and room for bones of hair.

Positions are in head heights (chin 0, skull top 1) until the assembly scales them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from characters.base.curves import F64, ease, unit
from characters.design.spec import ArmPose, Body

Vec3 = tuple[float, float, float]


@dataclass(frozen=True)
class BoneSpec:
    """One bone; ``parent`` and ``tail`` are names ("" for none).

    ``kind``: "turn" rotates, "move" also translates, "ik" is an IK handle, "tip" only marks an
    end. ``follow`` names a bone whose rotation this one copies (付与) with ratio 1.
    """

    name: str
    english: str
    parent: str
    position: Vec3
    tail: str = ""
    kind: str = "turn"
    follow: str = ""
    ik_target: str = ""
    ik_chain: tuple[str, ...] = ()


# The order is the file's; builders use these numbers as bone indices.
_STANDARD = [
    "全ての親",
    "センター",
    "下半身",
    "上半身",
    "上半身2",
    "首",
    "頭",
    "両目",
    "左目",
    "右目",
    "左肩",
    "左腕",
    "左ひじ",
    "左手首",
    "右肩",
    "右腕",
    "右ひじ",
    "右手首",
    "左足",
    "左ひざ",
    "左足首",
    "右足",
    "右ひざ",
    "右足首",
    "左足ＩＫ",
    "右足ＩＫ",
]
BONE: dict[str, int] = {name: index for index, name in enumerate(_STANDARD)}

_NECK_BEHIND = 0.012  # how far the neck's root lies behind the head's
_SHOULDER_Y = -0.375  # of the upright body, before it is raised
_RAISED = -0.02, -0.27  # where raising shoulders begins, and where it is whole
_TURN_Z = 0.08  # of the axis that the body turns about


@dataclass(frozen=True)
class Joints:
    """Where the body's joints are; the right side mirrors the left, but for elbows and wrists."""

    shoulder: Vec3
    hip: Vec3
    knee: Vec3
    ankle: Vec3
    waist_y: float
    chest_y: float
    floor_y: float
    stretch: float  # height of this body below the shoulders relative to a grown woman's


def joints(body: Body) -> Joints:
    """The joints of ``body`` before it turns and leans; arms come apart."""
    floor = 1.0 - body.heads
    k = (body.heads - 1.0) / 5.4
    s = body.shoulder
    return Joints(
        shoulder=(s, _SHOULDER_Y, 0.09),
        hip=(0.17, -1.62 * k, 0.06),
        knee=(0.165, (-1.62 * k + floor) / 2, 0.04),
        ankle=(0.16, floor + 0.20, 0.08),
        waist_y=-1.02 * k,
        chest_y=-0.62 * k,
        floor_y=floor,
        stretch=k,
    )


@dataclass(frozen=True)
class Arm:
    """One arm: its joints, where the hand points and where its palm faces (unit vectors).

    ``curl``: how far the fingers bend, radians at their tips.
    """

    elbow: Vec3
    wrist: Vec3
    way: Vec3
    palm: Vec3
    curl: float


def arm(body: Body, sign: int) -> Arm:
    """The left (+1) or right (-1) arm in its pose."""
    posed = _left_arm(body, body.left_arm if sign > 0 else body.right_arm)

    def mirrored(v: Vec3) -> Vec3:
        return (sign * v[0], v[1], v[2])

    way, palm = mirrored(_unit(posed.way)), mirrored(_unit(posed.palm))
    return Arm(mirrored(posed.elbow), mirrored(posed.wrist), way, palm, posed.curl)


def _left_arm(body: Body, pose: ArmPose) -> Arm:
    k, s = joints(body).stretch, body.shoulder
    y = _SHOULDER_Y
    reach, drop = 0.46 * k + 0.05, 0.42 * k
    low = y - 0.62 * k
    gestures: dict[str, Arm] = {
        "akimbo": Arm((s + 0.40 * k, y - 0.48 * k, 0.20), (0.36, y - 0.78 * k, -0.02),
                      (-0.7, -0.5, -0.4), (0.4, -0.8, 0.0), 0.6),
        "chest": Arm((s + 0.12, low, -0.10), (0.24, -0.62, -0.38),
                     (-0.85, 0.5, 0.0), (0.0, 0.0, 1.0), 0.35),
        "hold": Arm((s + 0.16, low, -0.08), (0.34, -0.74, -0.46),
                    (-0.85, 0.30, -0.25), (-0.5, 0.3, 0.8), 0.7),
        "raised": Arm((s + 0.30, y - 0.46 * k, -0.10), (s + 0.34, -0.02, -0.30),
                      (0.12, 1.0, 0.0), (0.0, 0.0, -1.0), 0.15),
        "cheek": Arm((s + 0.10, low, -0.26), (0.42, -0.20, -0.40),
                     (-0.30, 0.95, 0.05), (-0.9, 0.0, 0.45), 0.5),
        "chin": Arm((s + 0.04, low, -0.28), (0.24, -0.34, -0.42),
                    (-0.55, 0.83, -0.05), (-0.7, -0.3, 0.6), 1.1),
        "up": Arm((s + 0.30, 0.08, 0.06), (s + 0.22, 0.66, 0.0),
                  (-0.25, 1.0, 0.0), (0.0, 0.0, -1.0), 0.2),
    }  # fmt: skip
    if pose in gestures:
        return gestures[pose]
    hanging: dict[str, tuple[Vec3, Vec3]] = {
        "a": ((s + reach, y - drop, 0.10), (s + 2 * reach, y - 2 * drop, 0.07)),
        "low": ((s + 0.26 * k, y - 0.56 * k, 0.11), (s + 0.50 * k, y - 1.12 * k, 0.04)),
        "down": ((s + 0.11 * k, low, 0.13), (s + 0.12 * k, y - 1.22 * k, 0.02)),
        "behind": ((s + 0.14 * k, y - 0.56 * k, 0.34), (0.10, y - 0.85 * k, 0.46)),
    }
    elbow, wrist = hanging[pose]
    way = (wrist[0] - elbow[0], wrist[1] - elbow[1], wrist[2] - elbow[2])
    return Arm(elbow, wrist, way, (-0.7, -0.5, 0.3), 0.4)


def _unit(v: Vec3) -> Vec3:
    x, y, z = unit(np.array(v)).tolist()
    return (x, y, z)


def below_neck(points: F64, body: Body) -> F64:
    """``points`` (V, 3) of the upright body as the body stands: turned and leaned from the neck
    down, its shoulders at their height."""
    high, low = _RAISED
    share = np.clip((high - points[:, 1]) / (high - low), 0, 1)
    raised = (body.shoulder_y - _SHOULDER_Y) * share
    return _turned_and_leaned(points, body) + np.stack([0 * raised, raised, 0 * raised], 1)


def standing_floor_y(body: Body) -> float:
    """The floor that ``body`` stands on, its shoulders at their height."""
    return joints(body).floor_y + body.shoulder_y - _SHOULDER_Y


def _turned_and_leaned(points: F64, body: Body) -> F64:
    axis = np.array([0.0, 0.0, _TURN_Z])
    turned: F64 = turned_by(points - axis, points[:, 1], body) + axis
    turned[:, 0] += body.lean * np.maximum(-0.06 - points[:, 1], 0.0)
    return turned


def turned_by(vectors: F64, y: F64, body: Body) -> F64:
    """``vectors`` (V, 3) turned about y by what the body turns at the heights ``y``."""
    angle = body.turn * ease(y, -0.06, -0.40)
    c, s = np.cos(angle), np.sin(angle)
    x, z = vectors[:, 0], vectors[:, 2]
    return np.stack([c * x - s * z, vectors[:, 1], s * x + c * z], 1)


def standard_bones(body: Body, eye_x: float, eye_y: float) -> list[BoneSpec]:
    """The standard bones in the order of ``BONE``."""
    j = joints(body)
    bones = [
        BoneSpec("全ての親", "master", "", (0, j.floor_y, 0), "センター", "move"),
        BoneSpec("センター", "center", "全ての親", (0, j.waist_y - 0.3, 0), "", "move"),
        BoneSpec("下半身", "lower body", "センター", (0, j.waist_y, 0.07)),
        BoneSpec("上半身", "upper body", "センター", (0, j.waist_y, 0.07), "上半身2"),
        BoneSpec("上半身2", "upper body2", "上半身", (0, j.chest_y, 0.08), "首"),
        BoneSpec(
            "首", "neck", "上半身2", (0, body.neck_root_y, body.head_root_z + _NECK_BEHIND), "頭"
        ),
        BoneSpec("頭", "head", "首", (0, body.head_root_y, body.head_root_z)),
        BoneSpec("両目", "eyes", "頭", (0, 1.35, 0)),
        BoneSpec("左目", "eye_L", "頭", (eye_x, eye_y, 0.05), follow="両目"),
        BoneSpec("右目", "eye_R", "頭", (-eye_x, eye_y, 0.05), follow="両目"),
    ]
    for side, letter, sign in (("左", "L", 1), ("右", "R", -1)):
        bones += _arm(side, letter, sign, j, body)
    for side, letter, sign in (("左", "L", 1), ("右", "R", -1)):
        bones += _leg(side, letter, sign, j)
    for side, letter, sign in (("左", "L", 1), ("右", "R", -1)):
        x, y, z = j.ankle
        chain = (f"{side}ひざ", f"{side}足")
        bones.append(
            BoneSpec(
                f"{side}足ＩＫ", f"leg IK_{letter}", "全ての親", (sign * x, y, z), kind="ik",
                ik_target=f"{side}足首", ik_chain=chain,
            )
        )  # fmt: skip
    return [_posed(bone, body) for bone in bones]


def _posed(bone: BoneSpec, body: Body) -> BoneSpec:
    # The neck's and the head's are given as they are after the shoulders were raised.
    move = _turned_and_leaned if bone.name in ("首", "頭") else below_neck
    x, y, z = move(np.array([bone.position], np.float64), body)[0].tolist()
    return replace(bone, position=(x, y, z))


def _arm(side: str, letter: str, sign: int, j: Joints, body: Body) -> list[BoneSpec]:
    def at(p: Vec3) -> Vec3:
        return (sign * p[0], p[1], p[2])

    posed = arm(body, sign)
    collar = (j.shoulder[0] * 0.35, -0.27, 0.09)
    return [
        BoneSpec(f"{side}肩", f"shoulder_{letter}", "上半身2", at(collar), f"{side}腕"),
        BoneSpec(f"{side}腕", f"arm_{letter}", f"{side}肩", at(j.shoulder), f"{side}ひじ"),
        BoneSpec(f"{side}ひじ", f"elbow_{letter}", f"{side}腕", posed.elbow, f"{side}手首"),
        BoneSpec(f"{side}手首", f"wrist_{letter}", f"{side}ひじ", posed.wrist),
    ]


def _leg(side: str, letter: str, sign: int, j: Joints) -> list[BoneSpec]:
    def at(p: Vec3) -> Vec3:
        return (sign * p[0], p[1], p[2])

    return [
        BoneSpec(f"{side}足", f"leg_{letter}", "下半身", at(j.hip), f"{side}ひざ"),
        BoneSpec(f"{side}ひざ", f"knee_{letter}", f"{side}足", at(j.knee), f"{side}足首"),
        BoneSpec(f"{side}足首", f"ankle_{letter}", f"{side}ひざ", at(j.ankle)),
    ]
