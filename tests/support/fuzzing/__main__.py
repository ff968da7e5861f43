"""``python -m tests.support.fuzzing TARGET CORPUS WORK SECONDS``: one target, in this process."""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path

from tests.support.fuzzing.campaign import run_in

_MEMORY = 12 << 30


def main() -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    warnings.simplefilter("ignore")
    name, corpus, work, seconds = sys.argv[1:]
    run_in(name, Path(corpus), Path(work), 1 << 40, time.monotonic() + float(seconds))


if __name__ == "__main__":
    main()
