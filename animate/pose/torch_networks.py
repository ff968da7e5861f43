"""A bundle's networks, run by torch."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import torch

from animate.pose.poser import AtBothSizes, Vector
from contract.errors import InputError
from contract.image import NetworkPicture
from models.base.configurations import choose_configuration
from models.base.device import open_device
from models.base.execution import Execution, fastest
from models.files.bundle import Bundle, load_bundle
from models.files.bundle_record import PRETRAINED, RECORD_FILE, pretrained_folder


class TorchNetworks:
    """The networks of a bundle's configuration on a device; see ``animate.pose.poser.Networks``."""

    def __init__(
        self, bundle: Bundle, configuration: str, device: torch.device, execution: Execution
    ) -> None:
        # A copy: the bundle may be saved or exported yet, in full precision.
        system = deepcopy(bundle.system(configuration)).eval().to(device)
        self.size, self.small = system.size, system.small
        self.draws_small, self.draws_wide = system.sees_all, True
        self._device, self._execution = device, execution
        self._express, self._turn = system.express, system.turn
        self.is_threaded = device.type == "cpu"
        for part in (self._express, self._turn):
            execution.prepare(part)
            execution.settle(part)

    def enter_thread(self) -> None:
        """See ``Networks``."""
        if self.is_threaded:
            torch.set_num_threads(1)  # of this thread, and of threads that begin later

    @torch.inference_mode()
    def express(self, picture: AtBothSizes, face: Vector) -> AtBothSizes:
        """See ``Networks``."""
        small, pose = self._batch(picture.small), self._batch(face)
        with self._execution.autocast(self._device):
            if picture.wide is None:
                return AtBothSizes(_values(self._express(small, pose)))
            expression, decision = self._express.decide(small, pose)
        wide = self._express.apply_to(self._batch(picture.wide), decision)
        return AtBothSizes(_values(expression), _values(wide))

    @torch.inference_mode()
    def turn(self, expression: AtBothSizes, joints: Vector) -> NetworkPicture:
        """See ``Networks``."""
        small, pose = self._batch(expression.small), self._batch(joints)
        with self._execution.autocast(self._device):
            if expression.wide is None:
                return _values(self._turn(small, pose))
            decision = self._turn.decide(small, pose)
        return _values(self._turn.apply_in_strips(self._batch(expression.wide), decision))

    def _batch(self, values: NetworkPicture) -> torch.Tensor:
        return torch.from_numpy(values)[None].to(self._device)


def _values(batch: torch.Tensor) -> NetworkPicture:
    values: NetworkPicture = batch[0].float().cpu().numpy()
    return values


def open_torch_networks(
    bundle: Bundle, configuration: str | None, device: str, *, compiled: bool = False
) -> TorchNetworks:
    """The networks of a configuration, ready to run the fastest way that is right.

    Raises:
        InputError: the bundle has no such configuration. DeviceError: there is no such device.
    """
    place = open_device(device)
    best = fastest(place)
    execution = Execution(best.channels_last, best.precision, compiled)
    name = choose_configuration(bundle.networks(), configuration)
    return TorchNetworks(bundle, name, place, execution)


def open_bundle(folder: Path) -> Bundle:
    """The bundle in ``folder``.

    Raises:
        InputError: there is none (saying how to come by one), or it is of no use.
    """
    if folder == PRETRAINED:
        pretrained_folder()
    if not (folder / RECORD_FILE).is_file():
        raise InputError(
            f"{folder}: no bundle (no {RECORD_FILE} in it); `make demo` trains a small one into "
            "demo/run/bundle, `make train-all` a real one, and `models import` makes one of THA1's "
            "three files"
        )
    return load_bundle(folder)
