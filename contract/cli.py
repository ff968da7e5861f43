"""What all commands share: how errors end them, and the options that several have.

A wrong command line is click's own error and exit code 2; a project error is one line and 1.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from contract.errors import OpenthaError, PoseError
from contract.interrupt import EXIT_CODE
from contract.pose import AXIS_NAMES, Pose, pose_from_mapping

Command = TypeVar("Command", bound=Callable[..., Any])


class ErrorLineGroup(click.Group):
    """A command group whose project errors print as one line, without a traceback.

    Exit codes: 0 done; 1 a project error (its text on stderr); 2 a wrong command line (click's
    own); 130 interrupted. So is an error of the system about a file (a name that is too long, a
    file in a folder's place) where no other words were found for it.
    """

    def make_context(  # click's own signature
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401
    ) -> click.Context:
        """Read the command line; Ctrl-C meanwhile ends as it does later."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            sys.exit(EXIT_CODE)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # click's own signature
        """Run the command; turn an ``OpenthaError`` into one line on stderr and exit code 1."""
        for stream in (sys.stdout, sys.stderr):
            # A console that cannot show a name must not end the command: Windows has such.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except OpenthaError as error:
            click.echo(f"error: {' '.join(str(error).split())}", err=True)
            ctx.exit(1)
        except BrokenPipeError:
            # The reader of our output went away (`| head`); that is not a fault.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except OSError as error:
            if error.filename is None:
                raise
            click.echo(f"error: {error.filename}: {error.strerror}; check the path", err=True)
            ctx.exit(1)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(EXIT_CODE)


def out_option(
    help_text: str | None = None, *, required: bool = True
) -> Callable[[Command], Command]:
    """``-o, --out PATH``: where a command writes."""
    path = click.Path(path_type=Path)
    return click.option("-o", "--out", type=path, required=required, help=help_text)


def pose_option(others: Pose, note: str) -> Callable[[Command], Command]:
    """``--pose AXIS=VALUE``, as often as one likes: the command is given ``pose``.

    others: where the axes that are not named stay; note: says so in the help.
    """

    def posed(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> Pose:
        values = dict(map(_axis_value, given))
        try:
            return pose_from_mapping({**vars(others), **values})
        except PoseError as error:
            raise click.BadParameter(str(error).removeprefix("pose: ")) from error

    return click.option(
        "--pose",
        multiple=True,
        callback=posed,
        metavar="AXIS=VALUE",
        help=f"Any of {', '.join(AXIS_NAMES)}, again for each; {note}.",
    )


def _axis_value(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        return name, float(number)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no axis=number, as head_x=0.5") from None
