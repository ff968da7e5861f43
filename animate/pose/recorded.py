"""Functions of tensors that are recorded once and then played back without Python.

A picture of small networks is a thousand short steps. Python takes a fifth of their time, and only
one of several threads has it at once: two draw hardly more than one. TorchScript plays the same
steps from one thread without it, and the numbers are the same to the bit.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable

import torch
from torch import Tensor

Function = Callable[..., tuple[Tensor, ...]]
Shapes = tuple[torch.Size, ...]

RECORDED_FROM = 5
"""Calls with tensors of the same shapes; recording takes as long as dozens of pictures gain."""
_MOST_SHAPES = 8
_SETTLING_CALLS = 2
"""TorchScript's first calls are slow: it looks at them to plan the others."""
_ONE_AT_A_TIME = threading.Lock()
"""Of all recordings: which warnings are shown is one thing for all threads."""


class Recorded:
    """A function of tensors, all on the CPU; what it does may depend on their shapes alone."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._calls: dict[Shapes, int] = {}
        self._played: dict[Shapes, Function] = {}
        self._lock = threading.Lock()

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """What the function gives; several threads may call at once, without gradients."""
        shapes = tuple(one.shape for one in inputs)
        played = self._played.get(shapes)
        if played is None:
            played = self._recorded(shapes) if self._is_time(shapes) else self._function
        return played(*inputs)

    def _is_time(self, shapes: Shapes) -> bool:
        """Whether this is the call to record at; of several threads one hears so."""
        with self._lock:
            if shapes not in self._calls and len(self._calls) >= _MOST_SHAPES:
                self._calls.clear()
                self._played.clear()
            self._calls[shapes] = self._calls.get(shapes, 0) + 1
            return self._calls[shapes] == RECORDED_FROM

    def _recorded(self, shapes: Shapes) -> Function:
        played = _record(self._function, shapes)
        with self._lock:
            self._played[shapes] = played
        return played


def _record(function: Function, shapes: Shapes) -> Function:
    """The function as TorchScript, for inputs of these shapes; as it is where that cannot be."""
    with _ONE_AT_A_TIME, torch.inference_mode(False), torch.no_grad(), warnings.catch_warnings():
        # That shapes are taken for constants is what is wanted; that TorchScript will go one day
        # makes nothing wrong, only slower.
        warnings.simplefilter("ignore")
        examples = tuple(torch.zeros(shape) for shape in shapes)
        try:
            played: Function = torch.jit.trace(function, examples, check_trace=False)  # type: ignore[no-untyped-call]
            for _ in range(_SETTLING_CALLS):
                played(*examples)
        except (AttributeError, RuntimeError, TypeError):
            return function
    return played
