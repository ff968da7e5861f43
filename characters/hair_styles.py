"""Which locks a hair style is made of: fringe, side locks and back hair as groups on the shell."""

from __future__ import annotations

import numpy as np

from characters.curves import F64
from characters.hair import Locks, Shell
from characters.spec import Hair

Rng = np.random.Generator


def _spread(count: int, low: float, high: float, jitter: float, rng: Rng) -> F64:
    step = (high - low) / max(count, 1)
    even = low + step * (np.arange(count) + 0.5)
    spread: F64 = even + rng.uniform(-0.5, 0.5, count) * step * jitter
    return spread


def fringe(hair: Hair, shell: Shell, rng: Rng) -> list[Locks]:
    """The fringe: a layer of broad locks and a thinner one over it."""
    count = hair.fringe_clumps
    reach = 1.22
    tip = _spread(count, -reach, reach, 0.35 * hair.messy + 0.15, rng)
    root = tip * 0.55 + hair.parting * 0.5
    end = np.full(count, hair.fringe_y) + rng.uniform(-0.5, 0.5, count) * (0.02 + 0.07 * hair.messy)
    side = np.abs(tip) / reach
    tip, root, end = _arrange(hair, tip, root, end, side, rng)
    spacing = 2 * reach * shell.side / count
    width = spacing * 0.5 * rng.uniform(1.15, 1.5, count) * hair.clump
    blunt = hair.fringe == "straight"
    broad = Locks(
        root=root,
        tip=tip,
        end_y=end,
        half_width=width,
        thickness=width * 0.28 + 0.008,
        lift=rng.uniform(0.0, 0.018, count),
        flare=rng.uniform(-0.01, 0.02, count) + 0.03 * hair.curl,
        narrow=0.86 if blunt else 0.42,
        power=0.55 if blunt else 0.85,
        wave=hair.wave * 0.3,
    )
    few = max(count // 2, 2)
    pick = rng.choice(count, few, replace=False)
    thin = Locks(
        root=root[pick] + rng.uniform(-0.1, 0.1, few),
        tip=tip[pick] + rng.uniform(-0.14, 0.14, few),
        end_y=end[pick] - rng.uniform(-0.02, 0.035, few),
        half_width=width[pick] * 0.5,
        thickness=width[pick] * 0.2 + 0.006,
        lift=rng.uniform(0.022, 0.034, few),
        flare=rng.uniform(0.0, 0.03, few),
        narrow=0.35,
        wave=hair.wave * 0.3,
    )
    return [broad, thin]


def _arrange(
    hair: Hair, tip: F64, root: F64, end: F64, side: F64, rng: Rng
) -> tuple[F64, F64, F64]:
    """Tips, roots and end heights of the fringe's locks by style; ``side``: 0 middle, 1 temple."""
    end = end - 0.10 * side**2
    part = hair.parting
    away = np.sign(tip - part + 1e-6)
    match hair.fringe:
        case "straight":
            end = end + 0.03 * side
        case "parted":
            tip, end = part + away * (0.16 + np.abs(tip - part) * 0.92), end - 0.05 * side
        case "swept":
            lean = np.sign(part + 1e-6)
            end = end - 0.02 * lean * tip
            tip, root = tip + lean * 0.36, root - lean * 0.30
        case "m_shape":
            middle = np.abs(tip) < 0.16
            tip, end = tip + np.sign(tip) * np.where(middle, 0.0, 0.14), end - 0.10 * middle
        case "between":
            middle = np.abs(tip) == np.abs(tip).min()
            tip = np.where(middle, 0.07 * away, tip + 0.12 * np.sign(tip))
            end = np.where(middle, end - 0.17, end)
        case "spiky":
            tip = tip + rng.uniform(-0.2, 0.2, len(tip))
            end = end + rng.uniform(-0.06, 0.05, len(tip))
        case "curtain":
            tip, end = part + away * (0.30 + np.abs(tip - part) * 0.80), end - 0.16 * side
        case "side":
            far = np.abs(tip - part)
            tip, root = part + away * (0.22 + far * 0.85), part + 0.25 * (root - part)
            end = end - 0.06 * far
    return tip, root, end


def side_locks(hair: Hair, shell: Shell, rng: Rng) -> list[Locks]:
    """Locks before the ears, both sides alike but for jitter."""
    if hair.side == "none":
        return []
    per = 2 if hair.side != "hime" else 3
    base = np.linspace(1.22, 1.50, per)
    azimuth = np.concatenate([-base, base]) + rng.uniform(-0.04, 0.04, 2 * per)
    end = np.full(2 * per, hair.side_y) + rng.uniform(-0.05, 0.05, 2 * per) * (hair.side != "hime")
    width = np.full(2 * per, 0.070 if hair.side != "hime" else 0.062) * hair.clump
    return [
        Locks(
            root=azimuth * 0.8,
            tip=azimuth,
            end_y=end,
            half_width=width,
            thickness=width * 0.4,
            lift=rng.uniform(0.0, 0.012, 2 * per),
            flare=rng.uniform(-0.03, 0.01, 2 * per) + 0.02 * hair.curl,
            narrow=0.93 if hair.side == "hime" else 0.5,
            power=0.5 if hair.side == "hime" else 0.85,
            wave=hair.wave * 0.5,
        )
    ]


def back(hair: Hair, shell: Shell, rng: Rng) -> list[Locks]:
    """The back hair: an inner layer that closes it and an outer one that shapes it."""
    layers = []
    for layer, count in ((0, 11), (1, 12)):
        azimuth = _spread(count, 1.42, 2 * np.pi - 1.42, 0.4 * hair.messy + 0.1, rng)
        azimuth = np.where(azimuth > np.pi, azimuth - 2 * np.pi, azimuth)
        end = hair.back_y + 0.05 * layer + rng.uniform(-0.06, 0.06, count) * (0.4 + hair.messy)
        tuck = 0.0 if hair.back_y > -0.12 else 0.35
        tip = np.sign(azimuth) * (np.abs(azimuth) + tuck * (np.pi - np.abs(azimuth)) / 1.7)
        width = np.full(count, (2 * np.pi - 2.84) * shell.side / count * 0.72) * hair.clump
        layers.append(
            Locks(
                root=azimuth,
                tip=tip,
                end_y=np.broadcast_to(end, count),
                half_width=width,
                thickness=width * 0.30,
                lift=rng.uniform(-0.01, 0.01, count) + 0.014 * layer,
                flare=rng.uniform(-0.02, 0.03, count) + _flare(hair),
                narrow=0.55 if hair.back != "bob" else 0.72,
                power=0.75,
                wave=hair.wave,
            )
        )
    if hair.back == "spiky":
        layers.append(_spikes(shell, rng))
    return layers


def _flare(hair: Hair) -> float:
    match hair.back:
        case "bob":
            return -0.10
        case "flip":
            return 0.10
        case "short":
            return -0.05
        case "spiky":
            return 0.06
        case _:
            return 0.03 * hair.curl - 0.02


def _spikes(shell: Shell, rng: Rng) -> Locks:
    count = 12
    azimuth = _spread(count, -np.pi, np.pi, 0.8, rng)
    width = rng.uniform(0.06, 0.09, count)
    return Locks(
        root=azimuth,
        tip=azimuth + rng.uniform(-0.2, 0.2, count),
        end_y=rng.uniform(0.45, 0.8, count),
        half_width=width,
        thickness=width * 0.4,
        lift=np.full(count, 0.02),
        flare=rng.uniform(0.08, 0.16, count),
        narrow=0.4,
    )


def ahoge(hair: Hair, rng: Rng) -> list[F64]:
    """Centre lines (control points) of the antennae of hair on the crown."""
    lines = []
    for _ in range(hair.ahoge):
        lean = rng.choice([-1.0, 1.0]) * rng.uniform(0.06, 0.16)
        high = rng.uniform(0.10, 0.20)
        lines.append(
            np.array(
                [
                    [0.0, 1.02, 0.0],
                    [lean * 0.25, 1.04 + high * 0.75, -0.05],
                    [lean * 0.9, 1.04 + high, -0.10],
                    [lean * 1.7, 1.03 + high * 0.55, -0.16],
                ]
            )
        )
    return lines
