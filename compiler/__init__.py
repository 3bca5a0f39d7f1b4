"""From a trained forest to a circuit: feature catalogue, intermediate representation, plan, emission, command line."""

from .exporting import export
from .forest import Forest
from .loading import load

__all__ = ["Forest", "export", "load"]
