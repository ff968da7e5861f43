"""How many characters a second one core generates, files and textures included.

    OMP_NUM_THREADS=1 python bench/bench_characters.py [COUNT]

Exit code 1 when the rate is below the bar.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from characters.files.generate import FRANCHISES, write_character

BAR = 4.0


def main() -> int:
    count = int(sys.argv[1]) if sys.argv[1:] else 32
    with tempfile.TemporaryDirectory() as folder:
        write_character(Path(folder) / "warm", 0)
        started = time.process_time(), time.perf_counter()
        for seed in range(count):
            write_character(Path(folder) / str(seed), seed, "pmx", seed % FRANCHISES)
        processor = time.process_time() - started[0]
        wall = time.perf_counter() - started[1]
        files = [path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()]
    rate = count / processor
    print(
        f"{count} characters: {rate:.1f} a second of one core, {count / wall:.1f} a second of wall"
    )
    print(f"{sum(files) / (count + 1) / 1024:.0f} KiB a character")
    return 0 if rate >= BAR else 1


if __name__ == "__main__":
    raise SystemExit(main())
