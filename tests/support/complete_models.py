"""Small files with something in every section and every count, and marks where they may end."""

from __future__ import annotations

from tests.support.model_bytes import PmdBuilder, PmxBuilder


def complete_pmx() -> PmxBuilder:
    """A small PMX 2.1 file with something in every section and every count."""
    b = PmxBuilder(2.1, "utf-8", 1, names=("模型", "model", "コメント", "comment"))
    b.begin("vertices", 5).bdef1(0, (0, 1, 2))
    b.vertex_head((1, 1, 2)).pack("B2bff", 1, 0, 1, 0.25, 1)
    b.vertex_head((2, 1, 2)).pack("B4b4ff", 2, 0, 1, 2, -1, 0.5, 0.25, 0.25, 0, 1)
    b.vertex_head((3, 1, 2)).pack("B2bf9ff", 3, 0, 1, 0.75, *range(9), 1)
    b.vertex_head((4, 1, 2)).pack("B4b4ff", 4, 0, 1, 2, -1, 0.5, 0.25, 0.25, 0, 1)
    b.begin("face indices", 6).pack("6B", 0, 1, 2, 2, 3, 4)
    b.begin("textures", 2).text("顔.png").text("sphere.spa")
    b.begin("materials", 2).material("顔", 3, (0, 1), 2).material("髪", 3, toon=(0, 1), flags=0x11)
    b.begin("bones", 3).plain_bone("センター")
    b.bone_head("首", 0x3FBF, 0, (0, 10, 0), 1).pack("b", 2).pack("bf", 0, 0.5)
    b.pack("3f3f3fi", 0, 1, 0, 1, 0, 0, 0, 0, 1, 5).pack("bif", 2, 40, 1)
    b.count("IK links", 2).pack("bB", 0, 0).pack("bB6f", 2, 1, -1, -1, -1, 1, 1, 1)
    b.bone_head("頭", 0x001E, 1, (0, 11, 0)).pack("3f", 0, 1, 0)
    b.begin("morphs", 8)
    b.morph_head("頂点", 1, 2).pack("B3f", 0, 1, 2, 3).pack("B3f", 4, 4, 5, 6)
    b.morph_head("群", 0, 1).pack("bf", 0, 0.5)
    b.morph_head("骨", 2, 1).pack("b3f4f", 2, 1, 2, 3, 0, 0, 0, 1)
    b.morph_head("UV", 3, 1).pack("B4f", 1, 1, 2, 3, 4)
    b.morph_head("追加UV", 4, 1).pack("B4f", 1, 1, 2, 3, 4)
    b.morph_head("材質", 8, 1).pack("bB28f", -1, 1, *range(28))
    b.morph_head("反転", 9, 1).pack("bf", 1, 1)
    b.morph_head("衝撃", 10, 1).pack("bB6f", 0, 1, *range(6))
    b.unneeded_from_here().begin("display frames", 1).display_frame("表情", ((0, 1), (1, 0)))
    b.begin("rigid bodies", 1).rigid_body("剛体", 2)
    b.begin("joints", 1).joint("節", (0, 0))
    b.may_end().count("soft bodies", 1).soft_body("軟体", anchors=1, pins=2)
    return b.may_end()


def complete_pmd() -> PmdBuilder:
    """A small PMD file with something in every section and every count."""
    b = PmdBuilder("模型".encode("cp932"), b"comment")
    b.begin("vertices", 3).vertex((0, 1, 2)).vertex((1, 1, 2), (0, 1), 25, 1).vertex((2, 1, 2))
    b.begin("face indices", 3).pack("3H", 0, 1, 2)
    b.begin("materials", 1).material(b"a.bmp*b.spa", 3)
    b.begin("bones", 3).bone("頭".encode("cp932"), kind=1)
    b.bone("左目".encode("cp932"), 0, 0, 5, 2).bone("捩".encode("cp932"), 0, 1, 8, 0, (0, 1, 0))
    b.begin("IK chains", 1).ik(0, 1, (1, 2), 0.25)
    b.begin("morphs", 2).morph(b"base", 0, ((2, 0, 0, 0), (0, 0, 0, 0)))
    b.morph("あ".encode("cp932"), 3, ((0, 1, 2, 3),))
    b.unneeded_from_here().may_end().count("displayed morphs", 1, "B").pack("H", 1)
    b.count("display frame names", 1, "B").pack("50s", b"frame")
    b.count("displayed bones", 1, "I").pack("HB", 1, 1)
    b.may_end().pack("B20s256s", 1, b"model", b"english").pack(
        "20s20s20s", b"head", b"left eye", b"twist"
    )
    b.pack("20s50s", b"a", b"frame")
    b.may_end()
    for number in range(10):
        b.pack("100s", f"toon{number + 1:02d}.bmp".encode())
    b.may_end().count("rigid bodies", 1, "I").rigid_body()
    b.may_end().count("joints", 1, "I").joint()
    return b.may_end()
