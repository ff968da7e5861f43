"""The chin: where the profile of the face, followed down from the mouth, falls back for good.

All lengths are in distances between the eyes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from renderer.fit.confidence import Found, ramp
from renderer.fit.eyes import Eyes
from renderer.fit.head_bones import Flags
from renderer.fit.raycast import first_hits
from renderer.formats.model import MmdModel

F64 = npt.NDArray[np.float64]

_PROFILE_STEP = 0.01
_PROFILE_LENGTH = 1.5  # down from the lips
_PROFILE_OFFSETS = (-0.05, 0.0, 0.05)
_FALL = 0.08  # down the profile, over which it is steep or not
_STEEP, _STEEPS = 2.0, (1.5, 2.0, 3.0)  # depth over height: a receding chin falls back by 0.6
_RETURN = 0.25  # below a fall: what comes forward again was a mouth, not a chin

# Of the way from eyes to chin, where the lips are: 0.67, deviating by 0.03, on 23 real models.
_LIPS_SHARE = 0.67
_MOST_OFF = 0.4  # from where the lips put the chin
_UNSEEN = 0.45  # factor: only the lips tell


def find_chin(model: MmdModel, eyes: Eyes, lips_y: float, skin: Flags) -> Found:
    """The height of the chin's tip; ``skin`` (F,) marks the faces of the face's own skin.

    Where the profile does not tell, or tells of a height where no chin can be, the lips do.
    """
    corners = model.vertices.positions[model.faces[skin]].astype(np.float64)
    unit = eyes.spacing
    y = lips_y - unit * np.arange(0, _PROFILE_LENGTH, _PROFILE_STEP)
    profiles = []
    for offset in _PROFILE_OFFSETS:
        x = np.full_like(y, eyes.centre_x + offset * unit)
        profiles.append(first_hits(corners, np.stack([x, y], axis=1)).z / unit)
    chins = {steep: _lowest_fall(profiles, y, steep) for steep in _STEEPS}
    chin_y = chins[_STEEP]
    by_lips = eyes.y - (eyes.y - lips_y) / _LIPS_SHARE
    off = np.inf if chin_y is None else abs(chin_y - by_lips) / unit
    if chin_y is None or off > _MOST_OFF:
        return Found(by_lips, "chin:lips", {"profile": _UNSEEN})
    others = [other for other in chins.values() if other is not None]
    spread = (max(others) - min(others)) / unit
    below_eyes = (eyes.y - chin_y) / unit
    checks = {
        "sharp": ramp(spread, 0.4, 0.12, 0.4),
        "below-eyes": min(ramp(below_eyes, 0.5, 0.7), ramp(below_eyes, 1.9, 1.6)),
        "below-lips": ramp(off, _MOST_OFF, 0.25, 0.4),
    }
    return Found(chin_y, f"chin:fall:spread={spread:.2f}:off-lips={off:.2f}", checks)


def _lowest_fall(profiles: Sequence[F64], y: F64, steep: float) -> float | None:
    falls = [fall for z in profiles if (fall := _fall(z, steep)) is not None]
    return float(y[max(falls)]) if falls else None


def _fall(z: F64, steep: float) -> int | None:
    """The last place before the profile ``z``, read downward, falls back for good."""
    window, below = round(_FALL / _PROFILE_STEP), round(_RETURN / _PROFILE_STEP)
    for place in range(len(z) - window - 1):
        front = z[place]
        if not np.isfinite(front) or z[place + window] - front <= steep * _FALL:
            continue
        if z[place + window : place + window + below].min() > front + _FALL:
            steps = np.diff(np.nan_to_num(z[place : place + window + 1], posinf=1e6))
            return place + int(steps.argmax())
    return None
