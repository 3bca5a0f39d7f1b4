"""Packages that only one command needs, and the one line that is said when they are not there."""

import importlib
from typing import Any

from .errors import InputError

__all__ = ["import_extra"]


def import_extra(module: str, extra: str, needed_by: object) -> Any:
    """Import a module of an optional dependency.

    Parameters
    ----------
    extra: the extra of pyproject.toml that holds it
    needed_by: what cannot be done without it, named first in the error
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.split(".")[0]
        raise InputError(
            f"{needed_by}: needs the package {package}, which is not installed: pip install -e '.[{extra}]'"
        ) from None
