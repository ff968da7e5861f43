"""A click group on which every project error becomes one line and exit code 1."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from contract.errors import OpenthaError


class ErrorLineGroup(click.Group):
    """A command group whose project errors print as one line, without a traceback.

    Exit codes: 0 done; 1 a project error (its text on stderr); 2 a wrong command line (click's
    own); 130 interrupted.
    """

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # click's own signature
        """Run the command; turn an ``OpenthaError`` into one line on stderr and exit code 1."""
        try:
            return super().invoke(ctx)
        except OpenthaError as error:
            click.echo(f"error: {' '.join(str(error).split())}", err=True)
            ctx.exit(1)
        except BrokenPipeError:
            # The reader of our output went away (`| head`); that is not a fault.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(130)
