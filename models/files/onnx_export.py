"""A bundle's networks -> ONNX files, as ``models.files.onnx_record`` lays them out."""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from contract.errors import InputError
from contract.files import scratch_folder, write_bytes
from models.base.configurations import choose_configuration
from models.base.enlarge import Layer, centres, in_halves, sampled
from models.files.bundle import Bundle
from models.files.onnx_record import DECISIONS, OnnxRecord, write_onnx_record
from models.system import Express, System, Turn

_OPSET = 18  # GridSample as the networks use it came with 16
_STRIPS = 8


def export_onnx(bundle: Bundle, configuration: str | None, out: Path) -> str:
    """Write a bundle's configuration as ONNX files into a new folder; the configuration's name.

    Raises:
        InputError: the bundle is of no use, ``out`` is there already, or the exporter is missing.
    """
    name = choose_configuration(bundle.networks(), configuration)
    if out.exists():
        raise InputError(f"{out}: is there already; give another folder")
    system = bundle.system(name).eval()
    digests = {}
    for graph in _graphs(system):
        data = _exported(graph)
        digests[graph.name] = hashlib.sha256(data).hexdigest()
        write_bytes(out / f"{graph.name}.onnx", data)
    # Last, so that a folder with a record is whole.
    config = system.express.morpher.config
    sides = system.size, system.small, system.turns_at, config.look, config.face_look
    write_onnx_record(out, OnnxRecord(*sides, name, digests))
    return name


@dataclass(frozen=True)
class _Graph:
    """One file: what computes it, examples of what it takes, and the names of both ends."""

    name: str
    network: nn.Module
    inputs: tuple[Tensor, ...]
    takes: Sequence[str]
    gives: Sequence[str]
    any_size: bool = False


def _graphs(system: System) -> Iterator[_Graph]:
    config = system.express.morpher.config
    rest, expression = (
        (torch.zeros(1, 4, side, side), torch.zeros(1, 3))
        for side in (system.small, system.turns_at)
    )
    side = 2 * config.size + 8  # an example of D, unlike all other sizes
    wide, given = torch.zeros(1, 4, side, side), ["picture", "pose"]
    looks = {"express": config.face_look, "turn": config.look}
    decided = {
        part: tuple(torch.zeros(1, n, looks[part], looks[part]) for n in channels.values())
        for part, channels in DECISIONS.items()
    }
    express, turn = (list(DECISIONS[part]) for part in ("express", "turn"))
    yield _Graph("express", _DecideExpress(system.express), rest, given, ["output", *express])
    yield _Graph(
        "express-wide",
        _ApplyExpress(system.express),
        (wide, *decided["express"]),
        ["picture", *express],
        ["output"],
        any_size=True,
    )
    own = ["output"] if system.sees_all else []
    yield _Graph(
        "turn", _DecideTurn(system.turn, system.sees_all), expression, given, [*own, *turn]
    )
    yield _Graph(
        "turn-wide",
        _ApplyTurn(),
        (wide, *decided["turn"]),
        ["picture", *turn],
        ["output"],
        any_size=True,
    )


class _DecideExpress(nn.Module):
    def __init__(self, express: Express) -> None:
        super().__init__()
        self.express = express

    def forward(self, picture: Tensor, pose: Tensor) -> tuple[Tensor, ...]:
        output, decision = self.express.decide(picture, pose)
        return output, *decision


class _ApplyExpress(nn.Module):
    def __init__(self, express: Express) -> None:
        super().__init__()
        self.express = express

    def forward(self, picture: Tensor, kept: Tensor, painted: Tensor) -> Tensor:
        return self.express.apply_to(picture, Layer(kept, painted))


class _DecideTurn(nn.Module):
    def __init__(self, turn: Turn, sees_all: bool) -> None:
        super().__init__()
        self.turn, self.sees_all = turn, sees_all

    def forward(self, picture: Tensor, pose: Tensor) -> tuple[Tensor, ...]:
        output, decision = self.turn.draw_and_decide(picture, pose)
        return (output, *decision) if self.sees_all else tuple(decision)


class _ApplyTurn(nn.Module):
    """``Turn.apply_to`` by a few rows at a time: half as long where the picture is large.

    Their number cannot follow the picture's size, for a graph's nodes are counted; nor is anything
    written into what is there already, as ``apply_in_strips`` does, for a graph would copy it all.
    """

    def forward(
        self, picture: Tensor, kept: Tensor, taken: Tensor, painted: Tensor, offset: Tensor
    ) -> Tensor:
        side, look = picture.shape[-1], kept.shape[-1]
        small = torch.cat((kept, taken, painted, in_halves(offset)), 1)
        tall = functional.interpolate(small, (side, look), mode="bilinear", align_corners=False)
        ends = [side * k // _STRIPS for k in range(_STRIPS + 1)]
        return torch.cat([_turned(picture, tall, *rows) for rows in pairwise(ends)], 2)


def _turned(picture: Tensor, tall: Tensor, top: int, end: int) -> Tensor:
    """The rows from ``top`` to ``end`` of a picture (N, 4, D, D), turned.

    tall (N, 14, D, L): all that was decided, as high as the picture.
    """
    side = picture.shape[-1]
    place = centres(side, picture.device)
    strip = functional.interpolate(
        tall[:, :, top:end], (end - top, side), mode="bilinear", align_corners=False
    )
    kept, taken, painted, flow = torch.split(strip, [4, 4, 4, 2], 1)
    places = torch.stack([flow[:, 0] + place, flow[:, 1] + place[top:end, None]], 1)
    return painted + kept * picture[:, :, top:end] + taken * sampled(picture, places)


def _exported(graph: _Graph) -> bytes:
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    shapes: tuple[object, ...] | None = None
    if graph.any_size:
        side = torch.export.Dim("side", min=16, max=4096)
        shapes = ({2: side, 3: side}, *(None for _ in graph.inputs[1:]))
    with scratch_folder("export") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = folder / "network.onnx"
        try:
            torch.onnx.export(
                graph.network,
                graph.inputs,
                str(path),
                input_names=graph.takes,
                output_names=graph.gives,
                opset_version=_OPSET,
                dynamo=True,
                dynamic_shapes=shapes,
                external_data=False,
                verbose=False,
            )
        except ImportError as error:
            raise InputError(
                f"ONNX export needs the packages onnx and onnxscript ({error.name} is missing); "
                "install them with: pip install 'opentha[onnx]'"
            ) from error
        return _without_notes(path)


def _without_notes(path: Path) -> bytes:
    """A graph without the exporter's notes: most of its bytes, and paths of who exported it."""
    import onnx  # noqa: PLC0415  # of the extra that the exporter needs too

    model = onnx.load(path)
    graphs = [model.graph]
    notes = [model, model.graph, *model.functions]
    while graphs:
        graph = graphs.pop()
        notes += [*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer]
        graphs += [a.g for node in graph.node for a in node.attribute if a.HasField("g")]
    notes += [node for function in model.functions for node in function.node]
    for noted in notes:
        noted.ClearField("metadata_props")
        noted.ClearField("doc_string")
    stored: bytes = model.SerializeToString()
    return stored
