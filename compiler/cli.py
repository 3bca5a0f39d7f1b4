"""How every command line of the project ends: exit codes, and errors as one line on standard error."""

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator

import typer
from amaranth.hdl import UnusedElaboratable
from rich.console import Console
from typer.exceptions import TyperException

from .errors import CheckFailed, InputError

__all__ = ["new_app", "note", "progress", "run", "warn"]

CHECK_FAILED, WRONG_INPUT, INTERRUPTED = 1, 2, 130


def new_app(help: str) -> typer.Typer:
    """An empty command line in the house style; ``help`` is its first line."""
    return typer.Typer(
        help=help,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
    )


def run(app: typer.Typer) -> None:
    """Run a command line and exit: 0 done, 1 a check failed, 2 the input is wrong, 130 interrupted."""
    # A component that was made before an error came up is no mistake of its own.
    warnings.simplefilter("ignore", UnusedElaboratable)
    try:
        code = app(standalone_mode=False)
    except CheckFailed as error:
        code = _complain(error, CHECK_FAILED)
    except InputError as error:
        code = _complain(error, WRONG_INPUT)
    except TyperException as error:
        code = _complain(error.format_message(), WRONG_INPUT)
    except OSError as error:
        # A file that is missing or unreadable is the user's to put right; anything else is our mistake.
        if error.filename is None:
            raise
        code = _complain(f"{error.filename}: {error.strerror}", WRONG_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        # The coroutines of a simulation are torn down in any order, and say so; the user asked for no more.
        sys.unraisablehook = lambda _: None
        code = INTERRUPTED
    sys.exit(code if isinstance(code, int) else 0)


def note(message: object) -> None:
    """One line about how something was done; what was done goes to standard output."""
    print(message, file=sys.stderr)


def warn(message: object) -> None:
    """One line about what is done anyway."""
    print(f"warning: {message}", file=sys.stderr)


def _complain(message: object, code: int) -> int:
    line = " ".join(str(message).split())
    if line:
        print(f"error: {line}", file=sys.stderr)
    return code


@contextlib.contextmanager
def progress(doing: str) -> Iterator[Callable[[str], None]]:
    """Show on a terminal that work goes on; write nothing into a pipe.

    Gives a function that changes what is shown.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status(doing) as status:
        yield status.update
