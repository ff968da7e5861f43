"""Seconds that it takes to make a motion of a minute of speech, beside decoding its sound alone.

    python bench/bench_speech.py [--minutes 10] [--rounds 3]

Ratios are of medians. The memory is what numpy takes at most while listening, per
minute beside what the samples themselves would take (16 kHz, float32): sounds are never in memory
as a whole.
"""

from __future__ import annotations

import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from statistics import median

import click
import numpy as np

from animate.motion.speech import motion_of_voice
from animate.sound.sound_file import pieces
from animate.sound.voice import RATE, read_voice
from tests.support.timing import alternating
from tests.support.voices import A, I, U, silence, vowel, write_wav


@click.command()
@click.option("--minutes", default=10, show_default=True)
@click.option("--rounds", default=3, show_default=True)
def main(minutes: int, rounds: int) -> None:
    """Print the table; see the module's own words."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_wav(Path(folder) / "speech.wav", _speech(minutes * 60))
        ways: dict[str, Callable[[], object]] = {
            "decoding alone": lambda: sum(one.samples for one in pieces(path, RATE, "mono", "flt")),
            "and listening": lambda: read_voice(path, minutes * 60),
            "and the motion": lambda: motion_of_voice(
                read_voice(path, minutes * 60), 25, np.random.default_rng(0)
            ),
        }
        taken = alternating(ways, rounds, warm_up=1)
        least = median(taken["decoding alone"])
        for name, times in taken.items():
            middle = median(times)
            print(f"{name:16} {middle / minutes:7.4f} s a minute {middle / least:6.2f}x")
        tracemalloc.start()
        read_voice(path, minutes * 60)
        peak = tracemalloc.get_traced_memory()[1]
        whole = 4 * RATE * 60 * minutes
        print(f"memory           {peak / 2**20:7.1f} MiB, {peak / whole:.2f}x of the samples")


def _speech(seconds: int) -> np.ndarray:
    """Vowels and pauses, each a third of a second."""
    word = [part for one in (A, I, U) for part in (vowel(one, 1 / 3), silence(1 / 3))]
    return np.tile(np.concatenate(word), seconds // 2)


if __name__ == "__main__":
    main()
