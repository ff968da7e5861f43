"""What the names of morphs and bones hint at, in the spellings of the wild. Only ever a hint."""

from __future__ import annotations

import re
import unicodedata

_SEPARATORS = re.compile(r"[\s_\-.:・()\[\]「」『』（）]+")

# Faces that close the eyes but are no blink: symbols, squeezes, straight lines.
_NO_BLINK = re.compile(
    r"は[ぅうぁあ]|なごみ|ぎゅ|きゅ|ギュ|キュ|><|じと|ジト|びっくり|驚|白目|ハート|heart|星|star|ぐる|グル"
    r"|瞳|hl|ハイライト|目無|目消|消し|コッチ|涙|tear|cry|泣|痛|半|half|細|squint|narrow|look|怒|angry|困"
    r"|頬|ほほ|ほっぺ|hoho|cheek|blush|赤|染|青|影|shadow|汗|sweat|きりっ|キリッ|真面目|まじめ|serious|まゆ|mayu"
    r"|mouth|口|唇|lips|jaw|舌|歯|tongue|tooth|teeth|悲|sad|surprise|sorrow|extra|下|上|総|highlight|pupil|brow|眉|歪|照"
)
_SMILE = re.compile(
    r"笑|微|smile|joy|にこ|ニコ|にっこり|fun|happy|laugh|喜|楽|乐|warai|egao|nikori|웃|스마일"
)
_CLOSE = re.compile(
    r"まばた|マバタ|まば|瞬|blink|閉|闭|とじ|トジ|close|shut|つぶ[りるっ]|つむ[りるっ]|mabata|matata|眨|合眼|깜[박빡]|눈감"
)
_WINK = re.compile(r"ウィンク|ういんく|うぃんく|wink|uinku|uwinku|片目|单眼|單眼|윙크")
_NORMAL_WINK = re.compile(r"2|normal")
_PUPIL = re.compile(r"瞳(孔|小|大|縮|拡|small|large|$)|pupil|iris(size|small|big)")

# In the order of preference; the whole name must match.
_MOUTHS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern, re.VERBOSE)
    for pattern in (
        r"あ",
        r"(vowel|mth|mouth|発音|口|lip|v|fcl|vrc|viseme|face)* (ア|あ|aa|ah|a) [1c]?",
        r".*(mth|mouth)(geo)?(aa?|ah)(geo)?c?",
        r"あ[あー~〜2]*|ああ|あ.",
        r"(口|mouth)(開|open|大|あけ).*|jawopen|open(mouth)?|.*口開.*",
        r"わ|ワ|えー?|え|お|お[おー~〜]*|(mouth|mth|vowel)?(e|o|oh|wa)",
    )
)

# What exporters put before and after the names of their bones: VRoid, 3ds Max, Source, Mixamo,
# Koikatsu, Blender, Maya.
_BEFORE = r"(jbipc|(valvebiped)?bip0*1|mixamorig\d*|cf?[js]|c|def|org|mch|bone|skel)?"
_AFTER = r"(0*1|m|c|jnt|joint|bone)?"
_HEAD = re.compile(
    rf"{_BEFORE}(head(neckupper)?|頭部?|头部?|あたま|머리|kopf|cabeza|testa|tête|голова){_AFTER}"
)
_NECK = re.compile(
    rf"{_BEFORE}(neck|headnecklower|首根?元?|くび|[颈頸]部?|脖子?|목|hals|cuello|шея){_AFTER}"
)

NOT_A_BLINK, SMILING, SURELY_CLOSING = -3.0, -2.0, 2.0
"""``blink_hint`` of names of other faces with closed eyes and of what is no closing at all; of
smiles; and of what is called a blink."""
WINKING = (-0.5, 0.5)
"""``blink_hint`` of winks: of those that smile more often than not, and of those called normal."""


def normalised(name: str) -> str:
    """One spelling for many: compatibility forms, lower case, no separators, ウィンク."""
    text = _SEPARATORS.sub("", unicodedata.normalize("NFKC", name).casefold())
    return text.replace("ウインク", "ウィンク")


def blink_hint(name: str) -> float:
    """How much a name speaks for a plain closing of the eyes (+) or against it (-), -3..2."""
    text = normalised(name)
    if _NO_BLINK.search(text):
        return NOT_A_BLINK
    if _SMILE.search(text):
        return SMILING
    if _CLOSE.search(text):
        return SURELY_CLOSING
    if _WINK.search(text):
        return WINKING[_NORMAL_WINK.search(text) is not None]
    return 0.0


def moves_pupils(name: str) -> bool:
    """Whether a morph is called one of the pupils, as 瞳小."""
    return _PUPIL.search(normalised(name)) is not None


def mouth_rank(name: str) -> int | None:
    """0 for あ, more for ever less likely names of an open mouth; ``None`` for other names."""
    text = normalised(name)
    return next((rank for rank, mouth in enumerate(_MOUTHS) if mouth.fullmatch(text)), None)


def is_head(name: str) -> bool:
    """Whether a bone is called head."""
    return _HEAD.fullmatch(normalised(name)) is not None


def is_neck(name: str) -> bool:
    """Whether a bone is called neck."""
    return _NECK.fullmatch(normalised(name)) is not None


def is_eye(name: str) -> bool:
    """Whether a bone is called left or right eye."""
    return (
        re.fullmatch(
            r"[左右][目眼瞳][12]?|(j(adj|bip)[lr]?)?(left|right|l|r)?(face)?eye(ball)?(l|r|left|right)?",
            normalised(name),
        )
        is not None
    )
