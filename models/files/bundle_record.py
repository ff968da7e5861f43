"""bundle.json: which networks a bundle holds, under which conventions, and where they came from.

One comes with the program: ``models/pretrained``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from contract.convention import CONVENTION, disagreement
from contract.errors import InputError
from contract.files import read_file, write_bytes
from contract.records import decode, decode_json
from models.base.config import NetworkConfig, config_from_json
from models.base.configurations import CONFIGURATIONS

RECORD_FILE = "bundle.json"
FORMAT = "opentha-bundle"
VERSION = 1

NETWORK_NAMES = frozenset(
    name for configuration in CONFIGURATIONS.values() for name in configuration.network_names
)

_LARGEST_RECORD = 16 << 20
PRETRAINED = Path(__file__).parents[1] / "pretrained"


@dataclass(frozen=True)
class NetworkRecord:
    """A network's shape, and the SHA-256 (64 hexadecimal digits) of its file of tensors."""

    config: NetworkConfig
    sha256: str


@dataclass(frozen=True)
class BundleRecord:
    """All that bundle.json says; networks by name, ``saw`` as in ``models.files.bundle.Bundle``."""

    networks: Mapping[str, NetworkRecord]
    stages: tuple[Mapping[str, object], ...]
    data_fingerprint: str
    metrics: Mapping[str, object]
    saw: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def digest(data: bytes) -> str:
    """The SHA-256 of ``data`` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def write_record(path: Path, record: BundleRecord) -> None:
    """Write bundle.json; ``InputError`` when stages or metrics are not JSON, NaN included."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "contract": CONVENTION,
        "networks": {
            name: {"config": network.config.to_json(), "sha256": network.sha256}
            for name, network in record.networks.items()
        },
        "stages": list(record.stages),
        "data_fingerprint": record.data_fingerprint,
        "metrics": record.metrics,
    } | ({"saw": record.saw} if record.saw else {})
    try:
        text = json.dumps(document, indent=2, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: stages or metrics are no JSON ({error})") from error
    write_bytes(path, text.encode())


@dataclass(frozen=True)
class _NetworkDocument:
    config: Mapping[str, object]
    sha256: str


@dataclass(frozen=True)
class _Document:
    """bundle.json, as it lies on disk."""

    format: str
    version: int
    contract: Mapping[str, object]
    networks: Mapping[str, _NetworkDocument]
    stages: tuple[Mapping[str, object], ...]
    data_fingerprint: str
    metrics: Mapping[str, object]
    saw: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_record(path: Path) -> BundleRecord:
    """Read and check bundle.json.

    Raises:
        InputError: not there, not JSON, or of another version or convention than this program's.
    """
    document = _read_document(path)
    if fault := disagreement(document.contract, CONVENTION):
        raise InputError(
            f"{path}: {fault}; its networks would be misused: use the program that wrote it"
        )
    return BundleRecord(
        {name: _network(path, name, network) for name, network in document.networks.items()},
        document.stages,
        document.data_fingerprint,
        document.metrics,
        document.saw,
    )


def _read_document(path: Path) -> _Document:
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; give the folder of a bundle")
    data = read_file(path, _LARGEST_RECORD)
    try:
        value = decode_json(object, data)
        head = value if isinstance(value, dict) else {}
        _require_version(path, head.get("format"), head.get("version"))
        return decode(_Document, value)
    except ValueError as error:
        raise InputError(
            f"{path}: is no bundle's record ({error!s:.120}); copy or write the bundle again"
        ) from error


def _require_version(path: Path, kind: object, version: object) -> None:
    """First, for another version may have other fields."""
    if (kind, version) != (FORMAT, VERSION):
        raise InputError(
            f"{path}: format {kind!r:.40} version {version!r:.40}, "
            f"not {FORMAT!r} version {VERSION}; use the program that wrote it"
        )


def _network(path: Path, name: str, network: _NetworkDocument) -> NetworkRecord:
    # Only known names: a file's name is made from it.
    if name not in NETWORK_NAMES:
        raise InputError(f"{path}: {name!r} is no network of this version; use a matching one")
    if not re.fullmatch("[0-9a-f]{64}", network.sha256):
        raise InputError(f"{path}: {name} has no sha256; write the bundle again")
    try:
        return NetworkRecord(config_from_json(network.config), network.sha256)
    except InputError as error:
        raise InputError(f"{path}: {name}: {error}") from error


def pretrained_folder() -> Path:
    """Where the bundle lies that came with the program.

    Raises:
        InputError: none came with it.
    """
    if not (PRETRAINED / RECORD_FILE).is_file():
        raise InputError(
            f"{PRETRAINED}: no weights came with this program; make them with `make pretrained`, "
            "or give a bundle of your own"
        )
    return PRETRAINED
