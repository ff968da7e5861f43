"""What all commands share: how errors end them, and the options that several have.

A wrong command line is click's own error and exit code 2; a project error is one line and 1.
"""

from __future__ import annotations

import errno
import io
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import click

from contract.errors import OpenthaError, PoseError
from contract.interrupt import EXIT_CODE
from contract.pose import AXIS_NAMES, Pose, pose_from_mapping

Command = TypeVar("Command", bound=Callable[..., Any])
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""Of what is written to no file that has a name."""


class ErrorLineGroup(click.Group):
    """A command group whose project errors print as one line, without a traceback.

    Exit codes: 0 done; 1 a project error (its text on stderr); 2 a wrong command line (click's
    own); 130 interrupted. So is an error of the system about a file (a name that is too long, a
    file in a folder's place) where no other words were found for it, or about the output itself.
    """

    def make_context(  # click's own signature
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401
    ) -> click.Context:
        """Read the command line; what goes wrong meanwhile, as in ``--help``, ends as later."""
        with _ending_in_words():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # click's own signature
        """Run the command; turn an ``OpenthaError`` into one line on stderr and exit code 1."""
        for stream in (sys.stdout, sys.stderr):
            # A console that cannot show a name must not end the command: Windows has such.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        with _ending_in_words():
            return super().invoke(ctx)


@contextmanager
def _ending_in_words() -> Iterator[None]:
    try:
        yield
        return
    except OpenthaError as error:
        code, words = 1, f"error: {' '.join(str(error).split())}"
    except BrokenPipeError:
        # The reader of our output went away (`| head`); that is not a fault.
        _let_go_of_output()
        code, words = 0, ""
    except OSError as error:
        if error.filename is None and error.errno not in _NO_ROOM:
            raise
        if error.filename is None:
            _let_go_of_output()
            words = f"error: the output: {error.strerror}; free space and run again"
        else:
            words = f"error: {error.filename}: {error.strerror}; check the path"
        code = 1
    except KeyboardInterrupt:
        code, words = EXIT_CODE, "interrupted"
    with suppress(OSError):  # nobody may be left to be told
        click.echo(words, err=True, nl=bool(words))
    sys.exit(code)


def _let_go_of_output() -> None:
    """What Python still holds of it would be written, and fail once more, at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class FiniteRange(click.FloatRange):
    """A number in a range, as click has it; which lets through NaN, for that is beyond no end."""

    def convert(
        self,
        value: Any,  # noqa: ANN401  # click's own signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        """The number; click's error where it is none, not finite, or beyond an end."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{number} is no number that is finite.", param, ctx)
        return number


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
