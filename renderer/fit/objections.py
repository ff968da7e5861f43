"""What speaks against an annotation, in words for people."""

from __future__ import annotations

from collections.abc import Mapping

_WORDS: Mapping[str, str] = {
    "not-found": "it was not found; give it",
    "seen-to-close": "the lids were not seen to close over the iris; the name alone says so",
    "normal": "the closed eye smiles",
    "closed": "another morph closes the eye further",
    "covered": "a part of the iris stays in sight",
    "curve": "the closed lids curve neither down nor up",
    "curve-without-name": "only the name says that the wink is a normal one",
    "lids-only": "it moves more of the face than the lids",
    "from-the-head": "something comes out of the head",
    "other-eye-open": "it closes the other eye a little, too",
    "runs-past": "the whole morph moves the lids past each other; less of it closes the eye",
    "eyes-alike": "the two eyes close in different ways",
    "eyes-cover-alike": "one eye is covered less than the other",
    "eyes-of-one-manner": "one eye has a wink of its own, the other half of a blink",
    "seen-to-open": "the lips were not seen to part; the name alone says so",
    "name": "the name is not that of an open mouth",
    "opening": "the mouth hardly opens",
    "against-widest": "another morph opens the mouth much wider",
    "mouth-only": "it moves more of the face than the mouth",
    "sharp": "the chin is blunt: where it ends is not clear",
    "below-eyes": "the chin is unusually near to the eyes, or far from them",
    "profile": "no chin was seen in the profile; it is guessed from eyes and lips",
    "below-lips": "the chin is unusually near to the lips, or far from them",
    "seen": "no skull was seen under the hair; its top is guessed",
    "no-headgear": "something lies over the skull",
    "crown-of-hair": "what lies on top may not be hair",
    "one-dome": "a second dome, as of a hat, stands over the first",
    "crown-as-fringe": "the crown may be a hood",
    "proportions": "the proportions are unusual",
    "level": "the eyes are not level over the head",
    "turned": "the head is turned",
    "tilted": "the head is tilted",
    "nodding": "the head looks up or down",
    "off-centre": "the face is not over the head bone",
    "eyes-hidden": "an eye is hidden",
    "no-face-texture": "the face has no texture",
    "face-white": "a texture of the face, or of much of the head, is missing; it is white",
    "shown-white": "a texture is missing; what it should colour is white",
}


def in_words(objection: str) -> str:
    """``answer:check=factor`` (``confidence.judged``) as a sentence; as it is if unknown."""
    answer, _, rest = objection.partition(":")
    check, _, factor = rest.partition("=")
    if check not in _WORDS:
        return objection
    return f"{answer.replace('_', ' ')}: {_WORDS[check]} ({factor})"
