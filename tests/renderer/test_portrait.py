"""A generated character in front of the camera: framing, signs, and what may be left out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from characters.files.generate import write_character
from contract.errors import TextureError
from contract.image import Stored, head_rows
from contract.light import SHADINGS, Light, Shading
from contract.pose import REST, Pose
from contract.rig import HeadBox, MorphUse, Rig, Side
from renderer.draw.canvas import Canvas, frame_head
from renderer.formats.model import MmdModel, SphereMode, face_materials
from renderer.formats.read import read_model
from renderer.portrait import portrait as portrait_module
from renderer.portrait.portrait import Portrait
from renderer.portrait.visible import VisiblePart

SIZE = 128


@pytest.fixture(scope="module")
def canvas() -> Iterator[Canvas]:
    canvas = Canvas(SIZE)
    yield canvas
    canvas.release()


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_character(tmp_path_factory.mktemp("character"), seed=5)


@pytest.fixture(scope="module")
def model(model_path: Path) -> MmdModel:
    return read_model(model_path)


@pytest.fixture(scope="module")
def rig(model_path: Path, model: MmdModel) -> Rig:
    """The rig that the generator says is true, by the first of its ways to close an eye."""
    truth = json.loads((model_path.parent / "truth.json").read_text("utf-8"))
    bones = {bone.name: number for number, bone in enumerate(model.bones)}
    drives = {
        axis: tuple(MorphUse(use["morph"], 1.0, Side(use["side"])) for use in uses[:1])
        for axis, uses in truth["drives"].items()
    }
    head, neck = bones["頭"], bones["首"]
    box = HeadBox(**truth["head_box"])
    return Rig(box, head, "頭", neck, "首", 0.0, 0.1, drives, confidence={}, doubtful=())


@pytest.fixture(scope="module")
def portrait(canvas: Canvas, model: MmdModel, rig: Rig) -> Iterator[Portrait]:
    portrait = Portrait(canvas, model, rig)
    yield portrait
    portrait.release()


def _changed(first: Stored, second: Stored) -> npt.NDArray[np.bool_]:
    return np.asarray((np.abs(first.astype(int) - second.astype(int)) > 8).any(axis=2))


def _centre_of(mask: npt.NDArray[np.bool_]) -> tuple[float, float]:
    rows, columns = np.nonzero(mask)
    return float(rows.mean()), float(columns.mean())


def test_the_camera_puts_skull_top_and_chin_on_the_edges_of_the_middle_half() -> None:
    """In clip space the middle half is y in [-0.5, 0.5]; the head's middle is x = 0."""
    clip = frame_head(HeadBox(chin_y=15.0, skull_top_y=18.0, centre_x=0.25), 40.0).mmd_to_clip()
    for y, expected in ((18.0, 0.5), (15.0, -0.5)):
        assert np.allclose((clip @ [0.25, y, 0.0, 1.0])[:2], [0.0, expected], atol=1e-6)
    # A unit is as wide as it is high, and nearer (smaller z) has the smaller depth.
    assert np.allclose((clip @ [1.25, 15.0, 0.0, 1.0])[0], 1.0 / 3.0, atol=1e-6)
    assert (clip @ [0, 0, -1, 1])[2] < (clip @ [0, 0, 1, 1])[2]


def test_the_head_fills_the_middle_rows(portrait: Portrait) -> None:
    top, bottom = head_rows(SIZE)
    alpha = portrait.draw(REST)[..., 3]
    assert (alpha[top + 2 : bottom - 2, SIZE // 2] == 255).all()
    assert alpha[bottom + 10, SIZE // 2] == 255  # the neck goes on
    assert not alpha[:4].any()


def test_the_background_is_exactly_nothing(portrait: Portrait) -> None:
    picture = portrait.draw(REST)
    assert not picture[picture[..., 3] == 0].any()
    assert (picture[..., 3] == 0).mean() > 0.2


@pytest.mark.parametrize(("axis", "on_the_right"), [("left_eye", True), ("right_eye", False)])
def test_the_characters_left_eye_is_the_viewers_right_one(
    portrait: Portrait, axis: str, on_the_right: bool
) -> None:
    moved = _changed(portrait.draw(REST), portrait.draw(Pose(**{axis: 1.0})))
    row, column = _centre_of(moved)
    assert moved.sum() > 30
    assert (column > SIZE / 2) == on_the_right
    assert head_rows(SIZE)[0] < row < head_rows(SIZE)[1]


def test_the_mouth_is_below_the_eyes_and_open_at_rest(portrait: Portrait) -> None:
    eyes = _changed(portrait.draw(REST), portrait.draw(Pose(left_eye=1, right_eye=1)))
    mouth = _changed(portrait.draw(REST), portrait.draw(Pose(mouth=0)))
    assert _centre_of(mouth)[0] > _centre_of(eyes)[0] + 5
    assert abs(_centre_of(mouth)[1] - SIZE / 2) < 4


def _mouth_row_and_column(portrait: Portrait, **joints: float) -> tuple[float, float]:
    """Where the mouth is in the picture, found by closing it."""
    opened, closed = portrait.draw(Pose(**joints)), portrait.draw(Pose(mouth=0, **joints))
    return _centre_of(_changed(opened, closed))


def test_positive_head_x_tilts_the_face_up(portrait: Portrait) -> None:
    rest = _mouth_row_and_column(portrait)
    assert _mouth_row_and_column(portrait, head_x=1.0)[0] < rest[0] - 2
    assert _mouth_row_and_column(portrait, head_x=-1.0)[0] > rest[0] + 2


def test_positive_head_y_turns_the_face_to_the_viewers_left(portrait: Portrait) -> None:
    rest = _mouth_row_and_column(portrait)
    assert _mouth_row_and_column(portrait, head_y=1.0)[1] < rest[1] - 2
    assert _mouth_row_and_column(portrait, head_y=-1.0)[1] > rest[1] + 2


def test_positive_neck_z_leans_the_head_to_the_viewers_left(portrait: Portrait) -> None:
    rest = _mouth_row_and_column(portrait)
    assert _mouth_row_and_column(portrait, neck_z=1.0)[1] < rest[1] - 1
    assert _mouth_row_and_column(portrait, neck_z=-1.0)[1] > rest[1] + 2


def test_leaving_out_what_the_frame_cannot_show_changes_no_byte(
    canvas: Canvas, model: MmdModel, rig: Rig, portrait: Portrait, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = VisiblePart(
        np.arange(len(model.vertices), dtype=np.int32), model.faces, face_materials(model)
    )
    monkeypatch.setattr(portrait_module, "visible_part", lambda *_: everything)
    whole = Portrait(canvas, model, rig)
    for pose in (REST, Pose(-1, 1, 1, 1, 0, 0), Pose(1, -1, -1, 0.5, 1, 0.5), Pose(0.7, 0.7, -0.7)):
        assert (whole.draw(pose) == portrait.draw(pose)).all()
    whole.release()


def test_pictures_do_not_depend_on_what_was_drawn_before(
    canvas: Canvas, model: MmdModel, rig: Rig, portrait: Portrait
) -> None:
    poses = [REST, Pose(0.5, 0.5, 0.5, 1, 1, 0), Pose(mouth=0.5), REST]
    forward = [portrait.draw(pose) for pose in poses]
    fresh = Portrait(canvas, model, rig)
    backward = [fresh.draw(pose) for pose in reversed(poses)][::-1]
    fresh.release()
    assert all((a == b).all() for a, b in zip(forward, backward, strict=True))


def test_other_drives_draw_what_a_portrait_of_their_own_draws(
    canvas: Canvas, model: MmdModel, rig: Rig, portrait: Portrait
) -> None:
    swapped = {**rig.drives, "left_eye": rig.drives["right_eye"]}
    other = replace(rig, drives=swapped)
    own = Portrait(canvas, model, other)
    wink = Pose(left_eye=1.0)
    before = portrait.draw(wink)
    assert np.array_equal(portrait.driven(other).draw(wink), own.draw(wink))
    assert not np.array_equal(own.draw(wink), before)
    assert np.array_equal(portrait.draw(wink), before)
    own.release()
    with pytest.raises(ValueError, match="more than what drives"):
        portrait.driven(replace(other, split_x=1.0))


def test_more_ambient_light_is_brighter_and_keeps_the_outline(portrait: Portrait) -> None:
    dim, bright = portrait.draw(REST, Light(0.5)), portrait.draw(REST, Light(1.2))
    assert (dim[..., 3] == bright[..., 3]).all()
    assert (bright >= dim).all()
    assert bright[..., :3].mean() > dim[..., :3].mean() + 2


def test_a_missing_texture_refuses_the_model_by_name(
    canvas: Canvas, rig: Rig, tmp_path: Path
) -> None:
    path = write_character(tmp_path, seed=5)
    written = read_model(path)
    lost = tmp_path / written.texture_paths[written.materials[0].texture]
    lost.unlink()
    with pytest.raises(
        TextureError, match=rf"model\.pmx: texture '{lost.name}' is missing"
    ) as caught:
        Portrait(canvas, read_model(path), rig)
    assert caught.value.code == "texture-missing"
    lenient = Portrait(canvas, read_model(path), rig, strict_textures=False)
    assert lost.name in lenient.texture_faults[0]
    lenient.release()


def _with_sphere_maps(model: MmdModel, mode: SphereMode, reference: str) -> MmdModel:
    """The model with one sphere map on every material."""
    number = len(model.texture_paths) if reference else -1
    return replace(
        model,
        texture_paths=(*model.texture_paths, reference),
        materials=tuple(
            replace(material, sphere_mode=mode, sphere_texture=number)
            for material in model.materials
        ),
    )


@pytest.mark.parametrize("shading", SHADINGS)
@pytest.mark.parametrize("mode", [SphereMode.MULTIPLY, SphereMode.ADD, SphereMode.SUB_TEXTURE])
@pytest.mark.parametrize("reference", ["lost.spa", "broken.spa", "../far.spa", " ", ""])
def test_a_sphere_map_that_cannot_be_loaded_changes_nothing(
    canvas: Canvas,
    model: MmdModel,
    rig: Rig,
    shading: Shading,
    mode: SphereMode,
    reference: str,
) -> None:
    """Neither a white face (added) nor a black one."""
    (model.path.parent / "broken.spa").write_bytes(b"no picture")
    pictures = []
    for worn, path in ((SphereMode.NONE, ""), (mode, reference)):
        drawn = Portrait(canvas, _with_sphere_maps(model, worn, path), rig)
        pictures.append(drawn.draw(REST, Light(shading=shading)))
        drawn.release()
    assert np.array_equal(pictures[0], pictures[1])


def test_a_toon_map_that_cannot_be_loaded_changes_nothing(
    canvas: Canvas, model: MmdModel, rig: Rig
) -> None:
    pictures = []
    for reference in (-1, len(model.texture_paths)):
        worn = replace(
            model,
            texture_paths=(*model.texture_paths, "lost.bmp"),
            materials=tuple(
                replace(material, toon_texture=reference, shared_toon=-1)
                for material in model.materials
            ),
        )
        drawn = Portrait(canvas, worn, rig)
        pictures.append(drawn.draw(REST, Light(shading="toon")))
        drawn.release()
    assert np.array_equal(pictures[0], pictures[1])


def test_one_portrait_is_drawn_in_both_shadings_in_any_order(portrait: Portrait) -> None:
    poses = (REST, Pose(0.5, -0.5, 0.5, 1, 0, 0.5))
    lights = (Light(0.5, "phong"), Light(0.5, "toon"), Light(1.2, "phong"))
    forward = [portrait.draw(pose, light) for light in lights for pose in poses]
    backward = [portrait.draw(pose, light) for light in lights[::-1] for pose in poses[::-1]]
    assert all(np.array_equal(*pair) for pair in zip(forward, backward[::-1], strict=True))
    assert not np.array_equal(forward[0], forward[2])
