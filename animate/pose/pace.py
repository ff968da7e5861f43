"""How often networks decide of a picture that somebody waits for."""

from __future__ import annotations

from typing import Literal

Pace = Literal["auto", "quick", "full"]
"""Of networks that decide on the mirror image as well (``NetworkConfig.both_sides``).

"full": as they were made. "quick": once, which is less exact and half as much work. "auto": "quick"
on processors that do not multiply bfloat16, and so take twice as long as others do.
"""
