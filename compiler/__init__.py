"""From a trained forest to a circuit: feature catalogue, intermediate representation, plan, emission, command line."""

from .export import export
from .forest import Forest
from .load import load

__all__ = ["Forest", "export", "load"]
