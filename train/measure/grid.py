"""Pictures of what the networks do: one row a sample, one column a step of the computation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor, nn

from contract.image import NetworkPicture, network_to_stored
from contract.pose import AXIS_NAMES
from contract.sheet import Sheet
from train.data.batch import Batch
from train.plan.stages import Stage, combiner_input

U8 = npt.NDArray[np.uint8]
Column = tuple[str, list[U8]]

_PAPER_WHITE = 235
_MARGIN = 2
_TITLE = 14
_LEGEND = 78


def draw_grid(columns: Sequence[Column], poses: npt.NDArray[np.float32]) -> U8:
    """(rows, columns, 3) uint8: the columns' pictures (S, S, 3) under titles, poses at the left."""
    size = len(columns[0][1][0])
    row_height = max(size, 11 * len(AXIS_NAMES)) + _MARGIN
    sheet = Sheet(_LEGEND + len(columns) * (size + _MARGIN), _TITLE + len(poses) * row_height)
    for row, pose in enumerate(poses):
        for line, (name, value) in enumerate(zip(AXIS_NAMES, pose, strict=True)):
            top = _TITLE + row * row_height + 11 * line
            sheet.write(f"{name} {value:+.2f}", 1, top, size=9, anchor="la")
    for number, (title, pictures) in enumerate(columns):
        left = _LEGEND + number * (size + _MARGIN)
        sheet.write(title, left, 1, size=9, anchor="la")
        for row, picture in enumerate(pictures):
            sheet.put(picture, left, _TITLE + row * row_height)
    return sheet.pixels()


@dataclass(frozen=True)
class Look:
    """What a stage's network makes of some samples.

    outputs: the pictures (N, 4, H, W) in network form that its loss compares, by name.
    """

    columns: list[Column]
    outputs: dict[str, Tensor]


@torch.no_grad()
def look(stage: Stage, network: nn.Module, rotator: nn.Module | None, batch: Batch) -> Look:
    """Run a stage's network and keep every step of the computation as a column of pictures."""
    image, pose = batch.image, batch.pose[:, stage.axes]
    columns = [("input", shown(image)), ("target", shown(batch.target))]
    match stage.kind:
        case "morpher":
            made = network(image, pose)
            outputs = {"output": made.output}
            columns += [("kept", masks(made.alpha)), ("change", shown(made.change))]
        case "rotator":
            made = network(image, pose)
            outputs = {"pathway 1": made.pathway1, "pathway 2": made.pathway2}
            columns += [("kept", masks(made.alpha)), ("change", shown(made.change))]
            columns += [("flow", flows(made.offset))]
        case "combiner":
            assert rotator is not None  # the table of stages has one for each combiner
            pathway1, pathway2 = combiner_input(rotator, image, pose)
            made = network(pathway1, pathway2, pose)
            outputs = {"output": made.output}
            columns += [("pathway 1", shown(pathway1)), ("pathway 2", shown(pathway2))]
            columns += [("pathway 1's", masks(made.mask)), ("combined", shown(made.combined))]
            columns += [("kept", masks(made.retouch_alpha)), ("change", shown(made.change))]
            columns += [("flow", flows(rotator(image, pose).offset))]
    columns += [(name, shown(pictures)) for name, pictures in outputs.items()]
    return Look(columns, outputs)


def shown(pictures: Tensor) -> list[U8]:
    """(N, 4, H, W) in network form -> N pictures (H, W, 3) over light grey."""
    return [_over_grey(picture) for picture in pictures.detach().float().cpu().numpy()]


def _over_grey(picture: NetworkPicture) -> U8:
    stored = network_to_stored(picture).astype(np.float32)
    alpha = stored[..., 3:] / 255
    flat: U8 = np.rint(stored[..., :3] * alpha + _PAPER_WHITE * (1 - alpha)).astype(np.uint8)
    return flat


def masks(shares: Tensor) -> list[U8]:
    """(N, 4, H, W) in [0, 1] -> N pictures (H, W, 3): the mean of the channels as grey."""
    grey = (shares.detach().float().mean(1, keepdim=True) * 255).round().clamp(0, 255)
    return list(grey.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).to(torch.uint8).cpu().numpy())


def flows(offset: Tensor) -> list[U8]:
    """(N, 2, H, W) in halves of the picture -> N pictures (H, W, 3).

    Hue is the direction (red to the right), saturation the length, full at an eighth of the side.
    """
    x, y = offset.detach().float().cpu().numpy().transpose(1, 0, 2, 3)
    hue = np.mod(np.arctan2(-y, x) / (2 * np.pi), 1) * 255
    length = np.clip(np.hypot(x, y) / 0.25, 0, 1) * 255
    colours = np.stack([hue, length, np.full_like(hue, 255)], -1).astype(np.uint8)
    return [np.asarray(Image.fromarray(one, "HSV").convert("RGB")) for one in colours]
