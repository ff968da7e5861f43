"""``contract.image.network_to_stored`` by table: many times a second, of a megapixel."""

from __future__ import annotations

import numpy as np

from contract.image import NetworkPicture, Stored, linear_to_srgb

_LEVELS = 1 << 16
"""Of linear light: the darkest step of a byte, the narrowest, still spans twenty."""
_BYTE_OF_LEVEL = np.rint(
    linear_to_srgb((np.arange(_LEVELS) / (_LEVELS - 1)).astype(np.float32)) * 255
).astype(np.uint8)


def shown_bytes(picture: NetworkPicture) -> Stored:
    """(4, H, W) network form -> (H, W, 4) stored form; values outside [-1, 1] are clamped.

    Every byte that ``stored_to_network`` read comes back as it was. Values in between that lie
    within a twentieth of a step of the middle between two may come out as the other one.
    """
    height, width = picture.shape[1:]
    stored = np.empty((height, width, 4), np.uint8)
    scaled = np.empty((height, width), np.float32)
    for channel, half in enumerate((*3 * ((_LEVELS - 1) / 2,), 255 / 2)):
        np.multiply(picture[channel], np.float32(half), out=scaled)
        scaled += np.float32(half + 0.5)  # truncated below: to the nearest
        np.clip(scaled, 0, np.float32(2 * half + 0.5), out=scaled)
        levels = scaled.astype(np.uint16)
        stored[..., channel] = _BYTE_OF_LEVEL[levels] if channel < 3 else levels
    stored[stored[..., 3] == 0] = 0
    return stored
