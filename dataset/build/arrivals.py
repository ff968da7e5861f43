"""Shards that another machine made: believed only once they are verified here."""

from __future__ import annotations

from pathlib import Path

from contract.errors import ModelError, ShardError
from contract.files import replacing
from contract.text import place
from dataset.build.build_worker import ShardMade
from dataset.build.plan import BuildPlan, ShardPart, shard_name
from dataset.catalog.provenance import hash_model
from dataset.jobs.errand import Returned
from dataset.jobs.messages import ModelFailed
from dataset.shards.shard import ShardReader

_MAY_BE_THE_FOLDERS = {"unreadable-file", "changed-file"}
"""Codes of faults that a model seems to have where its folder is not what it is here."""


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
        for message in returned.messages:
            if isinstance(message, ModelFailed) and self._is_sound_here(message):
                return f"{message.message}; here it is whole"
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

    def _is_sound_here(self, fault: ModelFailed) -> bool:
        """Whether a model that another machine could not read is as planned on this one."""
        if fault.code not in _MAY_BE_THE_FOLDERS:
            return False
        if not self._models_folder.is_dir():
            return True  # it is gone for the moment: no model is to blame
        model = self._plan.models[fault.model]
        try:
            return hash_model(place(self._models_folder, model.path)) == model.sha256
        except ModelError:
            return False
