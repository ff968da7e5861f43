"""``animate serve``, killed while it records, and what is found when it is started again."""

from __future__ import annotations

import hashlib
import io
import json
import signal
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.support.rounds.kinds import drawing_words, give_drawing
from tests.support.rounds.runs import ANIMATE, PATIENCE_SECONDS, Rng, Run, require

_KINDS = ("gif", "webp", "webm")
_POSE = "head_x=0.5&left_eye=1&mouth=0.25"
_SHORT = {"motion": "shake", "kind": "gif", "seconds": 0.4, "fps": 10}


class Served:
    """A page of a drawing, and what it says."""

    def __init__(self, folder: Path, given: Path) -> None:
        scratch = folder / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        words = ["serve", *drawing_words(given), "--port", 0]
        self.run = Run(ANIMATE, words, folder, scratch=scratch)
        self.address = self.run.address()
        self.token = json.loads(self._got("/api/first"))["token"]
        require(self.token, "the drawing is not opened")

    def _got(self, path: str, method: str = "GET", body: bytes | None = None) -> bytes:
        connection = HTTPConnection(self.address, timeout=PATIENCE_SECONDS)
        connection.request(method, path, body, {"Origin": f"http://{self.address}"})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        require(answer.status == 200, f"{path}: {answer.status}: {data[:200]!r}")
        return data

    def still(self) -> bytes:
        """The drawing in a pose."""
        return self._got(f"/api/still/{self.token}?{_POSE}")

    def upload(self, data: bytes) -> None:
        """Drop a picture on the page."""
        self._got("/api/drawing", "POST", data)

    def recording(self, **order: object) -> Any:  # noqa: ANN401  # a WebSocket, once it has begun
        """A connection on which it is ordered."""
        from websockets.sync import client

        url = f"ws://{self.address}/api/recording/{self.token}"
        connect: Any = client.connect  # its types differ from version to version
        socket = connect(url, origin=f"http://{self.address}", max_size=1 << 28)
        socket.send(json.dumps(order))
        return socket


def served(rng: Rng, folder: Path) -> None:
    """Killed while it records, or interrupted, up to three times; then it draws what it drew, and
    leaves the drawing as it was and nothing in the system's folder for temporary files."""
    given = give_drawing(folder)
    before, stills = _digests(given), set()
    for _ in range(int(rng.integers(1, 4))):
        page = Served(folder, given)
        stills.add(page.still())
        socket = page.recording(motion="sway", kind=str(rng.choice(_KINDS)), seconds=60, fps=60)
        socket.recv(timeout=PATIENCE_SECONDS)
        time.sleep(rng.uniform(0, 1.0))
        how = signal.SIGKILL if rng.random() < 0.7 else signal.SIGINT
        page.run.signal_all(how)
        code, errors = page.run.end()
        require(how == signal.SIGKILL or code == 130, f"exit code {code}: {errors[-2000:]}")
        socket.close()
    page = Served(folder, given)
    stills.add(page.still())
    require(len(stills) == 1, "another picture than before it was killed")
    _require_short(page)
    page.run.signal_all(signal.SIGINT)
    code, errors = page.run.end()
    require(code == 130, f"exit code {code} on Ctrl-C: {errors[-2000:]}")
    require(_digests(given) == before, "the drawing or its networks changed")
    # torch has one for what it compiles.
    left = [one.name for one in (folder / "scratch").glob("*") if "torch" not in one.name]
    require(not left, f"temporary files are left: {left}")


def _require_short(page: Served) -> None:
    """A short recording is whole."""
    from PIL import Image

    with page.recording(**_SHORT) as socket:
        while isinstance(said := socket.recv(timeout=PATIENCE_SECONDS), str):
            require("fault" not in json.loads(said), f"no recording: {said}")
    with Image.open(io.BytesIO(said)) as image:
        frames = getattr(image, "n_frames", 1)
        require(1 <= frames <= 4, f"a recording of {frames} frames")
        image.seek(frames - 1)
        image.load()


def _digests(folder: Path) -> dict[str, str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
