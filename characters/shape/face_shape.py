"""The analytic surface of the face: a height field between the two sides of its outline."""

from __future__ import annotations

import numpy as np

from characters.base.curves import F64, Profile, bump, ease
from characters.design.spec import Face


class FaceShape:
    """The analytic surface of the face, for everything that must lie on it."""

    def __init__(self, face: Face) -> None:
        self.half_width = _half_width(face)
        d = face.depth
        self.middle_z = Profile(
            [
                (0.0, -0.300 * d),
                (0.05, -0.325 * d),
                (0.10, -0.327 * d),
                (0.16, -0.332 * d),
                (0.24, -0.345 * d),
                (0.34, -0.340 * d),
                (0.46, -0.352 * d),
                (0.62, -0.372 * d),
                (0.76, -0.350 * d),
                (0.88, -0.275 * d),
                (0.96, -0.165 * d),
                (1.0, 0.0),
            ]
        )
        self.side_z = Profile(
            [
                (0.0, -0.285 * d),
                (0.05, -0.255 * d),
                (0.12, -0.170 * d),
                (0.20, -0.075 * d),
                (0.30, 0.0),
                (0.45, 0.03),
                (1.0, 0.03),
            ]
        )
        self.back_z = Profile(
            [(0.2, 0.24), (0.32, 0.33), (0.5, 0.42), (0.68, 0.43), (0.85, 0.33), (1.0, 0.05)]
        )
        self._power = 2.2 + face.flatness
        self._nose = face.nose
        self._nose_y = face.nose_y
        self._hollow = 0.012 * min(face.nose / 0.02, 1.0)

    def depth(self, x: F64, y: F64) -> F64:
        """z of the face at (x, y), both of one shape; beyond the outline, z of the outline."""
        s = np.abs(x) / np.maximum(self.half_width(y), 1e-6)
        swell = np.sqrt(np.maximum(1 - np.minimum(s, 1) ** self._power, 0))
        side = self.side_z(y)
        z: F64 = side + (self.middle_z(y) - side) * swell
        return z - self._nose * self._nose_bump(x, y) + self._hollow * _eye_hollow(x, y)

    def _nose_bump(self, x: F64, y: F64) -> F64:
        up = y - self._nose_y
        ridge = ease(up, 0.123, 0.0) * ease(up, -0.040, -0.010)
        return ridge * bump(x, 0, 0.026) + 0.25 * bump(x, 0, 0.05) * bump(up, 0.0, 0.05)

    def jaw_y(self, x: F64) -> F64:
        """The height of the jaw's outline at ``x``, both of one shape."""
        y = np.linspace(0.0, 0.4, 81)
        lowest: F64 = np.interp(np.abs(x), np.maximum.accumulate(self.half_width(y)), y)
        return lowest

    def on(self, xy: F64, forward: float | F64 = 0.0) -> F64:
        """Points (N, 3) over ``xy`` (N, 2), ``forward`` of the face (towards the viewer)."""
        z = self.depth(xy[:, 0], xy[:, 1]) - forward
        return np.concatenate([xy, z[:, None]], axis=1)


def _eye_hollow(x: F64, y: F64) -> F64:
    return bump(np.abs(x), 0.13, 0.07) * bump(y, 0.38, 0.08)


def _half_width(face: Face) -> Profile:
    """Half the width of the face, by the height above its chin."""
    w, point, cheek, jaw = face.half_width, face.chin_point, face.cheek, face.jaw
    low = 1 - 0.16 * point + 0.11 * jaw + 0.10 * cheek
    mid = 1 + 0.04 * cheek + 0.02 * jaw - 0.03 * point
    return Profile(
        [
            (0.0, 0.03 + 0.03 * jaw),
            (0.012, 0.21 * w * low + 0.02 * jaw),
            (0.045, 0.40 * w * low),
            (0.10, 0.60 * w * low),
            (0.17, 0.775 * w * mid * (1 + low) / 2),
            (0.25, 0.90 * w * mid),
            (0.34, 0.965 * w * mid),
            (0.46, w),
            (0.60, w),
            (0.74, 0.94 * w),
            (0.86, 0.77 * w),
            (0.95, 0.49 * w),
            (0.985, 0.28 * w),
            (1.0, 0.02),
        ]
    )
