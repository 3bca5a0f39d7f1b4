"""Output that appears whole or not at all."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import InputError

__all__ = ["replacing"]


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` that takes its place when the block ends without an exception.

    The block writes a file or makes a directory there. A directory that stands at ``path`` is replaced as a
    whole. When the block raises, what it wrote is removed and ``path`` is as it was.
    """
    path = Path(path).absolute()
    if not path.parent.is_dir():
        raise InputError(f"{path}: the directory {path.parent} does not exist")
    # A directory of its own beside the target: the rename stays on one file system and nothing clashes.
    workspace = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        fresh = workspace / path.name
        yield fresh
        if path.is_dir() and not path.is_symlink():
            # A directory cannot be renamed over one that is not empty, so the old one steps aside first.
            previous = path.rename(workspace / "previous")
            try:
                fresh.rename(path)
            except BaseException:
                previous.rename(path)
                raise
        else:
            fresh.replace(path)
    finally:
        shutil.rmtree(workspace)
