"""The skeleton: MMD's standard bones, placed for a body, and room for bones of hair.

Positions are in head heights (chin 0, skull top 1) until the assembly scales them.
"""

from __future__ import annotations

from dataclasses import dataclass

from characters.design.spec import Body

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

HEAD_PIVOT: Vec3 = (0.0, 0.10, 0.05)
NECK_PIVOT: Vec3 = (0.0, -0.14, 0.09)


@dataclass(frozen=True)
class Joints:
    """Where the body's joints are; the right side mirrors the left."""

    shoulder: Vec3
    elbow: Vec3
    wrist: Vec3
    hip: Vec3
    knee: Vec3
    ankle: Vec3
    waist_y: float
    chest_y: float
    floor_y: float
    stretch: float  # height of this body below the shoulders relative to a grown woman's


def joints(body: Body) -> Joints:
    """The joints of ``body`` standing in A-pose."""
    floor = 1.0 - body.heads
    k = (body.heads - 1.0) / 5.4
    s = body.shoulder
    reach, drop = 0.46 * k + 0.05, 0.42 * k
    return Joints(
        shoulder=(s, -0.375, 0.09),
        elbow=(s + reach, -0.375 - drop, 0.10),
        wrist=(s + 2 * reach, -0.375 - 2 * drop, 0.07),
        hip=(0.17, -1.62 * k, 0.06),
        knee=(0.165, (-1.62 * k + floor) / 2, 0.04),
        ankle=(0.16, floor + 0.20, 0.08),
        waist_y=-1.02 * k,
        chest_y=-0.62 * k,
        floor_y=floor,
        stretch=k,
    )


def standard_bones(body: Body, eye_x: float, eye_y: float) -> list[BoneSpec]:
    """The standard bones in the order of ``BONE``."""
    j = joints(body)
    bones = [
        BoneSpec("全ての親", "master", "", (0, j.floor_y, 0), "センター", "move"),
        BoneSpec("センター", "center", "全ての親", (0, j.waist_y - 0.3, 0), "", "move"),
        BoneSpec("下半身", "lower body", "センター", (0, j.waist_y, 0.07)),
        BoneSpec("上半身", "upper body", "センター", (0, j.waist_y, 0.07), "上半身2"),
        BoneSpec("上半身2", "upper body2", "上半身", (0, j.chest_y, 0.08), "首"),
        BoneSpec("首", "neck", "上半身2", NECK_PIVOT, "頭"),
        BoneSpec("頭", "head", "首", HEAD_PIVOT),
        BoneSpec("両目", "eyes", "頭", (0, 1.35, 0)),
        BoneSpec("左目", "eye_L", "頭", (eye_x, eye_y, 0.05), follow="両目"),
        BoneSpec("右目", "eye_R", "頭", (-eye_x, eye_y, 0.05), follow="両目"),
    ]
    for side, letter, sign in (("左", "L", 1), ("右", "R", -1)):
        bones += _arm(side, letter, sign, j)
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
    return bones


def _arm(side: str, letter: str, sign: int, j: Joints) -> list[BoneSpec]:
    def at(p: Vec3) -> Vec3:
        return (sign * p[0], p[1], p[2])

    collar = (j.shoulder[0] * 0.35, -0.27, 0.09)
    return [
        BoneSpec(f"{side}肩", f"shoulder_{letter}", "上半身2", at(collar), f"{side}腕"),
        BoneSpec(f"{side}腕", f"arm_{letter}", f"{side}肩", at(j.shoulder), f"{side}ひじ"),
        BoneSpec(f"{side}ひじ", f"elbow_{letter}", f"{side}腕", at(j.elbow), f"{side}手首"),
        BoneSpec(f"{side}手首", f"wrist_{letter}", f"{side}ひじ", at(j.wrist)),
    ]


def _leg(side: str, letter: str, sign: int, j: Joints) -> list[BoneSpec]:
    def at(p: Vec3) -> Vec3:
        return (sign * p[0], p[1], p[2])

    return [
        BoneSpec(f"{side}足", f"leg_{letter}", "下半身", at(j.hip), f"{side}ひざ"),
        BoneSpec(f"{side}ひざ", f"knee_{letter}", f"{side}足", at(j.knee), f"{side}足首"),
        BoneSpec(f"{side}足首", f"ankle_{letter}", f"{side}ひざ", at(j.ankle)),
    ]
