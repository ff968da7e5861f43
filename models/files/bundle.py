"""The bundle: one folder that holds trained networks and everything needed to use them rightly.

    bundle.json                    what follows, and the digest of each other file
    morpher.safetensors            one file a network, names as in ``models.base.configurations``
    rotator-L1.safetensors ...

Nothing in it is pickled. Any subset of the seven networks may be present. A file's numbers are
float32, or float16 in half the room, which networks run from as well as they did.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor

from contract.errors import InputError
from contract.files import is_gone, read_file, temporary_of, write_bytes
from models.base.config import NetworkConfig
from models.base.configurations import (
    LOSS_NAMES,
    LossName,
    combiner_name,
    require,
    rotator_name,
    runnable,
)
from models.files.bundle_record import (
    RECORD_FILE,
    BundleRecord,
    NetworkRecord,
    digest,
    read_record,
    write_record,
)
from models.networks.combiner import Combiner
from models.networks.face_morpher import FaceMorpher
from models.networks.face_rotator import FaceRotator
from models.system import Express, System, Turn

Network = FaceMorpher | FaceRotator | Combiner

_DTYPES = torch.float32, torch.float16
_RETIRED = ".old"
_HEADER_BYTES = 1 << 20
"""What a file of tensors may hold besides its numbers."""


@dataclass(frozen=True)
class Bundle:
    """Trained networks and where they came from.

    rotators: by the loss that trained them. combiners: by the losses of (rotator, combiner).
    stages: how each network was trained, in order; JSON values. data_fingerprint: identifies the
    data set. metrics: results of evaluation; JSON values. saw: the models whose pictures its data
    held, by their files' SHA-256, for each part ("train", "validation", "test"); empty where nobody
    knows.
    """

    morpher: FaceMorpher | None = None
    rotators: Mapping[LossName, FaceRotator] = field(default_factory=dict)
    combiners: Mapping[tuple[LossName, LossName], Combiner] = field(default_factory=dict)
    stages: tuple[Mapping[str, object], ...] = ()
    data_fingerprint: str = ""
    metrics: Mapping[str, object] = field(default_factory=dict)
    saw: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def networks(self) -> dict[str, Network]:
        """Every network that is present, by its name."""
        named: dict[str, Network] = {} if self.morpher is None else {"morpher": self.morpher}
        named |= {rotator_name(loss): network for loss, network in self.rotators.items()}
        named |= {combiner_name(*losses): network for losses, network in self.combiners.items()}
        return named

    def configurations(self) -> tuple[str, ...]:
        """Names of the configurations whose networks are all present, in the paper's order."""
        return runnable(self.networks())

    def system(self, name: str) -> System:
        """The networks of the configuration ``name``, composed; they are shared, not copied.

        Raises:
            InputError: the bundle has no such configuration.
        """
        chosen = require(name, self.networks())
        assert self.morpher is not None  # every configuration has one
        combiner = self.combiners[chosen.rotator, chosen.combiner] if chosen.combiner else None
        turn = Turn(self.rotators[chosen.rotator], combiner, chosen.pathway)
        return System(Express(self.morpher), turn)


def save_bundle(
    folder: Path, bundle: Bundle, replace: bool = False, dtype: torch.dtype = torch.float32
) -> None:
    """Write ``bundle`` as ``folder``: complete or not at all.

    dtype: of the numbers in its files, float32 or float16.

    With ``replace`` a bundle that is there is replaced once the new one is whole; where the program
    is killed between the two renames, the old one lies beside it, as ``.NAME.PID.old``, until the
    next is whole.

    Raises:
        InputError: something is there already, or the folder cannot be written.
    """
    with _replacing_folder(folder, replace) as temporary:
        records: dict[str, NetworkRecord] = {}
        for name, network in bundle.networks().items():
            weights = network.state_dict().items()
            state = {k: v.detach().cpu().to(dtype).contiguous() for k, v in weights}
            data = safetensors.save(state)
            write_bytes(_tensors_file(temporary, name), data)
            records[name] = NetworkRecord(network.config, digest(data))
        record = BundleRecord(
            records, bundle.stages, bundle.data_fingerprint, bundle.metrics, bundle.saw
        )
        write_record(temporary / RECORD_FILE, record)


def load_bundle(folder: Path, configurations: Collection[str] | None = None) -> Bundle:
    """The bundle in ``folder``, every check made; networks are float32, on the CPU, in eval mode.

    configurations: load only the networks that these need (None: all that are there).

    Raises:
        InputError: no bundle, one of another version or convention, a file that is missing,
            damaged or does not fit its configuration, or a configuration that it cannot run.
    """
    record = read_record(folder / RECORD_FILE)
    wanted = _wanted(record, configurations)
    loaded = {name: _load(folder, name, record.networks[name]) for name in wanted}
    return bundle_of(loaded, record.stages, record.data_fingerprint, record.metrics, record.saw)


def bundle_of(
    networks: Mapping[str, Network],
    stages: tuple[Mapping[str, object], ...],
    data_fingerprint: str,
    metrics: Mapping[str, object],
    saw: Mapping[str, tuple[str, ...]],
) -> Bundle:
    """The bundle of ``networks``, which are named as ``Bundle.networks`` names them."""
    morpher = networks.get("morpher")
    return Bundle(
        morpher if isinstance(morpher, FaceMorpher) else None,
        {a: n for a in LOSS_NAMES if isinstance(n := networks.get(rotator_name(a)), FaceRotator)},
        {
            (a, b): n
            for a in LOSS_NAMES
            for b in LOSS_NAMES
            if isinstance(n := networks.get(combiner_name(a, b)), Combiner)
        },
        stages,
        data_fingerprint,
        metrics,
        saw,
    )


def _wanted(record: BundleRecord, configurations: Collection[str] | None) -> list[str]:
    if configurations is None:
        return list(record.networks)
    chosen = [require(name, record.networks) for name in configurations]
    return [
        name
        for name in record.networks
        if any(name in configuration.network_names for configuration in chosen)
    ]


def _load(folder: Path, name: str, record: NetworkRecord) -> Network:
    path = _tensors_file(folder, name)
    with torch.device("meta"):
        network = _blank(name, record.config)
    expected = network.state_dict()
    state = _read_tensors(path, record, sum(tensor.numel() for tensor in expected.values()))
    for key in expected.keys() | state.keys():
        if key not in state or key not in expected:
            fault = "missing" if key in expected else "unknown"
            raise InputError(f"{path}: the tensor {key} is {fault}; use a matching version")
        if state[key].dtype not in _DTYPES or state[key].shape != expected[key].shape:
            raise InputError(
                f"{path}: {key} is {state[key].dtype} {tuple(state[key].shape)}, not "
                f"torch.float32 {tuple(expected[key].shape)} as its configuration says"
            )
        if not state[key].isfinite().all():
            raise InputError(f"{path}: {key} has numbers that are not finite; train it again")
    network.load_state_dict({k: v.float() for k, v in state.items()}, assign=True)
    return network.eval()


def _blank(name: str, config: NetworkConfig) -> Network:
    if name == "morpher":
        return FaceMorpher(config)
    return FaceRotator(config) if name.startswith("rotator") else Combiner(config)


def _read_tensors(path: Path, record: NetworkRecord, numbers: int) -> dict[str, Tensor]:
    if not path.is_file():
        raise InputError(f"{path}: missing from the bundle; copy the whole folder again")
    size = path.stat().st_size
    if not any(0 < size - numbers * each.itemsize <= _HEADER_BYTES for each in _DTYPES):
        raise InputError(
            f"{path}: {size} bytes, but its configuration needs {numbers * 4} and a header; "
            "copy the bundle again"
        )
    data = read_file(path, size)
    if digest(data) != record.sha256:
        raise InputError(f"{path}: damaged (its SHA-256 differs); copy the bundle again")
    try:
        return safetensors.load(data)
    except SafetensorError as error:
        raise InputError(f"{path}: not a safetensors file ({error}); copy it again") from error


def _tensors_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.safetensors"


def _clear_retired(folder: Path) -> None:
    """Remove what killed programs moved aside, or put it back where nothing took its place."""
    for retired in folder.parent.glob(f".{escape(folder.name)}.*{_RETIRED}"):
        process = retired.name.removesuffix(_RETIRED).rpartition(".")[2]
        if process.isdecimal() and is_gone(int(process)):
            if folder.exists():
                shutil.rmtree(retired, ignore_errors=True)
            else:
                retired.rename(folder)


@contextmanager
def _replacing_folder(folder: Path, replace: bool) -> Iterator[Path]:
    """A temporary folder beside ``folder``, renamed to it on success, removed on failure."""
    _clear_retired(folder)
    if folder.exists() and not (replace and (folder / RECORD_FILE).is_file()):
        remedy = "name another folder" if replace else "name another folder or ask to replace it"
        raise InputError(f"{folder}: exists already; {remedy}")
    temporary = temporary_of(folder)
    retired = folder.with_name(f".{folder.name}.{os.getpid()}{_RETIRED}")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        # A folder with contents cannot be renamed onto: the old one steps aside first.
        if folder.exists():
            folder.rename(retired)
        temporary.rename(folder)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written ({error.strerror}); check the folder and the free space"
        ) from error
    finally:
        if retired.exists() and not folder.exists():
            retired.rename(folder)
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(retired, ignore_errors=True)
