"""From a trained forest to a circuit: catalogue, intermediate representation, plan, emission and command line."""

from .forest import Forest
from .load import load

__all__ = ["Forest", "load"]
