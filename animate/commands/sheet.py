"""``animate sheet``: drawings in the poses that tell how well networks move them, on one page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from animate.commands.options import BACKEND, BUNDLE, CONFIGURATION, PathType
from contract.cli import out_option
from contract.pose import Pose
from contract.text import counted
from models.base.device import DEVICE

if TYPE_CHECKING:
    from animate.pose.poser import Networks
    from contract.sheet import U8

POSES = {
    "at rest": Pose(),
    "mouth half shut": Pose(mouth=0.5),
    "mouth shut": Pose(mouth=0.0),
    "eyes half shut": Pose(left_eye=0.5, right_eye=0.5, mouth=0.0),
    "eyes shut": Pose(left_eye=1.0, right_eye=1.0, mouth=0.0),
    "left eye shut": Pose(left_eye=1.0),
    "right eye shut": Pose(right_eye=1.0),
    "looks up": Pose(head_x=1.0, mouth=0.0),
    "looks down": Pose(head_x=-1.0, mouth=0.0),
    "turns left": Pose(head_y=1.0, mouth=0.0),
    "turns right": Pose(head_y=-1.0, mouth=0.0),
    "leans left": Pose(neck_z=1.0, mouth=0.0),
    "leans right": Pose(neck_z=-1.0, mouth=0.0),
}
"""Left and right: the viewer's, but for the eyes, which are the character's."""
_MARGIN, _TOP = 4, 20


@click.command()
@click.argument("drawings", type=PathType, nargs=-1, required=True)
@click.option(
    "--side",
    type=click.IntRange(32, 1024),
    default=192,
    show_default=True,
    help="Pixels a side of each picture; they are made at the drawing's size and reduced.",
)
@BUNDLE
@CONFIGURATION
@DEVICE
@BACKEND
@out_option()
def sheet(
    drawings: tuple[Path, ...],
    side: int,
    bundle: Path,
    configuration: str | None,
    device: str,
    backend: str,
    out: Path,
) -> None:
    """Each of DRAWINGS in the same poses, one a row, as a PNG: the drawing, rest, eyes, head."""
    from animate.pose.open_poser import open_networks  # noqa: PLC0415
    from contract.files import write_bytes  # noqa: PLC0415

    networks = open_networks(bundle, configuration, device, backend)
    write_bytes(out, _page(drawings, side, networks))
    click.echo(f"{out}: {counted(len(drawings), 'drawing')} in {len(POSES)} poses", err=True)


def _page(drawings: tuple[Path, ...], side: int, networks: Networks) -> bytes:
    from contract.sheet import Sheet  # noqa: PLC0415

    step = side + _MARGIN
    page = Sheet(step * (len(POSES) + 1), _TOP + step * len(drawings))
    for column, name in enumerate(("the drawing", *POSES)):
        page.write(name, column * step + side // 2, _TOP // 2)
    for row, drawing in enumerate(drawings):
        _row(page.put, _TOP + row * step, drawing, side, networks)
    return page.png()


def _row(
    put: Callable[[U8, int, int, int], None],
    top: int,
    drawing: Path,
    side: int,
    networks: Networks,
) -> None:
    from animate.drawing.check import misplaced  # noqa: PLC0415
    from animate.drawing.drawing import read_drawing  # noqa: PLC0415
    from animate.pose.open_poser import fitted  # noqa: PLC0415
    from animate.pose.poser import Poser  # noqa: PLC0415

    given = read_drawing(drawing)
    picture, note = fitted(given, networks)
    for said in filter(None, (note, misplaced(given))):
        click.echo(said, err=True)
    poser = Poser(networks, picture)
    for column, shown in enumerate([picture, *map(poser.draw, POSES.values())]):
        put(shown, column * (side + _MARGIN), top, side)
