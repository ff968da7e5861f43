"""THE axes: MMD's numbers and ours, and the only flip between them.

MMD (a file's own numbers): left-handed, y up, the character faces -z and its left is +x, which is
the right of the screen. One unit is about 8 cm; a character is about 20 units tall.

Ours: x to the right of the screen, y up, z out of the picture toward the viewer: MMD's z mirrored.

All arrays before the camera stay in MMD's numbers; the flip happens once, in the camera matrix.
In MMD's numbers a rotation quaternion (x, y, z, w) acts as v' = q v q^-1, and positive turns of
the head bone are exactly the positive directions of head_x, head_y and neck_z.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

AXES_DESCRIPTION = "x right on screen (the character's left), y up, z toward the viewer"

MMD_TO_VIEW: npt.NDArray[np.float64] = np.diag([1.0, 1.0, -1.0, 1.0])
"""4x4, acts on column vectors: a point in MMD's numbers -> our axes. Its own inverse."""
