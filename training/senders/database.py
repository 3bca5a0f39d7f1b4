"""DuckDB in bounded memory, and its errors as one line."""

import contextlib
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from compiler.errors import InputError
from compiler.extras import import_extra

__all__ = ["bounded_database"]


@contextlib.contextmanager
def bounded_database(memory_mb: int, threads: int | None = None) -> Iterator[Any]:
    """A database in memory that goes on in temporary files when it needs more than ``memory_mb``.

    What is wrong with a file that it reads becomes an InputError.
    """
    duckdb = import_extra("duckdb", "senders", "spammers")
    with tempfile.TemporaryDirectory(prefix="hedgerow-") as directory:
        connection = duckdb.connect()
        try:
            connection.execute(f"SET memory_limit = '{memory_mb}MB'")
            connection.execute(f"SET temp_directory = '{Path(directory).as_posix()}'")
            # Rows need no order, and keeping it takes memory. Times are UTC, whatever this machine shows.
            connection.execute("SET preserve_insertion_order = false")
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET enable_progress_bar = false")
            if threads is not None:
                connection.execute(f"SET threads = {threads}")
            yield connection
        except (
            duckdb.ConversionException,
            duckdb.InvalidInputException,
            duckdb.IOException,
            duckdb.OutOfRangeException,
        ) as error:
            raise InputError(_one_line(str(error))) from None
        except duckdb.OutOfMemoryException:
            raise InputError(f"--memory: {memory_mb} MB are too few for these records") from None
        except RuntimeError as error:
            if "interrupted" in str(error).lower():
                raise KeyboardInterrupt from None
            raise
        finally:
            connection.close()


def _one_line(said: str) -> str:
    """The file, the line and the reason in an error about a CSV file, whose settings fill thirty lines."""
    file = re.search(r"^\s*file = (.*)$", said, re.M)
    line = re.search(r"CSV Error on Line: (\d+)", said)
    reasons = [text.strip() for text in said.splitlines() if text.strip()]
    reason = reasons[0]
    if line:
        # The line itself comes before the reason, behind a colon or as a line of its own.
        behind = 3 if "Original Line:" in reasons else 2
        reason = reasons[min(behind, len(reasons) - 1)]
    where = f"{file[1]}: " if file else ""
    return f"{where}line {line[1]}: {reason}" if line else f"{where}{reason}"
