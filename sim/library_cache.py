"""LibraryCache: compiled circuits on disk, each whole or not there, whoever writes at the same time."""

import contextlib
import os
import tempfile
import time
from pathlib import Path

from compiler.emit import sha256

__all__ = ["LibraryCache"]

_KEPT = 40
"""Libraries; those that were not used for longest go first."""

_ABANDONED_S = 3600
"""A file that is still being written after so long belongs to a process that is no more."""


class LibraryCache:
    """A folder of libraries, each under the key of what it was made from and the hash of its own content.

    A file whose content does not have that hash is damaged: it is removed and counts as not there. Two processes that
    make the same library at once both keep theirs, and either is right.

    Parameters
    ----------
    folder:
        Made when it does not exist. By default ``hedgerow/compiled`` in ``XDG_CACHE_HOME``, or in ``~/.cache``.
    """

    def __init__(self, folder: Path | None = None):
        if folder is None:
            home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
            folder = Path(home) / "hedgerow" / "compiled"
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def find(self, key: str) -> Path | None:
        """The library of this key, None when there is no whole one."""
        for library in sorted(self.folder.glob(f"{key}-*.so")):
            # Another process may make room meanwhile.
            with contextlib.suppress(FileNotFoundError):
                if library.name == _name(key, library.read_bytes()):
                    library.touch()
                    return library
                library.unlink()
        return None

    def keep(self, key: str, made: Path) -> Path:
        """Copy a library into the cache, and make room."""
        content = made.read_bytes()
        library = self.folder / _name(key, content)
        with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".part", delete=False) as part:
            part.write(content)
        os.replace(part.name, library)
        self._make_room()
        return library

    def _make_room(self) -> None:
        ages: list[tuple[float, Path]] = []
        for path in self.folder.glob("*.so"):
            with contextlib.suppress(FileNotFoundError):
                ages.append((path.stat().st_mtime, path))
        for _, old in sorted(ages, reverse=True)[_KEPT:]:
            old.unlink(missing_ok=True)
        for part in self.folder.glob("*.part"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - part.stat().st_mtime > _ABANDONED_S:
                    part.unlink()


def _name(key: str, content: bytes) -> str:
    return f"{key}-{sha256(content)}.so"
