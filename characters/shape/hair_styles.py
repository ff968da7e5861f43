"""Which locks a hair style is made of: fringe, side locks and back hair as groups on the shell."""

from __future__ import annotations

import numpy as np

from characters.base.curves import F64, ease
from characters.design.spec import Hair
from characters.shape.hair_shell import Locks, Shell

Rng = np.random.Generator


def _spread(count: int, low: float, high: float, jitter: float, rng: Rng) -> F64:
    step = (high - low) / max(count, 1)
    even = low + step * (np.arange(count) + 0.5)
    spread: F64 = even + rng.uniform(-0.5, 0.5, count) * step * jitter
    return spread


def fringe(hair: Hair, shell: Shell, rng: Rng) -> list[Locks]:
    """The fringe: broad pointed locks that alternate in depth, and a few thin ones over them."""
    count = hair.fringe_clumps
    reach = 1.10
    tip = _spread(count, -reach, reach, 0.30 * hair.messy + 0.12, rng)
    root = tip * 0.6 + hair.parting * 0.45
    end = hair.fringe_y + rng.uniform(-0.5, 0.5, count) * (0.03 + 0.08 * hair.messy)
    tip, root, end, hook = _arrange(hair, tip, root, end, rng)
    hook = hook + rng.uniform(-0.10, 0.10, count) * (0.4 + hair.messy)
    spacing = 2 * reach * shell.side / count
    width = spacing * 0.5 * rng.uniform(1.15, 1.5, count) * hair.clump
    blunt = hair.fringe == "straight"
    layer = np.arange(count) % 2
    broad = Locks(
        root=root,
        tip=tip,
        end_y=end + 0.015 * layer,
        half_width=width,
        thickness=width * 0.26 + 0.006,
        lift=0.018 * layer + rng.uniform(0.0, 0.006, count),
        flare=rng.uniform(-0.012, 0.012, count) + 0.02 * hair.curl,
        hook=hook,
        narrow=0.80 if blunt else 0.46,
        power=0.55 if blunt else 0.95,
        wave=hair.wave * 0.3,
    )
    few = int(rng.integers(2, 4))
    pick = rng.choice(count, few, replace=False)
    thin = Locks(
        root=root[pick] + rng.uniform(-0.1, 0.1, few),
        tip=tip[pick] + rng.choice([-1, 1], few) * rng.uniform(0.10, 0.20, few),
        end_y=end[pick] - rng.uniform(-0.02, 0.04, few),
        half_width=width[pick] * 0.42,
        thickness=width[pick] * 0.16 + 0.006,
        lift=rng.uniform(0.030, 0.040, few),
        flare=rng.uniform(0.0, 0.03, few),
        hook=hook[pick] * 1.3,
        narrow=0.40,
        wave=hair.wave * 0.3,
    )
    return [broad, thin]


def _arrange(hair: Hair, tip: F64, root: F64, end: F64, rng: Rng) -> tuple[F64, F64, F64, F64]:
    """Tips, roots, end heights and hooks of the fringe's locks by style."""
    side = np.abs(tip) / 1.10
    end = end - 0.13 * side**2
    part = hair.parting
    away = np.sign(tip - part + 1e-6)
    hook = 0.0 * tip
    match hair.fringe:
        case "straight":
            end = end + 0.05 * side
        case "parted":
            far = np.abs(tip - part)
            tip, end = part + away * (0.20 + far * 0.90), end - 0.05 * side + 0.05 * (far < 0.4)
            hook = 0.16 * away
        case "swept":
            lean = np.sign(part + 1e-6)
            end = end - 0.03 * lean * tip
            tip, root, hook = tip + lean * 0.30, root - lean * 0.35, hook + 0.22 * lean
        case "m_shape":
            middle = np.abs(tip) < 0.2
            tip, end = tip + np.sign(tip) * np.where(middle, 0.0, 0.14), end - 0.09 * middle
            hook = np.where(middle, 0.05 * away, 0.20 * np.sign(tip))
        case "between":
            middle = np.abs(tip) == np.abs(tip).min()
            tip = np.where(middle, 0.07 * away, tip + 0.12 * np.sign(tip))
            end = np.where(middle, end - 0.15, end)
            hook = np.where(middle, -0.08 * away, 0.12 * np.sign(tip))
        case "spiky":
            tip = tip + rng.uniform(-0.2, 0.2, len(tip))
            end = end + rng.uniform(-0.06, 0.05, len(tip))
            hook = rng.uniform(-0.25, 0.25, len(tip))
        case "curtain":
            tip, end = part + away * (0.32 + np.abs(tip - part) * 0.80), end - 0.17 * side
            hook = 0.14 * away
        case "side":
            far = np.abs(tip - part)
            tip, root = part + away * (0.24 + far * 0.85), part + 0.25 * (root - part)
            end, hook = end - 0.06 * far, 0.22 * away
        case "over_eyes" | "one_eye":
            return _over_eyes(hair, tip, root, end)
        case "open":
            far = np.abs(tip - part)
            tip, root = part + away * (0.72 + 0.42 * far), part + 0.5 * (root - part)
            end, hook = end + 0.02 - 0.10 * far, 0.10 * away
    return tip, root, end, hook


def _over_eyes(hair: Hair, tip: F64, root: F64, end: F64) -> tuple[F64, F64, F64, F64]:
    """The same for locks that hang over both eyes, or sweep over the one away from the parting."""
    if hair.fringe == "over_eyes":
        return tip, root, end - 0.09 - 0.07 * (np.arange(len(tip)) % 2), 0.10 * np.sign(tip)
    lean = np.sign(hair.parting + 1e-6)
    covers = ease(lean * tip, -0.25, 0.15) * ease(lean * tip, 0.95, 0.7)
    end = end - 0.24 * covers + 0.03
    return tip + lean * 0.10, root - lean * 0.40, end, 0.12 * lean + 0.0 * tip


def side_locks(hair: Hair, rng: Rng) -> list[Locks]:
    """Locks before the ears, both sides alike but for jitter: a broad one and a thin one."""
    if hair.side == "none":
        return []
    straight = hair.side == "hime"
    base = np.array([1.14, 1.46, 0.96])
    width = np.array([0.085, 0.085, 0.085] if straight else [0.105, 0.10, 0.045]) * hair.clump
    rise = np.array([0.0, 0.02, 0.0] if straight else [0.0, -0.08, 0.06])
    lift: F64 = np.array([0.006, 0.0, 0.022])
    pick = slice(0, 3 if rng.random() < 0.6 or straight else 2)
    base, width, rise = base[pick], width[pick], rise[pick]
    count = 2 * len(base)
    azimuth = np.concatenate([-base, base]) + rng.uniform(-0.03, 0.03, count)
    width, rise = np.tile(width, 2), np.tile(rise, 2)
    # Most hang before the shoulders, where a turn takes them along, not beside the neck.
    ahead = max(0.0, float(rng.spawn(1)[0].uniform(-0.14, 0.24)))
    end = hair.side_y + rise + rng.uniform(-0.03, 0.03, count) * (not straight)
    return [
        Locks(
            root=azimuth * 0.8,
            tip=azimuth,
            end_y=end,
            half_width=width,
            thickness=width * 0.32,
            lift=np.tile(lift[pick], 2),
            flare=rng.uniform(-0.03, 0.01, count) + 0.03 * hair.curl - 0.01,
            hook=-np.sign(azimuth) * rng.uniform(-0.02, 0.30, count) * (not straight),
            narrow=0.94 if straight else 0.60,
            power=0.5 if straight else 0.8,
            wave=hair.wave * 0.8,
            body=0.015,
            ahead=ahead,
            sway=0.5 * hair.sway,
            stations=16,
        )
    ]


def back(hair: Hair, shell: Shell, rng: Rng) -> list[Locks]:
    """The back hair: an inner layer that closes it and an outer one that shapes it."""
    layers = []
    long = hair.back_y < -0.12
    for layer, count in ((0, 9), (1, 10)):
        azimuth = _spread(count, 1.40, 2 * np.pi - 1.40, 0.3 * hair.messy + 0.1, rng)
        azimuth = np.where(azimuth > np.pi, azimuth - 2 * np.pi, azimuth)
        end = hair.back_y + 0.07 * layer + rng.uniform(-0.08, 0.08, count) * (0.4 + hair.messy)
        tuck = 0.38 if long else 0.0
        tip = np.sign(azimuth) * (np.abs(azimuth) + tuck * (np.pi - np.abs(azimuth)) / 1.7)
        width = np.full(count, (2 * np.pi - 2.8) * shell.side / count * 0.78) * hair.clump
        sideways = np.sign(azimuth) * ease(np.abs(azimuth), 2.6, 1.6)
        layers.append(
            Locks(
                root=azimuth,
                tip=tip,
                end_y=end,
                half_width=width,
                thickness=width * 0.26,
                lift=0.020 * layer + np.where(np.arange(count) % 2, 0.008, 0.0),
                flare=rng.uniform(-0.04, 0.05, count) * (0.3 + hair.messy) + _flare(hair),
                hook=-sideways * rng.uniform(-0.1, 0.25, count) * (not long),
                narrow=0.62 if hair.back != "bob" else 0.74,
                power=0.8,
                wave=hair.wave,
                body=_fullness(hair),
                spread=hair.spread,
                sway=hair.sway,
                stations=20 if long else 15,
            )
        )
    if hair.back in ("short", "medium", "flip", "spiky") or hair.messy > 0.6:
        layers.append(_wings(hair, rng))
    if hair.back == "spiky" or (hair.back == "short" and hair.messy > 0.6):
        layers.append(_spikes(hair, rng))
    return layers


def _flare(hair: Hair) -> float:
    match hair.back:
        case "bob":
            return -0.10
        case "flip":
            return 0.13
        case "short":
            return -0.02 + 0.03 * hair.curl
        case "spiky":
            return 0.08
        case _:
            return 0.08 * hair.curl - 0.02


def _fullness(hair: Hair) -> float:
    return {"bob": 0.055, "flip": 0.02, "medium": 0.03, "long": 0.03}.get(hair.back, 0.015)


def _wings(hair: Hair, rng: Rng) -> Locks:
    """Locks behind the ears that swing out and break the outline of the head."""
    per = int(rng.integers(2, 4))
    count = 2 * per
    azimuth = np.tile(np.linspace(1.65, 2.5, per), 2) + rng.uniform(-0.08, 0.08, count)
    azimuth[:per] *= -1
    low = max(hair.back_y, -0.1)
    end = low + np.tile(np.linspace(0.02, 0.24, per), 2) + rng.uniform(-0.03, 0.03, count)
    width = rng.uniform(0.065, 0.09, count) * hair.clump
    return Locks(
        root=azimuth,
        tip=azimuth,
        end_y=end,
        half_width=width,
        thickness=width * 0.35,
        lift=np.full(count, 0.026),
        flare=rng.uniform(0.0, 0.14, count) * (0.5 + hair.messy),
        hook=-np.sign(azimuth) * rng.uniform(-0.15, 0.2, count),
        narrow=0.55,
        power=0.8,
        wave=hair.wave,
        body=0.02,
        stations=16,
    )


def _spikes(hair: Hair, rng: Rng) -> Locks:
    """Locks that stand off the head."""
    count = 11
    azimuth = _spread(count, -np.pi, np.pi, 0.7, rng)
    width = rng.uniform(0.07, 0.10, count)
    return Locks(
        root=azimuth,
        tip=azimuth + rng.uniform(-0.15, 0.15, count),
        end_y=rng.uniform(0.40, 0.72, count),
        half_width=width,
        thickness=width * 0.4,
        lift=np.full(count, 0.02),
        flare=rng.uniform(0.05, 0.13, count) * (0.5 + hair.messy),
        hook=rng.uniform(-0.3, 0.3, count),
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
