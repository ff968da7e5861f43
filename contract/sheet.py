"""A sheet: pictures laid out on one white page, with words beside them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from contract.picture import png_bytes

U8 = npt.NDArray[np.uint8]

INK, FAINT_INK, RED_INK = "#3c424b", "#8a919c", "#b3261e"
_PAGE, _PANEL = "#ffffff", "#eef0f3"


class Sheet:
    """A page of ``width`` x ``height`` pixels; places are left and top of what is put there."""

    def __init__(self, width: int, height: int) -> None:
        self._page = Image.new("RGB", (width, height), _PAGE)

    def put(self, picture: U8, left: int, top: int, side: int | None = None) -> None:
        """A picture (H, W, 3), or (H, W, 4) on a light panel; ``side``: scaled to that square."""
        image = Image.fromarray(picture)
        if image.mode == "RGBA":
            panel = Image.new("RGBA", image.size, _PANEL)
            panel.alpha_composite(image)
            image = panel.convert("RGB")
        if side is not None and image.size != (side, side):
            image = image.resize((side, side), Image.Resampling.LANCZOS)
        self._page.paste(image, (left, top))

    def frame(self, left: int, top: int, right: int, bottom: int, ink: str) -> None:
        """The outline of a rectangle, one pixel wide; ``ink`` may be see-through (#rrggbbaa)."""
        ImageDraw.Draw(self._page, "RGBA").rectangle((left, top, right, bottom), outline=ink)

    def write(
        self, text: str, x: int, y: int, *, ink: str = INK, size: float = 12, anchor: str = "mm"
    ) -> None:
        """Words at a point: their middle, or what Pillow's ``anchor`` says."""
        font = ImageFont.load_default(size)
        ImageDraw.Draw(self._page).text((x, y), text, ink, font, anchor=anchor)

    def pixels(self) -> U8:
        """The page as it is: (height, width, 3) uint8."""
        return np.array(self._page)

    def png(self) -> bytes:
        """The page as the bytes of a PNG."""
        return png_bytes(self.pixels())
