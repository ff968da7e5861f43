"""One rigged model on the device, ready to be drawn in any pose with its head in the frame."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np

from contract.errors import TextureError
from contract.image import Stored
from contract.pose import Pose
from contract.rig import Rig
from renderer.deform.deformer import Deformer, MorphedMesh, bone_rotations, morph_uses
from renderer.draw.canvas import Canvas
from renderer.draw.gpu_model import DrawList, Surface
from renderer.draw.textures import Texture, find_texture, load_texture
from renderer.draw.toon import shared_toon
from renderer.draw.view import Light, frame_head
from renderer.formats.model import I32, Material, MmdModel, SphereMode
from renderer.portrait.normals import outward_normals
from renderer.portrait.sound import require_sound
from renderer.portrait.visible import VisiblePart, visible_part

MAX_TEXTURE_SIDE_PER_PICTURE_SIDE = 8
_DEPTH_MARGIN = 2.0


class Portrait:
    """Draws pictures of one model.

    Only what the frame can show is skinned and drawn, and pictures of one expression share their
    morphs. ``texture_faults`` lists the textures that could not be used.

    Raises:
        TextureError: a colour map that the picture needs is missing or broken, and
            ``strict_textures`` is set; the message names the model.
        FormatError: what the file has wrong, its pictures need.
    """

    def __init__(
        self, canvas: Canvas, model: MmdModel, rig: Rig, *, strict_textures: bool = True
    ) -> None:
        self._canvas = canvas
        self._rig = rig
        if canvas.shading == "phong":
            model = replace(model, vertices=replace(model.vertices, normals=outward_normals(model)))
        split = rig.split_x, rig.split_half_width
        whole = Deformer(model, None, *split)
        depth = _DEPTH_MARGIN * float(np.abs(model.vertices.positions).max()) + 1.0
        self._camera = frame_head(rig.head_box, depth)
        part = visible_part(model, rig, self._camera, whole)
        textures = _Textures(model, canvas.size * MAX_TEXTURE_SIDE_PER_PICTURE_SIDE)
        surfaces = _surfaces(model, part, textures)
        self.texture_faults = tuple(textures.faults)
        if strict_textures and textures.first_colour_fault:
            fault = textures.first_colour_fault
            raise TextureError(f"{model.path.name}: {fault}", fault.code) from fault
        self._deformer = Deformer(model, part.vertices, *split)
        require_sound(model, rig, part, self._deformer.skeleton)
        self._drawn = canvas.upload(
            DrawList(model.vertices.edge_scales[part.vertices], part.faces, surfaces)
        )
        self._expression: tuple[Pose, MorphedMesh] | None = None

    def draw(self, pose: Pose, ambient: float = 0.5) -> Stored:
        """Draw a pose under an ambient light: (size, size, 4) uint8 in the stored form."""
        mesh = self._deformer.skin(self._morphed(pose.face_only()), bone_rotations(self._rig, pose))
        return self._canvas.draw(self._drawn, mesh, self._camera, Light(ambient))

    def _morphed(self, expression: Pose) -> MorphedMesh:
        if self._expression is None or self._expression[0] != expression:
            morphed = self._deformer.morph(morph_uses(self._rig, expression))
            self._expression = expression, morphed
        return self._expression[1]

    def driven(self, rig: Rig) -> Portrait:
        """The same model, its face moved by the drives of ``rig``, which is alike in all else.

        It shares this one's device memory: releasing either ends both. What only its own drives
        bring into the frame from outside is not drawn.

        Raises:
            ValueError: ``rig`` has another head box, other bones or another middle.
        """
        if _framing(rig) != _framing(self._rig):
            raise ValueError("the rig differs in more than what drives the face")
        other = copy(self)
        other._rig, other._expression = rig, None
        return other

    def release(self) -> None:
        """Give the model's device memory back."""
        self._drawn.release()


def _framing(rig: Rig) -> tuple[object, ...]:
    """All of a rig that decides what is uploaded."""
    return rig.head_box, rig.head_bone, rig.neck_bone, rig.split_x, rig.split_half_width


class _Textures:
    """Loads each texture of a model once; remembers what could not be loaded, and why."""

    def __init__(self, model: MmdModel, max_side: int) -> None:
        self._paths = model.texture_paths
        self._folder: Path = model.path.parent
        self._max_side = max_side
        self._loaded: dict[int, Texture | TextureError] = {}
        self.faults: list[str] = []
        self.first_colour_fault: TextureError | None = None

    def colour(self, number: int) -> Texture | None:
        found = self._load(number)
        if isinstance(found, TextureError):
            self.first_colour_fault = self.first_colour_fault or found
            return None
        return found

    def optional(self, number: int) -> Texture | None:
        found = self._load(number)
        return None if isinstance(found, TextureError) else found

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
            find_texture(self._folder, self._paths[number])
        except TextureError:
            return False
        return True

    def _load(self, number: int) -> Texture | TextureError | None:
        if number < 0 or not self._paths[number].strip():
            return None
        if number not in self._loaded:
            try:
                path = find_texture(self._folder, self._paths[number])
                self._loaded[number] = load_texture(path, self._max_side)
            except TextureError as error:
                self.faults.append(str(error))
                self._loaded[number] = error
        return self._loaded[number]


def _surfaces(model: MmdModel, part: VisiblePart, textures: _Textures) -> tuple[Surface, ...]:
    """One surface per material that has visible faces; faces of a material lie together."""
    surfaces: list[Surface] = []
    numbers: I32 = part.materials
    for number, material in enumerate(model.materials):
        first, end = np.searchsorted(numbers, [number, number + 1])
        if first < end:
            surfaces.append(_surface(material, number, int(first), int(end), textures))
    return tuple(surfaces)


def _surface(material: Material, number: int, first: int, end: int, textures: _Textures) -> Surface:
    sphere_mode = material.sphere_mode if material.sphere_texture >= 0 else SphereMode.NONE
    return Surface(
        material=number,
        first_index=first * 3,
        index_count=(end - first) * 3,
        double_sided=material.double_sided,
        draw_edge=material.draw_edge,
        sphere_mode=sphere_mode,
        colour_map=textures.colour(material.texture),
        sphere_map=textures.optional(material.sphere_texture) if sphere_mode else None,
        toon_map=textures.toon(material),
    )
