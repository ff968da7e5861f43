"""The error tree.

Every fault that a user can cause or mend is one of these. Its text is one line that names the
thing, the fault and the remedy; the command line prints it and exits with code 1.

    OpenthaError
    ├── ModelError            a model file or folder (has a ``code``, see below)
    │   ├── FormatError       the bytes are not what the format says (file, section, byte offset)
    │   ├── RigError          the model cannot be posed (no head bone, no eye morph, ...)
    │   └── TextureError      the textures cannot be used within the limits
    ├── DeviceError           no OpenGL, no GPU, a lost context
    ├── PoseError             a pose outside its range or with an unknown axis
    ├── ShardError            a shard that is missing, broken, or of another schema
    ├── TrainingError         a training that cannot go on (its loss exploded, memory ran out)
    └── InputError            an option, a folder or a file given by the user

``ModelError.code`` is the machine-readable reason that quarantine rows carry: lower case words
joined by hyphens, stable between versions.
"""

from __future__ import annotations


class OpenthaError(Exception):
    """Base of all faults that are shown to the user as one line."""


class ModelError(OpenthaError):
    """A model that cannot be used; ``code`` is stable and machine-readable."""

    def __init__(self, message: str, code: str = "model") -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type[ModelError], tuple[str, str]]:
        return type(self), (str(self), self.code)


class FormatError(ModelError):
    """Bytes that are not what the format says."""


class RigError(ModelError):
    """A well-formed model that cannot be posed."""


class TextureError(ModelError):
    """Textures that cannot be used within the limits."""


class DeviceError(OpenthaError):
    """OpenGL is missing or refused a request."""


class PoseError(OpenthaError):
    """A pose outside its range, or naming an unknown axis."""


class ShardError(OpenthaError):
    """A shard that is missing, broken, or of another schema."""


class TrainingError(OpenthaError):
    """A training that cannot go on."""


class InputError(OpenthaError):
    """An option, folder or file given by the user."""
