"""A network in training, with everything that a checkpoint holds of it."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from models.base.execution import Execution
from models.files.bundle import Network
from train.plan.plan import TrainingPlan
from train.run.checkpoint import Checkpoint, Weights

_LOSS_MEMORY = 0.99
_EMA_RAMP = 0.1
"""Early on the running mean forgets faster: its half-life is at most this share of the past."""


class Trainee:
    """One network, its optimizer, its running mean (EMA), and how far it has come.

    step: how many are done. seconds: spent on them. loss: running mean, None at first.
    """

    def __init__(
        self, network: Network, plan: TrainingPlan, device: torch.device, execution: Execution
    ) -> None:
        self.network = network.to(device).train()
        execution.prepare(self.network)
        self.optimizer = torch.optim.Adam(
            self.network.parameters(),
            lr=1e-4,
            betas=(plan.beta1, plan.beta2),
            fused=device.type == "cuda" or None,
        )
        # In float16 small gradients would vanish; elsewhere the scaler does nothing.
        self.scaler = torch.amp.GradScaler(device.type, enabled=execution.precision == "float16")
        self.ema = self._copy() if plan.ema_samples else None
        self.step = 0
        self.seconds = 0.0
        self.loss: float | None = None

    def _copy(self) -> dict[str, Tensor]:
        return {name: t.detach().clone() for name, t in self.network.state_dict().items()}

    def start_from(self, weights: Weights) -> None:
        """Take the weights of another network of the same kind."""
        self.network.load_state_dict(weights)
        if self.ema is not None:
            self.ema = self._copy()

    def set_learning_rate(self, rate: float) -> None:
        """For the steps from here on."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def find_gradient(self, loss: Tensor) -> None:
        """That of ``loss``, for ``step_back``; changes nothing else."""
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]

    def step_back(self, mean_loss: float, batch: int, half_life: float) -> None:
        """One step against the gradient; ``mean_loss`` is the loss over all processes.

        half_life: of the running mean of weights, in samples.
        """
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.step += 1
        past = mean_loss if self.loss is None else self.loss
        self.loss = _LOSS_MEMORY * past + (1 - _LOSS_MEMORY) * mean_loss
        if self.ema is not None:
            keep = 0.5 ** (batch / min(half_life, _EMA_RAMP * self.step * batch))
            now = list(self.network.state_dict().values())
            average = get_ema_multi_avg_fn(keep)  # type: ignore[no-untyped-call]
            average(list(self.ema.values()), now, self.step)

    def usable(self) -> Network:
        """The network to look at or to use: the running mean of the weights where there is one."""
        if self.ema is None:
            return self.network
        network = copy.deepcopy(self.network)
        network.load_state_dict(self.ema)
        return network

    def checkpoint(self, stage: str, decides: Mapping[str, object]) -> Checkpoint:
        """Everything, as it is now."""
        return Checkpoint(
            stage,
            decides,
            self.step,
            self.network.state_dict(),
            self.ema,
            self.optimizer.state_dict(),
            torch.get_rng_state(),
            self.seconds,
            self.loss,
            self.scaler.state_dict(),
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Be as the checkpoint was.

        Raises:
            RuntimeError and others of torch's, ValueError: it is of another network, or damaged.
        """
        self.network.load_state_dict(checkpoint.network)
        # It may be from another kind of device.
        ours = {"fused": self.optimizer.defaults["fused"]}
        groups = [group | ours for group in checkpoint.optimizer["param_groups"]]
        self.optimizer.load_state_dict({**checkpoint.optimizer, "param_groups": groups})
        for parameter, state in self.optimizer.state.items():
            shapes = {value.shape for value in state.values() if isinstance(value, Tensor)}
            if not shapes <= {parameter.shape, torch.Size()}:
                raise ValueError("the optimizer's numbers are of another network")
        self.scaler.load_state_dict(dict(checkpoint.scaler))
        if self.ema is not None and checkpoint.ema is not None:
            if checkpoint.ema.keys() != self.ema.keys():
                raise ValueError("the running mean is of another network")
            for name, tensor in checkpoint.ema.items():
                self.ema[name].copy_(tensor)
        torch.set_rng_state(checkpoint.random)
        self.step, self.seconds, self.loss = checkpoint.step, checkpoint.seconds, checkpoint.loss
