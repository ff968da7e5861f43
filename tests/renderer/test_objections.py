"""Objections in words."""

from __future__ import annotations

import re

from contract.rig import ANSWERS
from renderer.fit.confidence import in_words
from tests.conftest import REPOSITORY


def test_objections_are_put_into_words() -> None:
    assert in_words("chin:sharp=0.79") == (
        "chin: the chin is blunt: where it ends is not clear (0.79)"
    )
    assert in_words("left_eye:eyes-alike=0.40").startswith("left eye: the two eyes close in")
    assert in_words("chin:unheard-of=0.10") == "chin:unheard-of=0.10"


def test_every_check_of_the_annotator_has_words() -> None:
    """So that a new check is not shown as a code."""
    folder = REPOSITORY / "renderer" / "fit"
    code = "".join(path.read_text("utf-8") for path in sorted(folder.glob("*.py")))
    checks = set(re.findall(r'^\s+"([a-z]+(?:-[a-z]+)*)": (?!")', code, re.MULTILINE))
    judged = {name for name in checks if in_words(f"chin:{name}=0.10") != f"chin:{name}=0.10"}
    assert {"sharp", "covered", "turned", "opening"} <= judged
    assert checks - judged <= {*ANSWERS, "deg"}  # "deg" is a word of ``mesh``
