"""Shards that another machine made: believed only once they are verified here."""

from __future__ import annotations

from pathlib import Path

from contract.errors import ShardError
from contract.files import replacing
from dataset.build.build_worker import ShardMade
from dataset.build.plan import BuildPlan, ShardPart, shard_name
from dataset.catalog.elsewhere import fault_of_folder
from dataset.jobs.errand import Returned
from dataset.shards.shard import ShardReader


class Arrivals:
    """Puts the shards of a plan into ``out`` as they come."""

    def __init__(self, models_folder: Path, plan: BuildPlan, out: Path) -> None:
        self._models_folder = models_folder
        self._plan = plan
        self._out = out

    def take(self, number: int, returned: Returned) -> str | None:
        """Put shard ``number`` in its place; what is wrong with it, when it is to be made again.

        Raises:
            InputError: the disk is full or the folder cannot be written.
        """
        models = self._plan.models
        if fault := fault_of_folder(returned.messages, self._models_folder, models.__getitem__):
            return fault
        made = [m.parts for m in returned.messages if isinstance(m, ShardMade)]
        if not made or not made[-1]:
            return None
        name = shard_name(number)
        if name not in returned.files:
            return f"{name} did not come"
        try:
            self._put(number, returned.files[name], made[-1])
        except ShardError as error:
            return str(error)
        return None

    def _put(self, number: int, data: bytes, parts: tuple[ShardPart, ...]) -> None:
        with replacing(self._out / shard_name(number)) as temporary:
            temporary.write_bytes(data)
            with ShardReader(temporary) as reader:
                for frame in range(len(reader.frame_bytes)):
                    reader.encoded_frame(frame)
                if self._plan.parts_of(reader, number) != parts:
                    raise ShardError(f"{shard_name(number)}: does not hold what it should")
