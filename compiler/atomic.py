"""Output that appears whole or not at all."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from .errors import InputError

__all__ = ["check_directory_target", "check_file_target", "replacing", "replacing_directory"]


def check_file_target(path: str | Path, suffixes: Sequence[str] = (), *, inputs: Iterable[str | Path] = ()) -> None:
    """Refuse a place where no file can be written, before any work is done.

    Its name must have one of the suffixes, and it must be none of the files that are read.
    """
    path = Path(path)
    if any(path.resolve() == Path(each).resolve() for each in inputs):
        raise InputError(f"{path}: is read, and would be written over")
    if path.is_dir():
        raise InputError(f"{path}: is a directory")
    if suffixes and path.suffix not in suffixes:
        *others, last = suffixes
        raise InputError(f"{path}: name must end in {', '.join(others)}{' or ' if others else ''}{last}")
    _check_parent(path)


def check_directory_target(path: str | Path) -> None:
    """Refuse a place where no directory can be made, before any work is done."""
    if Path(path).exists() and not Path(path).is_dir():
        raise InputError(f"{path}: is not a directory")
    _check_parent(path)


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; the file written there takes its place when the block ends.

    When the block raises, what it wrote is removed and ``path`` is as it was.
    """
    check_file_target(path)
    with _beside(path) as (target, fresh):
        yield fresh
        fresh.replace(target)


@contextlib.contextmanager
def replacing_directory(path: str | Path) -> Iterator[Path]:
    """The same for a directory; one that stands at ``path`` is replaced as a whole."""
    check_directory_target(path)
    with _beside(path) as (target, fresh):
        yield fresh
        if not target.is_dir() or target.is_symlink():
            fresh.replace(target)
            return
        # A directory cannot be renamed over one that is not empty, so the old one steps aside first.
        previous = target.rename(fresh.with_name("previous"))
        try:
            fresh.rename(target)
        except BaseException:
            previous.rename(target)
            raise


def _check_parent(path: str | Path) -> None:
    parent = Path(path).absolute().parent
    if not parent.is_dir():
        raise InputError(f"{path}: the directory {parent} does not exist")


@contextlib.contextmanager
def _beside(path: str | Path) -> Iterator[tuple[Path, Path]]:
    path = Path(path).absolute()
    # A directory of its own beside the target: the rename stays on one file system and nothing clashes.
    workspace = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield path, workspace / "fresh"
    finally:
        shutil.rmtree(workspace)
