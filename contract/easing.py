"""The one curve by which things begin and end softly."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Share = TypeVar("Share", float, npt.NDArray[np.float32], npt.NDArray[np.float64])


def smoothstep(share: Share) -> Share:
    """0 at 0, 1 at 1, level at both ends: s * s * (3 - 2 * s), for shares in [0, 1]."""
    return share * share * (3 - 2 * share)
