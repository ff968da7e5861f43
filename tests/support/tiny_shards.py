"""Shards of drawn faces, small enough to train on within a test: sources s0, s1, ..."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from contract.image import Stored
from contract.origins import HIDDEN, ORIGIN_STEPS, ORIGINS_SIDE, SEEN, Origins
from contract.pose import Pose
from contract.rig import HeadBox
from dataset.build.sampling import draw_pose
from dataset.shards.origins import encode_origins
from dataset.shards.records import ModelFacts, ModelRow
from dataset.shards.schema import ShardHeader
from dataset.shards.shard import ShardWriter

SIZE = 16


def draw_face(colour: int, pose: Pose, size: int = SIZE) -> Stored:
    """A block in a colour, with two eyes that close and a mouth that opens, shifted by head_y."""
    picture = np.zeros((size, size, 4), np.uint8)
    unit = size // 16
    left = round((4 - pose.head_y) * unit)
    picture[4 * unit : 14 * unit, left : left + 8 * unit] = (colour, 180, 255 - colour, 255)
    for eye, at in ((pose.right_eye, left + unit), (pose.left_eye, left + 5 * unit)):
        shade = round(200 * eye)
        picture[6 * unit : 8 * unit, at : at + 2 * unit, :3] = (shade, shade, 40)
    red = round(255 * pose.mouth)
    picture[11 * unit : 13 * unit, left + 3 * unit : left + 5 * unit, :3] = (255, 255 - red, 0)
    return picture


def write_shards(
    folder: Path,
    sources: int = 4,
    models: int = 2,
    samples: int = 6,
    size: int = SIZE,
    names: str = "s{}",
    *,
    traced: bool = False,
) -> Path:
    """One shard a source; each has ``models`` characters with ``samples`` samples.

    traced: with origins.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(sources):
        header = ShardHeader(
            shading="phong",
            size=size,
            ambient_low=0.5,
            ambient_high=0.5,
            codec="qoi",
            number=number,
            seed=0,
            sampling_version=1,
            configuration_hash="c0ffee",
            generator="opentha test",
            gl_renderer="none",
        )
        with ShardWriter(folder / f"shard-{number:05d}.h5", header) as writer:
            for model in range(models):
                source, character = names.format(number), number * models + model
                _write_model(writer, source, character, samples, size, traced=traced)
            writer.finish()
    return folder


def face_origins(pose: Pose) -> Origins:
    """Where ``draw_face`` has what it shows without head_y, which shifts all by a sixteenth."""
    still = (np.arange(ORIGINS_SIDE) + 0.5) * 2 / ORIGINS_SIDE - 1
    x, y = np.meshgrid(still + (4 - round(4 - pose.head_y)) / 8, still)
    places = np.rint(np.stack([x, y], -1) * ORIGIN_STEPS).astype(np.int16)
    return Origins(places, np.where(np.abs(x) < 1, SEEN, HIDDEN).astype(np.uint8))


def _write_model(
    writer: ShardWriter, source: str, character: int, samples: int, size: int, *, traced: bool
) -> None:
    generator = np.random.Generator(np.random.PCG64(character))
    colour = 30 + 25 * character % 200
    box = HeadBox(0.0, 1.0, 0.0)
    row = ModelRow(
        sha256=f"{source} {character}".encode().hex().ljust(64, "0"),
        path=f"{source}/{character}.pmx",
        source=source,
        licence=None,
        facts=ModelFacts(f"{source} {character}", "", box, {}, ()),
        seed=0,
        light_levels=(0.5,),
        first_index=0,
        samples=samples,
    )
    with writer.model(row):
        rest = writer.add_frame(draw_face(colour, Pose(), size))
        for index in range(samples):
            pose = draw_pose(generator)
            faces = (draw_face(colour, pose.face_only(), size), draw_face(colour, pose, size))
            frames = (rest, *(writer.add_frame(face) for face in faces))
            origins = None
            if traced:
                origins = writer.add_encoded_frame(encode_origins(face_origins(pose)))
            writer.add_sample(pose, index, 0, (frames[0], frames[1], frames[2]), origins)
