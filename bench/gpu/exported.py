"""Networks as ONNX files, run by onnxruntime on a card and on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from bench.gpu.outcome import Outcome, judged
from bench.gpu.scale import Scale
from models.files.onnx_export import export_onnx
from models.files.onnx_record import PARTS
from tests.support.timing import seconds_of
from tests.support.untrained import untrained

CARD, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
NEAR_ON_AVERAGE, NEAR = 1e-3, 2e-2
"""Of network form, [-1, 1]: where a flow is steep, rounding moves single pixels further."""
_ROUNDS = 5


def exported(provider: str, scale: Scale, folder: Path) -> list[Outcome]:
    """Both halves of a system of untrained networks, by ``provider`` and by the CPU."""
    if provider not in onnxruntime.get_available_providers():
        said = f"onnxruntime here has no {provider}; install onnxruntime-gpu in its place"
        return [Outcome("ONNX", "skipped", said)]
    out = folder / "onnx"
    export_onnx(untrained(scale.costly.network, "L1"), None, out)
    return [_part(out / f"{name}.onnx", provider) for name in PARTS]


def _part(path: Path, provider: str) -> Outcome:
    name = f"ONNX, {path.stem}"
    theirs, ours = (
        onnxruntime.InferenceSession(path, providers=[_exact(p)]) for p in (provider, CPU)
    )
    # Where a provider cannot be opened, another is taken without a word but a warning.
    if provider not in theirs.get_providers():
        return Outcome(name, "failed", f"{provider} does not open; see what onnxruntime said above")
    given = _soft(ours)
    apart = [
        np.abs(a - b) for a, b in zip(theirs.run(None, given), ours.run(None, given), strict=True)
    ]
    largest, mean = max(float(d.max()) for d in apart), max(float(d.mean()) for d in apart)
    times = [_pace(session, given) for session in (theirs, ours)]
    said = (
        f"{mean:.1e} from the CPU's on average, {largest:.1e} at most; {1000 * times[0]:.1f} ms, "
        f"{times[1] / times[0]:.1f} times as fast as the CPU"
    )
    numbers = {"mean": mean, "largest": largest, "seconds": times[0], "seconds_on_cpu": times[1]}
    return judged(name, mean <= NEAR_ON_AVERAGE and largest <= NEAR, said, numbers)


def _exact(provider: str) -> object:
    """The provider, told not to round where it would."""
    return (CARD, {"use_tf32": 0}) if provider == CARD else provider


def _soft(session: Any) -> dict[str, Any]:  # noqa: ANN401  # onnxruntime is untyped
    """A smooth picture and a pose: noise would turn a last bit of a flow into much."""
    rng = np.random.default_rng(0)
    given = {}
    for one in session.get_inputs():
        if one.name == "pose":
            given[one.name] = rng.uniform(-0.5, 0.5, one.shape).astype(np.float32)
        else:
            phase = np.linspace(0, np.pi, one.shape[-1], dtype=np.float32)
            wave = np.sin(phase)[:, None] * np.cos(phase)[None]
            given[one.name] = np.broadcast_to(wave, one.shape).copy()
    return given


def _pace(session: Any, given: dict[str, Any]) -> float:  # noqa: ANN401
    """Seconds a picture, the least of some."""
    return min(seconds_of(lambda: session.run(None, given)) for _ in range(_ROUNDS))
