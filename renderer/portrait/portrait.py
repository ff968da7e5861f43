"""One rigged model on the device, ready to be drawn in any pose with its head in the frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from contract.errors import TextureError
from contract.image import Stored
from contract.light import DEFAULT_LIGHT, Light, Shading
from contract.origins import Origins
from contract.pose import REST, Pose
from contract.rig import Rig
from renderer.deform.deformer import (
    Deformer,
    MorphedMesh,
    PosedMesh,
    bone_rotations,
    morph_uses,
)
from renderer.draw.canvas import Canvas, frame_head
from renderer.draw.find_texture import find_texture
from renderer.draw.gpu_model import DrawList, Surface
from renderer.draw.textures import Texture, load_texture, shared_toon
from renderer.formats.model import I32, Material, MmdModel, SphereMode
from renderer.portrait.normals import lit_normals
from renderer.portrait.origins import origins_of
from renderer.portrait.shown_faults import SHUT, Sighting, blackened, require_sound, where_it_shows
from renderer.portrait.visible import VisiblePart, visible_part

MAX_TEXTURE_SIDE_PER_PICTURE_SIDE = 8
_DEPTH_MARGIN = 2.0
_SAME_SURFACE = 0.06
"""Of the head's height: what lies so much behind what is seen at a place is seen there too."""


class Portrait:
    """Draws pictures of one model.

    Only what the frame can show is skinned and drawn, and pictures of one expression share their
    morphs. Textures are looked for below ``models_folder`` (default: the model's own folder);
    ``texture_faults`` lists those that could not be used, ``colour_missing`` says whether pictures
    show that (only known with ``strict_textures``), ``texture_files`` are those that are drawn.

    Raises:
        TextureError: a colour map of the face, or of much of the head, is missing or broken, and
            ``strict_textures`` is set; the message names the model.
        FormatError: what the file has wrong, its pictures need.
    """

    def __init__(
        self,
        canvas: Canvas,
        model: MmdModel,
        rig: Rig,
        models_folder: Path | None = None,
        *,
        strict_textures: bool = True,
    ) -> None:
        self._canvas = canvas
        self._rig = rig
        split = rig.split_x, rig.split_half_width
        whole = Deformer(model, None, *split)
        depth = _DEPTH_MARGIN * float(np.abs(model.vertices.positions).max()) + 1.0
        self._camera = frame_head(rig.head_box, depth)
        part = visible_part(model, rig, self._camera, whole)
        max_side = canvas.size * MAX_TEXTURE_SIDE_PER_PICTURE_SIDE
        maps = Maps(model, models_folder, max_side)
        surfaces = _surfaces(model, part, maps)
        self.texture_faults = tuple(map(str, maps.faults.values()))
        self.texture_files = dict(maps.files)
        self._deformer = Deformer(model, part.vertices, *split)
        require_sound(model, rig, part, self._deformer.skeleton)
        normals = lit_normals(model, rig, whole)[part.vertices]
        self._skinned: dict[Shading, Deformer] = {
            "phong": self._deformer.with_normals(normals),
            "toon": self._deformer,
        }
        self._expression: tuple[Pose, MorphedMesh] | None = None
        edge_scales = model.vertices.edge_scales[part.vertices]
        rest = self._camera.clip(model.vertices.positions[part.vertices])
        self._drawn = canvas.upload(DrawList(edge_scales, rest, part.faces, surfaces))
        self.colour_missing = False
        if strict_textures and maps.colourless:
            self._require_colours(model, maps)

    def _require_colours(self, model: MmdModel, maps: Maps) -> None:
        without = np.array([m.texture in maps.colourless for m in model.materials])
        faces = (self._morphed(pose).materials for pose in (REST, SHUT))
        without &= np.any([materials.diffuse[:, 3] > 0 for materials in faces], axis=0)
        if not without.any():
            return
        shown = where_it_shows(partial(self._see, without), self._camera)
        if shown == "on the face":
            self.release()
            fault = maps.faults[min(maps.colourless)]
            raise TextureError(f"{model.path.name}: {fault}", fault.code) from fault
        self.colour_missing = shown == "aside"

    def _see(self, without: npt.NDArray[np.bool_], pose: Pose) -> Sighting:
        """A pose with the materials (M,) ``without`` colour map white, as they are, and black."""
        white = self._posed(pose, DEFAULT_LIGHT)
        black = replace(white, materials=blackened(white.materials, without))
        white_picture, black_picture = (
            self._canvas.draw(self._drawn, mesh, self._camera, DEFAULT_LIGHT)
            for mesh in (white, black)
        )
        return Sighting(white_picture, black_picture, white.positions)

    def draw(self, pose: Pose, light: Light = DEFAULT_LIGHT) -> Stored:
        """Draw a pose under a light: (size, size, 4) uint8 in the stored form."""
        return self._canvas.draw(self._drawn, self._posed(pose, light), self._camera, light)

    def draw_all(self, views: Iterable[tuple[Pose, Light]]) -> Iterator[Stored]:
        """Draw a picture of each view as ``draw`` does, in order, at a graphics card's own pace.

        Nothing else may be drawn with the same canvas until the last one is given.
        """
        posed = ((self._posed(pose, light), light) for pose, light in views)
        return self._canvas.draw_all(self._drawn, posed, self._camera)

    def trace(self, pose: Pose) -> Origins:
        """Where what each pixel of a pose's picture shows lies in that of its expression."""
        before, mesh = (self._posed(one, DEFAULT_LIGHT) for one in (pose.face_only(), pose))
        before_shown, shown = (
            self._canvas.trace(self._drawn, one, before.positions, self._camera)
            for one in (before, mesh)
        )
        tolerance = _SAME_SURFACE * self._camera.half_height / self._camera.depth
        return origins_of(shown, before_shown, tolerance)

    def _posed(self, pose: Pose, light: Light) -> PosedMesh:
        morphed = self._morphed(pose.face_only())
        return self._skinned[light.shading].skin(morphed, bone_rotations(self._rig, pose))

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


def _surfaces(model: MmdModel, part: VisiblePart, maps: Maps) -> tuple[Surface, ...]:
    """One surface per material that has visible faces; faces of a material lie together."""
    surfaces: list[Surface] = []
    numbers: I32 = part.materials
    for number, material in enumerate(model.materials):
        first, end = np.searchsorted(numbers, [number, number + 1])
        if first < end:
            surfaces.append(_surface(material, number, int(first), int(end), maps))
    return tuple(surfaces)


def _surface(material: Material, number: int, first: int, end: int, maps: Maps) -> Surface:
    sphere = maps.optional(material.sphere_texture) if material.sphere_mode else None
    return Surface(
        material=number,
        first_index=first * 3,
        index_count=(end - first) * 3,
        double_sided=material.double_sided,
        draw_edge=material.draw_edge,
        sphere_mode=material.sphere_mode if sphere else SphereMode.NONE,
        colour_map=maps.colour(material.texture),
        sphere_map=sphere,
        toon_map=maps.toon(material),
    )


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
