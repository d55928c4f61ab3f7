"""What the command line tells beside its answers: errors in one line, notes, its version."""

import errno
import re
import traceback
import warnings
from typing import Any

from cnnkit import __version__

import typer
from typer.core import TyperGroup

NEW_POINT = re.compile(r"(?<![.,;:])\s*\n\s*(?=[A-Z][a-z]+ |\S+: )")  # of a message, on a new line


class Commands(TyperGroup):
    """Tells an error in one line, takes ``--debug`` anywhere, and says how a run goes on."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Bring ``--debug`` to where it belongs, before the command."""
        args = ["--debug"] * ("--debug" in args) + [each for each in args if each != "--debug"]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_: _note(str(message))
            try:
                return super().invoke(ctx)
            except KeyboardInterrupt:
                goes_on = " The same command goes on where this one was."
                say(f"\nInterrupted.{goes_on if ctx.invoked_subcommand == 'train' else ''}")
                raise typer.Exit(130) from None
            except BrokenPipeError:
                raise  # of `cnnkit … | head`
            except Exception as error:
                if type(error).__module__.startswith(("click", "typer")):
                    raise  # a wrong command line, or the end
                if ctx.params["debug"]:
                    traceback.print_exc()
                say(f"Error: {_in_one_line(error)}")
                raise typer.Exit(1) from None


def tell_version(asked: bool) -> None:
    """Say which version this is, where it is asked for, and end."""
    if asked:
        typer.echo(f"cnnkit {__version__}")
        raise typer.Exit


def say(text: str) -> None:
    """Tell something that is no answer."""
    typer.echo(text, err=True)


def say_nothing(text: str) -> None:
    """Tell nothing, as a process that is not the first."""


def _in_one_line(error: Exception) -> str:
    text = str(error)
    if isinstance(error, OSError) and error.strerror:  # without its number
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        if error.filename and error.errno in (errno.EACCES, errno.EROFS):
            text += ". Allow it, or choose another place."
    elif not isinstance(error, ValueError | OSError | FloatingPointError):
        text = f"{type(error).__name__}: {text}; --debug shows where"
    return " ".join(NEW_POINT.sub("; ", text.strip()).split())


def _note(text: str) -> None:
    if text.startswith("Glyph"):  # matplotlib says it letter by letter
        text = "no font here has some letters of your classes' names, which heatmaps show as boxes"
        warnings.filterwarnings("ignore", "Glyph")
    say(f"Note: {text}")
