"""Shell scripts that stand in for a tool."""

import stat
from pathlib import Path

__all__ = ["script"]


def script(path: Path, text: str) -> str:
    """Write an executable script and give its path."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)
