"""The materials: which texture, how they answer to light, their outlines."""

from __future__ import annotations

from dataclasses import replace

from characters.base.character_model import MaterialSpec
from characters.design.palette import shade
from characters.design.spec import CharacterSpec, Colour

_BLACK: Colour = (0.0, 0.0, 0.0)


class Materials:
    """All materials of a character, by the part they cover."""

    def __init__(self, spec: CharacterSpec) -> None:
        self._spec = spec
        p = spec.palette
        self.skin = self._lit(
            "顔", "face", "skin.png", "toon_skin.png", p.skin, spec.shading.skin_edge
        )
        self.body_skin = self._lit("肌", "skin", "skin.png", "toon_skin.png", p.skin, True)
        self.mouth = self._flat("口内", "mouth", "mouth.png")
        self.white = self._flat("白目", "eye white", "eyes.png")
        self.iris = self._flat("瞳", "iris", "eyes.png")
        self.lash = self._flat("まつげ", "lash", "lash.png")
        self.blush = self._flat("照れ", "blush", "blush.png")
        self.lip = self._flat("口線", "lip line", "mouth.png")
        sphere = "hair.spa" if spec.shading.hair_sphere else ""
        self.hair_front = self._hair("前髪", "front hair", "hair.png", sphere)
        self.hair_back = self._hair("後髪", "back hair", "hair.png", sphere)
        self.fringe = self._hair("透け前髪", "see-through fringe", "fringe.png", sphere)
        # The scalp has no outline: an open shell's hull would show as a dark wedge at the nape.
        self.scalp = self._lit("髪裏", "scalp", "hair.png", "toon_hair.png", p.hair, False, True)
        self.cloth = self._lit("服", "cloth", "cloth.png", "toon_cloth.png", p.cloth, True, True)
        self.collar = self._lit("襟", "collar", "cloth.png", "toon_cloth.png", p.trim, True, True)
        self.accessory = self._lit(
            "飾り", "accessory", "cloth.png", "toon_cloth.png", p.accent, True, True
        )

    def _hair(self, name: str, english: str, texture: str, sphere: str) -> MaterialSpec:
        hair = self._lit(name, english, texture, "toon_hair.png", self._spec.palette.hair, True)
        return replace(hair, sphere=sphere, sphere_mode=2 if sphere else 0)

    def _lit(
        self,
        name: str,
        english: str,
        texture: str,
        toon: str,
        colour: Colour,
        edge: bool,
        double_sided: bool = False,
    ) -> MaterialSpec:
        shading = self._spec.shading
        a, s = shading.ambient, shading.specular
        line = shade(colour, 1.0)
        dark = 1 - shading.edge_darkness
        return MaterialSpec(
            name=name,
            english=english,
            diffuse=(1.0, 1.0, 1.0, 1.0),
            specular=(s, s, s),
            specular_power=8.0,
            ambient=(a, a, a),
            texture=texture,
            toon=toon,
            double_sided=double_sided,
            edge=edge and shading.edge_size > 0,
            edge_colour=(line[0] * dark, line[1] * dark, line[2] * dark, 1.0),
            edge_size=shading.edge_size,
        )

    def _flat(self, name: str, english: str, texture: str) -> MaterialSpec:
        a = self._spec.shading.ambient
        return MaterialSpec(
            name=name,
            english=english,
            diffuse=(1.0, 1.0, 1.0, 1.0),
            specular=_BLACK,
            specular_power=5.0,
            ambient=(a, a, a),
            texture=texture,
            toon="toon_flat.png",
        )
