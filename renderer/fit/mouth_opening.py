"""Which morph opens the mouth: names lean toward あ, geometry checks that the lips part."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from contract.rig import MorphUse
from renderer.fit.confidence import UNQUESTIONED, Judgement, judged, ramp
from renderer.fit.face import Change, Face
from renderer.fit.morph_names import mouth_rank
from renderer.fit.raycast import first_hits

Index = npt.NDArray[np.intp]

# In units of the distance between the eyes.
_HALF_WIDTH = 0.2
_TOP, _BOTTOM = 0.35, 1.5  # below the eyes
_VISIBLE_DEPTH = 0.05
_MAX_VERTICES = 1500  # those nearest to the middle; all pairs are looked at
_TOGETHER_Y, _TOGETHER_Z = 0.08, 0.12
_OPEN_IF_NAMED, _OPEN_IF_NAMELESS = 0.03, 0.05
_CHEEKS = 0.3  # below the eyes: a nameless morph must keep below
# Factors by the rank of a name; from o and e on they are makeshifts.
_RANKED, _NAMELESS = (1.0, 1.0, 0.95, 0.9, 0.85, 0.45), 0.45
_SURE_RANK = 1  # names that are believed even of mouths whose lips do not part


@dataclass(frozen=True)
class MouthOpening:
    """What a morph does to the mouth.

    ``opening``: by how much neighbours part in height, in distances between the eyes. ``lips_y``
    (model units): where, ``None`` if nowhere. ``faces``: the model's faces that it moves.
    """

    use: MorphUse
    opening: float
    lips_y: float | None
    faces: Index
    low_share: float
    rank: int | None
    evidence: str
    judgement: Judgement = UNQUESTIONED


class MouthProbe:
    """The visible vertices in the middle of the lower face; collects morphs, then chooses."""

    def __init__(self, face: Face) -> None:
        eyes = face.eyes
        self._face = face
        self._unit = eyes.spacing
        x, y, _ = ((face.positions - [eyes.centre_x, eyes.y, 0]) / self._unit).T
        self._low = y < -_CHEEKS
        rows = np.flatnonzero((np.abs(x) < _HALF_WIDTH) & (y < -_TOP) & (y > -_BOTTOM))
        hits = first_hits(face.positions[face.triangles], face.positions[rows, :2])
        rows = rows[face.positions[rows, 2] < hits.z + _VISIBLE_DEPTH * self._unit]
        rows = rows[np.argsort(np.abs(x[rows]), kind="stable")[:_MAX_VERTICES]]
        self._rows = rows[np.argsort(face.positions[rows, 1])]
        self._lower, self._upper = _close_pairs(face.positions[self._rows] / self._unit)
        self._openings: list[MouthOpening] = []

    def add(self, change: Change) -> None:
        """Note a morph."""
        rise = change.moves[self._rows, 1]
        if not len(self._lower) or not rise.any():
            return
        parting = rise[self._upper] - rise[self._lower]
        widest = int(parting.argmax())
        opening = float(parting[widest]) / self._unit
        pair = self._rows[[self._lower[widest], self._upper[widest]]]
        size = np.abs(change.moves).sum(axis=1)
        name = self._face.model.morphs[change.morph].name
        self._openings.append(
            MouthOpening(
                MorphUse(change.morph, 1.0),
                opening,
                float(self._face.positions[pair, 1].mean()) if opening > 0 else None,
                self._face.faces[change.touched],
                float(size[self._low].sum() / size.sum()),
                mouth_rank(name),
                f"{name}:opening={opening:.2f}",
            )
        )

    def choose(self) -> MouthOpening | None:
        """The morph for the mouth, or ``None``.

        In order: the likeliest name that opens it; without such a name, what opens it widest and
        moves little else; the likeliest name although nothing parts (a painted mouth).
        """
        named = [o for o in self._openings if o.rank is not None and o.opening >= _OPEN_IF_NAMED]
        if named:
            return self._because("name", min(named, key=lambda o: (o.rank, -o.opening)))
        nameless = [
            o for o in self._openings if o.opening >= _OPEN_IF_NAMELESS and o.low_share > 0.9
        ]
        if nameless:
            return self._because("widest", max(nameless, key=lambda o: o.opening))
        believed = [o for o in self._openings if o.rank is not None and o.rank <= _SURE_RANK]
        if believed:
            likeliest = min(believed, key=lambda o: (o.rank, o.use.morph))
            return self._because("name-unverified", likeliest)
        return None

    def _because(self, reason: str, chosen: MouthOpening) -> MouthOpening:
        widest = max(o.opening for o in self._openings if o.low_share >= chosen.low_share)
        judgement = judged(
            {
                "seen-to-open": 0.3 if reason == "name-unverified" else 1.0,
                "name": _NAMELESS if chosen.rank is None else _RANKED[chosen.rank],
                "opening": ramp(chosen.opening, 0.02, 0.05, 0.4),
                "against-widest": ramp(chosen.opening / max(widest, 1e-6), 0.08, 0.3, 0.4),
                "mouth-only": ramp(chosen.low_share, 0.4, 0.8, 0.4),
            }
        )
        evidence = f"mouth:{reason}:{chosen.evidence}"
        return replace(chosen, evidence=evidence, judgement=judgement)


def _close_pairs(points: npt.NDArray[np.float64]) -> tuple[Index, Index]:
    """Pairs (lower, upper) of points, given by ascending y, that lie together in y and z."""
    y, z = points[:, 1], points[:, 2]
    gap = y[None, :] - y[:, None]
    together = (gap >= 0) & (gap <= _TOGETHER_Y) & (np.abs(z[None, :] - z[:, None]) <= _TOGETHER_Z)
    lower, upper = np.nonzero(together)
    return lower, upper
