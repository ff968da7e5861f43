"""The system: the three networks one after the other, as a function of a picture and a pose.

    picture -express (left_eye right_eye mouth)-> expression -turn (head_x head_y neck_z)-> picture

Two parts, for an expression that stays while the head turns is computed once.

A picture of any size is drawn from two: ``decide`` takes it reduced to R pixels a side
(``NetworkConfig.decides_at``; T, ``turns_at``, for its expression), and ``apply_to`` does to the
picture itself what was decided. How small the decisions are, and how few, makes the second half
quick. S is the side of the pictures that the networks were trained on; where they look at those as
they are, R and T are S, and ``forward`` draws them directly.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from contract.errors import InputError
from contract.pose import FACE, JOINTS
from models.base.enlarge import (
    Layer,
    centres,
    enlarged,
    in_halves,
    laid,
    layer,
    moved,
    sampled,
    snapped,
)
from models.base.look import part_of, reduced, with_part
from models.base.narrow import narrow_parts
from models.networks.combiner import Combiner, CombinerDecision
from models.networks.face_morpher import FaceMorpher
from models.networks.face_rotator import FaceRotator, RotatorDecision, RotatorOutput

_STRIP_ROWS = 64


class Express(nn.Module):
    """Eyes and mouth: the morpher."""

    def __init__(self, morpher: FaceMorpher) -> None:
        super().__init__()
        self.morpher = morpher

    def forward(self, picture: Tensor, face: Tensor) -> Tensor:
        """Picture (N, 4, S, S) in network form, face (N, 3) -> (N, 4, S, S)."""
        output: Tensor = self.morpher(picture, face).output
        return output

    def decide(self, picture: Tensor, face: Tensor) -> tuple[Tensor, Layer]:
        """The expression of a picture (N, 4, R, R), and what that took, for ``apply_to``.

        The expression is (N, 4, T, T), as ``Turn.decide`` wants it.
        """
        decision = self.morpher.decide(self.morpher.look(picture), face)
        output = self.morpher.apply_to(picture, decision).output
        return reduced(output, self.morpher.config.turns_at), layer(*decision)

    def apply_to(self, wide: Tensor, over: Layer) -> Tensor:
        """Do what was decided to (N, 4, D, D) with spread colours, and stay so."""
        part = self.morpher.config.looks_at
        return with_part(wide, laid(over, part_of(wide, part)), part)


class TurnDecision(NamedTuple):
    """What becomes of an expression: ``kept * it + taken * (it, warped by offset) + painted``.

    The first three (N, 4, L, L), offset (N, 2, L, L) as ``RotatorDecision`` has it.
    """

    kept: Tensor
    taken: Tensor
    painted: Tensor
    offset: Tensor


class Turn(nn.Module):
    """Head and neck: the rotator, then its combiner, or one of its pathways without one."""

    def __init__(
        self, rotator: FaceRotator, combiner: Combiner | None, pathway: Literal[1, 2] | None
    ) -> None:
        super().__init__()
        self.rotator, self.combiner, self.pathway = rotator, combiner, pathway

    def forward(self, expression: Tensor, joints: Tensor) -> Tensor:
        """Expression (N, 4, S, S) in network form, joints (N, 3) -> (N, 4, S, S)."""
        return self.combine(expression, self.rotator(expression, joints), joints)

    def combine(self, expression: Tensor, turned: RotatorOutput, joints: Tensor) -> Tensor:
        """The second half: what becomes of the rotator's two pictures of an expression."""
        if self.combiner is None:
            return turned.pathway1 if self.pathway == 1 else turned.pathway2
        narrow = self._narrow(self.combiner, expression, turned.offset)
        output: Tensor = self.combiner(turned.pathway1, turned.pathway2, joints, narrow).output
        return output

    def _narrow(self, combiner: Combiner, expression: Tensor, offset: Tensor) -> Tensor | None:
        """What its combiner is to leave to the flow, as ``Combiner.decide`` wants it."""
        asked = combiner.config.flow_outlines
        return narrow_parts(self.rotator.look(expression), offset) if asked else None

    def decide(self, expression: Tensor, joints: Tensor) -> TurnDecision:
        """What to do to an expression, known as (N, 4, T, T), for ``apply_to``."""
        turn = self.rotator.decide(self.rotator.look(expression), joints)
        if self.combiner is None:
            return _one_pathway(turn, self.pathway)
        turned = self.rotator.apply_to(expression, turn)
        return _both_pathways(turn, self._chosen(self.combiner, expression, turned, joints))

    def draw_and_decide(self, expression: Tensor, joints: Tensor) -> tuple[Tensor, TurnDecision]:
        """``forward`` and ``decide`` in one go."""
        turn = self.rotator.decide(self.rotator.look(expression), joints)
        turned = self.rotator.apply_to(expression, turn)
        if self.combiner is None:
            return self.combine(expression, turned, joints), _one_pathway(turn, self.pathway)
        chosen = self._chosen(self.combiner, expression, turned, joints)
        output = self.combiner.apply_to(*turned[:2], chosen).output
        return output, _both_pathways(turn, chosen)

    def _chosen(
        self, combiner: Combiner, expression: Tensor, turned: RotatorOutput, joints: Tensor
    ) -> CombinerDecision:
        narrow = self._narrow(combiner, expression, turned.offset)
        look1, look2 = (combiner.look(one) for one in turned[:2])
        return combiner.decide(look1, look2, joints, narrow)

    def apply_to(self, wide: Tensor, decision: TurnDecision) -> Tensor:
        """Do what was decided to (N, 4, D, D) with spread colours; they stay so."""
        shares = enlarged(torch.cat(decision[:3], 1), wide.shape[-1])
        kept, taken, painted = torch.split(shares, 4, 1)
        still = torch.addcmul(painted, kept, wide)
        return torch.addcmul(still, taken, moved(wide, decision.offset))

    def apply_in_strips(self, wide: Tensor, decision: TurnDecision) -> Tensor:
        """``apply_to`` by a few rows at a time, without gradients.

        What is enlarged then stays in the processor's cache and in memory that is there already:
        at 1024 pixels the whole of it would be 60 MB, anew for every picture.
        """
        side, look = wide.shape[-1], decision.kept.shape[-1]
        small = torch.cat((*decision[:3], in_halves(decision.offset)), 1)
        tall = functional.interpolate(small, (side, look), mode="bilinear", align_corners=False)
        place, output = centres(side, wide.device), torch.empty_like(wide)
        for top in range(0, side, _STRIP_ROWS):
            rows = slice(top, min(top + _STRIP_ROWS, side))
            narrow, shape = tall[:, :, rows], (rows.stop - top, side)
            strip = functional.interpolate(narrow, shape, mode="bilinear", align_corners=False)
            kept, taken, painted, flow = torch.split(strip, [4, 4, 4, 2], 1)
            flow[:, 0] += place
            flow[:, 1] += place[rows, None]
            warped = sampled(wide, flow)
            painted.addcmul_(kept, wide[:, :, rows]).addcmul_(taken, warped)
            output[:, :, rows] = painted
        return output


def _one_pathway(turn: RotatorDecision, pathway: Literal[1, 2] | None) -> TurnDecision:
    first = layer(turn.alpha, turn.change, turn.coverage)
    nothing, all_of_it = torch.zeros_like(first.kept), torch.ones_like(first.kept)
    if pathway == 1:
        return TurnDecision(first.kept, nothing, first.painted, torch.zeros_like(turn.offset))
    return TurnDecision(nothing, all_of_it, nothing, turn.offset)


def _both_pathways(turn: RotatorDecision, chosen: CombinerDecision) -> TurnDecision:
    """The combiner's two blends over the rotator's, multiplied out."""
    first = layer(turn.alpha, turn.change, turn.coverage)
    last = layer(chosen.retouch_alpha, chosen.change, chosen.coverage)
    mask = snapped(chosen.mask)
    share1, share2 = last.kept * mask, last.kept * (1 - mask)
    painted = torch.addcmul(last.painted, share1, first.painted)
    return TurnDecision(share1 * first.kept, share2, painted, turn.offset)


class System(nn.Module):
    """Both parts: a whole configuration.

    Raises:
        InputError: networks of different sizes or looks, which cannot follow one another.
    """

    def __init__(self, express: Express, turn: Turn) -> None:
        super().__init__()
        self.express, self.turn = express, turn
        networks = express.morpher, turn.rotator, turn.combiner
        configs = [network.config for network in networks if network is not None]
        if len({(config.size, config.look) for config in configs}) > 1:
            told = ", ".join(f"{config.size} (looking at {config.look})" for config in configs)
            raise InputError(f"bundle: networks of different sizes, {told}; train them alike")

    @property
    def size(self) -> int:
        """Pixels a side of the pictures."""
        return self.express.morpher.config.size

    @property
    def small(self) -> int:
        """R: pixels a side of the rest picture that it decides on."""
        return self.express.morpher.config.decides_at

    @property
    def turns_at(self) -> int:
        """T: pixels a side of the expression that it decides on."""
        return self.express.morpher.config.turns_at

    @property
    def sees_all(self) -> bool:
        """Whether networks look at pictures of S pixels as they are, and so draw them directly."""
        config = self.express.morpher.config
        return config.look == config.size

    def forward(self, picture: Tensor, pose: Tensor) -> Tensor:
        """Rest picture (N, 4, S, S) and pose (N, 6) in the contract's order -> (N, 4, S, S)."""
        expression: Tensor = self.express(picture, pose[:, FACE])
        output: Tensor = self.turn(expression, pose[:, JOINTS])
        return output
