"""A bundle's networks, run by torch."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from animate.pose.pace import Pace
from animate.pose.poser import AtBothSizes, Vector
from animate.pose.recorded import Function, Recorded
from contract.errors import InputError
from contract.image import NetworkPicture
from models.base.configurations import choose_configuration
from models.base.device import open_device
from models.base.execution import Execution, fastest
from models.files.bundle import Bundle, load_bundle
from models.files.bundle_record import PRETRAINED, RECORD_FILE, pretrained_folder
from models.system import System


class TorchNetworks:
    """The networks of a bundle's configuration on a device; see ``animate.pose.poser.Networks``.

    once: they decide once, even if they would on the mirror image as well.
    """

    def __init__(
        self,
        bundle: Bundle,
        configuration: str,
        device: torch.device,
        execution: Execution,
        *,
        once: bool = False,
    ) -> None:
        # A copy: the bundle may be saved or exported yet, in full precision.
        system = deepcopy(bundle.system(configuration)).eval().to(device)
        if once:
            _decide_once(system)
        self.size, self.small = system.size, system.small
        self.draws_small, self.draws_wide = system.sees_all, True
        self._device, self._execution = device, execution
        self._express, self._turn = system.express, system.turn
        self.is_threaded = device.type == "cpu"
        for part in (self._express, self._turn):
            execution.prepare(part)
            execution.settle(part)
            part.requires_grad_(False)
        self._expressed: Function = self._express_all
        self._turned: Function = self._turn_all
        if self.is_threaded and not execution.compiled:
            self._expressed, self._turned = Recorded(self._expressed), Recorded(self._turned)

    def enter_thread(self) -> None:
        """See ``Networks``."""
        if self.is_threaded:
            torch.set_num_threads(1)  # of this thread, and of threads that begin later

    @torch.inference_mode()
    def express(self, picture: AtBothSizes, face: Vector) -> AtBothSizes:
        """See ``Networks``."""
        return AtBothSizes(*map(_values, self._expressed(*self._batches(picture, face))))

    def _express_all(self, pose: Tensor, small: Tensor, *wide: Tensor) -> tuple[Tensor, ...]:
        """The expression, and the wide picture with it where there is one."""
        with self._execution.autocast(self._device):
            if not wide:
                return (self._express(small, pose),)
            expression, decision = self._express.decide(small, pose)
        return expression, self._express.apply_to(wide[0], decision)

    @torch.inference_mode()
    def turn(self, expression: AtBothSizes, joints: Vector) -> NetworkPicture:
        """See ``Networks``."""
        (turned,) = self._turned(*self._batches(expression, joints))
        return _values(turned)

    def _turn_all(self, pose: Tensor, small: Tensor, *wide: Tensor) -> tuple[Tensor, ...]:
        """The turned picture, the wide one where there is one."""
        with self._execution.autocast(self._device):
            if not wide:
                return (self._turn(small, pose),)
            decision = self._turn.decide(small, pose)
        return (self._turn.apply_in_strips(wide[0], decision),)

    def _batches(self, picture: AtBothSizes, pose: Vector) -> list[Tensor]:
        given = (pose, picture.small, picture.wide)
        return [torch.from_numpy(one)[None].to(self._device) for one in given if one is not None]


def _values(batch: Tensor) -> NetworkPicture:
    values: NetworkPicture = batch[0].float().cpu().numpy()
    return values


def _decide_once(system: System) -> None:
    for network in (system.express.morpher, system.turn.rotator):
        network.config = replace(network.config, both_sides=False)


def open_torch_networks(
    bundle: Bundle,
    configuration: str | None,
    device: str,
    *,
    compiled: bool = False,
    pace: Pace = "full",
) -> TorchNetworks:
    """The networks of a configuration, ready to run the fastest way that is right.

    Raises:
        InputError: the bundle has no such configuration. DeviceError: there is no such device.
    """
    place = open_device(device)
    best = fastest(place)
    execution = Execution(best.channels_last, best.precision, compiled)
    name = choose_configuration(bundle.networks(), configuration)
    is_slow = place.type == "cpu" and best.precision == "float32"
    once = pace == "quick" or (pace == "auto" and is_slow)
    return TorchNetworks(bundle, name, place, execution, once=once)


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
