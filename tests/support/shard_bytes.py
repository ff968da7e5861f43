"""A small shard with known contents, for tests to read, damage and verify."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from contract.image import Stored
from contract.pose import REST
from dataset.build.sampling import LightRange, draw_light_levels, draw_sample, light_generator
from dataset.shards.codec import Codec
from dataset.shards.records import FoundText, ModelRow
from dataset.shards.schema import ShardHeader
from dataset.shards.shard import ShardWriter
from tests.support.tiny_renderer import tiny_facts, tiny_picture

SIZE = 8
HEADER = ShardHeader(
    shading="phong",
    size=SIZE,
    ambient_low=0.5,
    ambient_high=1.2,
    codec="qoi",
    number=3,
    seed=11,
    sampling_version=1,
    configuration_hash="c0ffee",
    generator="opentha test",
    gl_renderer="tiny studio",
)
LIGHT = LightRange(0.5, 1.2, 2)


def model_row(name: str, samples: int) -> ModelRow:
    sha256 = name.encode().hex().ljust(64, "0")
    levels = draw_light_levels(light_generator(HEADER.seed, sha256), LIGHT)
    return ModelRow(
        sha256=sha256,
        path=f"源/{name}.pmx",
        source="源",
        licence=FoundText("源/readme.txt", "ご自由に\nどうぞ"),
        facts=tiny_facts(name),
        seed=HEADER.seed,
        light_levels=tuple(map(float, levels)),
        first_index=0,
        samples=samples,
    )


def mixed_row(name: str, samples: int) -> ModelRow:
    """The row where shading is mixed: the first light is Phong, the second toon."""
    return replace(model_row(name, samples), light_shadings=("phong", "toon"))


def add_model(writer: ShardWriter, row: ModelRow) -> list[Stored]:
    """Write a model's samples as the schema says; the pictures, in frame order."""
    pictures: list[Stored] = []

    def add(picture: Stored) -> int:
        pictures.append(picture)
        return writer.add_frame(picture)

    with writer.model(row):
        rests: dict[int, int] = {}
        for index in range(row.samples):
            sample = draw_sample(row.seed, row.sha256, index, len(row.light_levels))
            light = row.light(sample.light, "phong")
            if sample.light not in rests:
                rests[sample.light] = add(tiny_picture(row.facts.name, REST, light, SIZE))
            frames = (
                rests[sample.light],
                add(tiny_picture(row.facts.name, sample.pose.face_only(), light, SIZE)),
                add(tiny_picture(row.facts.name, sample.pose, light, SIZE)),
            )
            writer.add_sample(sample.pose, index, sample.light, frames)
    return pictures


def write_shard(path: Path, codec: Codec = "qoi") -> list[Stored]:
    """Two models, three and two samples; all pictures in frame order."""
    with ShardWriter(path, replace(HEADER, codec=codec)) as writer:
        pictures = add_model(writer, model_row("mio", 3)) + add_model(writer, model_row("繭", 2))
        writer.finish()
    return pictures
