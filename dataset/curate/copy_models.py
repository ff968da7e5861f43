"""A shard -> another with some of its models, whose pictures are not decoded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from contract.pose import pose_from_vector
from dataset.shards.records import ModelRow
from dataset.shards.schema import ShardHeader
from dataset.shards.shard import ShardReader, ShardWriter


def copy_models(
    reader: ShardReader, path: Path, header: ShardHeader, is_wanted: Callable[[ModelRow], bool]
) -> int:
    """Write the wanted models of a shard to ``path``; how many there are. None: no shard.

    What is written is what a build of these models alone writes, to the byte. ``path`` may be the
    shard's own: it is replaced in one step.

    Raises:
        ShardError: a picture is damaged. InputError: it cannot be written.
    """
    wanted = [number for number, row in enumerate(reader.models) if is_wanted(row)]
    with ShardWriter(path, header) as writer:
        for number in wanted:
            with writer.model(reader.models[number]):
                _copy_samples(reader, writer, number)
        reader.close()  # some systems replace no file that is open
        writer.finish()
    return len(wanted)


def _copy_samples(reader: ShardReader, writer: ShardWriter, model: int) -> None:
    """Frames in the order of their first use, as they were drawn."""
    copied: dict[int, int] = {}

    def copy(frame: int) -> int:
        if frame not in copied:
            copied[frame] = writer.add_encoded_frame(reader.encoded_frame(frame))
        return copied[frame]

    for row in reader.samples[reader.samples["model"] == model]:
        rest, expression, posed = (copy(int(row[name])) for name in ("rest", "expression", "posed"))
        pose = pose_from_vector(row["pose"])
        writer.add_sample(pose, int(row["index"]), int(row["light"]), (rest, expression, posed))
