"""The system: the three networks one after the other, as a function of a picture and a pose.

    picture -express (left_eye right_eye mouth)-> expression -turn (head_x head_y neck_z)-> picture

Two parts, for an expression that stays while the head turns is computed once.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from contract.pose import FACE, JOINTS
from models.networks.combiner import Combiner
from models.networks.face_morpher import FaceMorpher
from models.networks.face_rotator import FaceRotator, RotatorOutput


class Express(nn.Module):
    """Eyes and mouth: the morpher."""

    def __init__(self, morpher: FaceMorpher) -> None:
        super().__init__()
        self.morpher = morpher

    def forward(self, picture: Tensor, face: Tensor) -> Tensor:
        """Picture (N, 4, S, S) in network form, face (N, 3) -> (N, 4, S, S)."""
        output: Tensor = self.morpher(picture, face).output
        return output


class Turn(nn.Module):
    """Head and neck: the rotator, then its combiner, or one of its pathways without one."""

    def __init__(
        self, rotator: FaceRotator, combiner: Combiner | None, pathway: Literal[1, 2] | None
    ) -> None:
        super().__init__()
        self.rotator, self.combiner, self.pathway = rotator, combiner, pathway

    def forward(self, expression: Tensor, joints: Tensor) -> Tensor:
        """Expression (N, 4, S, S) in network form, joints (N, 3) -> (N, 4, S, S)."""
        return self.combine(self.rotator(expression, joints), joints)

    def combine(self, turned: RotatorOutput, joints: Tensor) -> Tensor:
        """The second half: what becomes of the rotator's two pictures."""
        if self.combiner is None:
            return turned.pathway1 if self.pathway == 1 else turned.pathway2
        output: Tensor = self.combiner(turned.pathway1, turned.pathway2, joints).output
        return output


class System(nn.Module):
    """Both parts: a whole configuration."""

    def __init__(self, express: Express, turn: Turn) -> None:
        super().__init__()
        self.express, self.turn = express, turn

    @property
    def size(self) -> int:
        """Pixels a side of the pictures."""
        return self.express.morpher.config.size

    def forward(self, picture: Tensor, pose: Tensor) -> Tensor:
        """Rest picture (N, 4, S, S) and pose (N, 6) in the contract's order -> (N, 4, S, S)."""
        expression: Tensor = self.express(picture, pose[:, FACE])
        output: Tensor = self.turn(expression, pose[:, JOINTS])
        return output
