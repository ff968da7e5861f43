"""The textures of a model as its materials use them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from contract.errors import TextureError
from renderer.draw.find_texture import find_texture
from renderer.draw.textures import Texture, load_texture
from renderer.draw.toon import shared_toon
from renderer.formats.model import Material, MmdModel


class Maps:
    """Finds and loads each texture of a model once, at most ``max_side`` pixels large.

    They lie below ``models_folder`` (None: the model's own folder). ``files`` are those that were
    loaded, by number; ``faults`` say why others were not; ``colourless`` are the numbers of those
    among them that materials take their colour from.
    """

    def __init__(self, model: MmdModel, models_folder: Path | None, max_side: int) -> None:
        self._paths: Sequence[str] = model.texture_paths
        self._folder, self._models_folder = model.path.parent, models_folder
        self._max_side = max_side
        self._loaded: dict[int, Texture] = {}
        self.files: dict[int, Path] = {}
        self.faults: dict[int, TextureError] = {}
        self.colourless: set[int] = set()

    def colour(self, number: int) -> Texture | None:
        """A colour map; ``None`` where a material has none, or it cannot be used."""
        found = self.optional(number)
        if number in self.faults:
            self.colourless.add(number)
        return found

    def optional(self, number: int) -> Texture | None:
        """A map that the picture can do without."""
        if number < 0 or not self._paths[number].strip() or number in self.faults:
            return None
        if number not in self._loaded:
            try:
                path = find_texture(self._folder, self._paths[number], self._models_folder)
                self._loaded[number] = load_texture(path, self._max_side)
            except TextureError as error:
                self.faults[number] = error
                return None
            self.files[number] = path
        return self._loaded[number]

    def toon(self, material: Material) -> Texture | None:
        """A toon file beside the model first, else the shared ramp of the same number."""
        own = None
        if material.toon_texture >= 0 and (
            material.shared_toon < 0 or self._exists(material.toon_texture)
        ):
            own = self.optional(material.toon_texture)
        if own is None and material.shared_toon >= 0:
            return shared_toon(material.shared_toon)
        return own

    def _exists(self, number: int) -> bool:
        try:
            find_texture(self._folder, self._paths[number], self._models_folder)
        except TextureError:
            return False
        return True
