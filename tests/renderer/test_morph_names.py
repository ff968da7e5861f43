"""What names hint at, in the spellings of the wild."""

from __future__ import annotations

import pytest

from renderer.fit.morph_names import (
    NOT_A_BLINK,
    blink_hint,
    is_eye,
    is_head,
    is_neck,
    mouth_rank,
    normalised,
)


@pytest.mark.parametrize(
    "name", ["ウィンク２", "ウインク2", "ｳｨﾝｸ２", "ｳｲﾝｸ2", "ウィンク 2", "ウィンク_２"]
)
def test_spellings_of_wink_become_one(name: str) -> None:
    assert normalised(name) == "ウィンク2"


@pytest.mark.parametrize(
    "name", ["まばたき", "ﾏﾊﾞﾀｷ", "まば左", "目_閉じ", "eyeBlinkLeft", "EYE_Close_L", "瞬き"]
)
def test_closings_are_hinted_at(name: str) -> None:
    assert blink_hint(name) == 2


@pytest.mark.parametrize("name", ["笑い", "にこり", "EYE_Joy_L", "目_微笑", "wink_smile"])
def test_smiles_are_hinted_at(name: str) -> None:
    assert blink_hint(name) == -2


@pytest.mark.parametrize(
    "name",
    ["はぅ", "なごみ", "ｷﾞｭｯ", "じと目", "びっくり", "瞳小", "ハート目", "mouthClose", "HL消1"],
)
def test_other_faces_are_no_blinks(name: str) -> None:
    assert blink_hint(name) == NOT_A_BLINK


def test_winks_lean_by_their_number() -> None:
    assert blink_hint("ウィンク２右") > 0 > blink_hint("ウィンク右")
    assert blink_hint("m12") == 0


def test_mouths_are_ranked() -> None:
    ranks = [mouth_rank(n) for n in ("あ", "発音「あ」", "Fcl_MTH_A", "ああ", "jawOpen", "お")]
    assert ranks == sorted(rank for rank in ranks if rank is not None)
    assert mouth_rank("あ") == 0 and mouth_rank("ｱ") == 1 and mouth_rank("A") == 1
    assert mouth_rank("い") is None and mouth_rank("あごひげ") is None


def test_bones_are_known_by_many_names() -> None:
    assert all(map(is_head, ["頭", "Head", "J_Bip_C_Head", "mixamorig:Head", "ＨＥＡＤ"]))
    assert all(map(is_head, ["cf_j_head", "head neck upper", "머리", "头部", "Bip001 Head"]))
    assert all(map(is_head, ["ValveBiped.Bip01_Head1", "DEF-head", "Head_M", "c_head", "头"]))
    assert not any(map(is_head, ["頭先", "headset", "頭髪", "forehead", "HeadEnd"]))
    assert all(map(is_neck, ["首", "neck", "Bip01 Neck", "cf_j_neck", "head neck lower", "목"]))
    assert not is_head("head neck lower")
    assert not any(map(is_neck, ["首輪", "necktie", "手首", "손목"]))
    assert all(map(is_eye, ["左目", "右目", "eye_L", "LeftEye", "J_Adj_R_FaceEye", "右眼"]))
    assert not any(map(is_eye, ["両目", "左目先", "eyebrow_L", "J_Adj_L_FaceEyeSet", "左眉"]))
