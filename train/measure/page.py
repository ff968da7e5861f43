"""The page of an evaluation: samples beside one another under sliders, in one file, for a browser.

Pictures lie inside as data; the page asks for nothing else, and needs no server.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path

from contract.png import png_bytes
from train.measure.evaluate import Shown

_TEMPLATE = Path(__file__).with_name("page.html")


def page_html(samples: Sequence[Shown]) -> str:
    """The page that shows some samples."""
    data = [
        {
            "rank": one.rank,
            "sample": one.sample,
            "pose": dict(one.pose),
            "pictures": {
                name: f"data:image/png;base64,{base64.b64encode(png_bytes(picture)).decode()}"
                for name, picture in one.pictures.items()
            },
        }
        for one in samples
    ]
    # Names are strangers': none may end the script that holds them.
    text = json.dumps(data).replace("<", "\\u003c")
    return _TEMPLATE.read_text("utf-8").replace("@DATA@", text)
