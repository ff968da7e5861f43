"""What other machines found out about models: believed once it is about the files that lie here."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from contract.files import write_bytes
from contract.image import DEFAULT_SIZE
from contract.picture import PictureError, decode
from dataset.catalog.elsewhere import fault_of_folder
from dataset.jobs.errand import Returned
from dataset.jobs.messages import ModelFile
from dataset.scan.scan_worker import ModelScanned, PictureName


class Arrivals:
    """Puts rest pictures into ``cache`` as they come; ``file_of`` knows a model by its number."""

    def __init__(
        self,
        models_folder: Path,
        cache: Path,
        picture_name: PictureName,
        file_of: Callable[[int], ModelFile],
    ) -> None:
        self._models_folder = models_folder
        self._cache = cache
        self._picture_name = picture_name
        self._file_of = file_of

    def take(self, _number: int, returned: Returned) -> str | None:
        """Put a job's pictures in their places; what is wrong, when it is to be done again.

        Raises:
            InputError: the disk is full or the folder cannot be written.
        """
        if fault := fault_of_folder(returned.messages, self._models_folder, self._file_of):
            return fault
        for message in returned.messages:
            if isinstance(message, ModelScanned) and (fault := self._put(message, returned)):
                return fault
        return None

    def _put(self, message: ModelScanned, returned: Returned) -> str | None:
        file = self._file_of(message.model)
        # The name tells the textures: seen otherwise there, the picture has another.
        name = self._picture_name(self._models_folder, file, message.described)
        if name not in returned.files:
            return f"{file.path}: it has other textures there than here"
        data = returned.files[name]
        try:
            found = decode(io.BytesIO(data), ("PNG",), DEFAULT_SIZE)
        except PictureError as error:
            return f"{file.path}: its picture came damaged ({error})"
        if (found.width, found.height, found.image.mode) != (DEFAULT_SIZE, DEFAULT_SIZE, "RGBA"):
            return f"{file.path}: its picture is of another size or kind"
        write_bytes(self._cache / name, data)
        return None
