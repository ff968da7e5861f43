"""bundle.json: which networks a bundle holds, under which conventions, and where they came from."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contract.convention import CONVENTION, disagreement
from contract.errors import InputError
from contract.files import write_bytes
from models.base.config import NetworkConfig, config_from_json
from models.base.configurations import CONFIGURATIONS

RECORD_FILE = "bundle.json"
FORMAT = "opentha-bundle"
VERSION = 1

NETWORK_NAMES = frozenset(
    name for configuration in CONFIGURATIONS.values() for name in configuration.network_names
)

_LARGEST_RECORD = 16 << 20


@dataclass(frozen=True)
class NetworkRecord:
    """A network's shape, and the SHA-256 (64 hexadecimal digits) of its file of tensors."""

    config: NetworkConfig
    sha256: str


@dataclass(frozen=True)
class BundleRecord:
    """All that bundle.json says; networks by name."""

    networks: Mapping[str, NetworkRecord]
    stages: tuple[Mapping[str, object], ...]
    data_fingerprint: str
    metrics: Mapping[str, object]


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
    }
    try:
        text = json.dumps(document, indent=2, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: stages or metrics are no JSON ({error})") from error
    write_bytes(path, text.encode())


def read_record(path: Path) -> BundleRecord:
    """Read and check bundle.json.

    Raises:
        InputError: not there, not JSON, or of another version or convention than this program's.
    """
    document = _read_json(path)
    if document.get("format") != FORMAT or document.get("version") != VERSION:
        raise InputError(
            f"{path}: format {document.get('format')!r} version {document.get('version')!r}, "
            f"not {FORMAT!r} version {VERSION}; use the program that wrote it"
        )
    if fault := disagreement(document.get("contract"), CONVENTION):
        raise InputError(
            f"{path}: {fault}; its networks would be misused: use the program that wrote it"
        )
    networks = _mapping(path, document, "networks")
    stages = document.get("stages")
    fingerprint = document.get("data_fingerprint")
    if not isinstance(stages, list) or not all(isinstance(stage, dict) for stage in stages):
        raise InputError(f"{path}: stages is not a list of objects; write the bundle again")
    if not isinstance(fingerprint, str):
        raise InputError(f"{path}: data_fingerprint is not a text; write the bundle again")
    return BundleRecord(
        {name: _network(path, name, value) for name, value in networks.items()},
        tuple(stages),
        fingerprint,
        _mapping(path, document, "metrics"),
    )


def _read_json(path: Path) -> dict[str, object]:
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; give the folder of a bundle")
    if path.stat().st_size > _LARGEST_RECORD:
        raise InputError(f"{path}: larger than {_LARGEST_RECORD} bytes; this is no bundle's record")
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON ({error}); copy the bundle again") from error
    if not isinstance(document, dict):
        raise InputError(f"{path}: not a JSON object; copy the bundle again")
    return document


def _mapping(path: Path, document: Mapping[str, object], key: str) -> dict[str, object]:
    value = document.get(key)
    if not isinstance(value, dict):
        raise InputError(f"{path}: {key} is missing or no object; write the bundle again")
    return value


def _network(path: Path, name: str, value: object) -> NetworkRecord:
    # Only known names: a file's name is made from it.
    if name not in NETWORK_NAMES:
        raise InputError(f"{path}: {name!r} is no network of this version; use a matching one")
    fields = value if isinstance(value, dict) else {}
    config, sha256 = fields.get("config"), fields.get("sha256")
    if not isinstance(config, dict) or not re.fullmatch("[0-9a-f]{64}", str(sha256)):
        raise InputError(f"{path}: {name} lacks its config or sha256; write the bundle again")
    return NetworkRecord(config_from_json(config), str(sha256))
