"""What decides a network's shape and the weights it starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace

from contract.errors import InputError
from contract.image import DEFAULT_SIZE

IMAGE_CHANNELS = 4
DOWNSAMPLINGS = 3
"""Halvings between the picture and the bottleneck (256 -> 32)."""

_LARGEST_SIZE = 2048
_MOST_CHANNELS = 2048
_MOST_BLOCKS = 64


@dataclass(frozen=True)
class NetworkConfig:
    """The shape of a network and its first weights; the defaults are the paper's, exactly.

    size: height and width of the pictures in pixels, a multiple of 8 and at least 16.
    channels: at full resolution; doubled at each of three halvings up to ``max_channels``.
    residual_blocks: at the bottleneck.

    The rest scales or replaces the He-normal start of the heads, and so says which picture an
    untrained network gives; see ``copying``.

    flow_scale: factor on the flow head's weights. He-normal offsets are as large as the picture;
        0 starts the flow as the identity.
    change_scale: factor on the change heads' weights.
    alpha_start: None for He-normal, else the share, within (0, 1), of its input picture that a
        network's output starts with (the morpher's and pathway 1's alpha, the combiner's retouch).
    mask_start: None for He-normal, else the share of pathway 1 that the combiner starts with.

    Raises:
        InputError: a value that no network can have.
    """

    size: int = DEFAULT_SIZE
    channels: int = 64
    max_channels: int = 512
    residual_blocks: int = 6
    flow_scale: float = 1.0
    change_scale: float = 1.0
    alpha_start: float | None = None
    mask_start: float | None = None

    def __post_init__(self) -> None:
        # A configuration may come from a stranger's file: types and bounds before any tensor.
        for field in fields(self):
            value = getattr(self, field.name)
            kinds = (int,) if isinstance(field.default, int) else (int, float)
            optional = value is None and field.default is None
            if not optional and (isinstance(value, bool) or not isinstance(value, kinds)):
                raise InputError(f"network: {field.name} is {value!r}; give a number")
        self._require("size", 16 <= self.size <= _LARGEST_SIZE and self.size % 8 == 0)
        self._require("channels", 1 <= self.channels <= _MOST_CHANNELS)
        self._require("max_channels", self.channels <= self.max_channels <= _MOST_CHANNELS)
        self._require("residual_blocks", 0 <= self.residual_blocks <= _MOST_BLOCKS)
        self._require("flow_scale", 0 <= self.flow_scale <= 1)
        self._require("change_scale", 0 <= self.change_scale <= 1)
        self._require("alpha_start", self.alpha_start is None or 0 < self.alpha_start < 1)
        self._require("mask_start", self.mask_start is None or 0 < self.mask_start < 1)

    def _require(self, name: str, holds: bool) -> None:
        if not holds:
            raise InputError(f"network: {name} is {getattr(self, name)}; {_RULES[name]}")

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels at each resolution, from full (index 0) to the bottleneck (index 3)."""
        doubled = (self.channels * 2**level for level in range(DOWNSAMPLINGS + 1))
        return tuple(min(width, self.max_channels) for width in doubled)

    def to_json(self) -> dict[str, int | float | None]:
        """The fields, as JSON can hold them."""
        return asdict(self)


_RULES = {
    "size": f"it must be a multiple of 8 from 16 to {_LARGEST_SIZE}",
    "channels": f"it must lie in [1, {_MOST_CHANNELS}]",
    "max_channels": f"it must lie between channels and {_MOST_CHANNELS}",
    "residual_blocks": f"it must lie in [0, {_MOST_BLOCKS}]",
    "flow_scale": "it must lie in [0, 1]",
    "change_scale": "it must lie in [0, 1]",
    "alpha_start": "it must lie within (0, 1), or be left out",
    "mask_start": "it must lie within (0, 1), or be left out",
}

PAPER = NetworkConfig()


def copying(config: NetworkConfig) -> NetworkConfig:
    """The same networks, started so that every output is nearly its input picture."""
    return replace(config, flow_scale=0.0, alpha_start=0.9, mask_start=0.5)


def config_from_json(values: Mapping[str, object]) -> NetworkConfig:
    """The configuration that ``to_json`` gave; ``InputError`` on unknown or missing fields."""
    names = {field.name for field in fields(NetworkConfig)}
    if set(values) != names:
        odd = ", ".join(sorted(map(str, set(values) ^ names)))
        raise InputError(f"network: fields are missing or unknown ({odd}); use a matching version")
    return NetworkConfig(**values)  # type: ignore[arg-type]  # __post_init__ checks every type
