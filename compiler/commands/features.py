"""``compiler features``."""

from ..features import CATALOGUE
from .output import AsJson, print_table

__all__ = ["features_command"]


def features_command(as_json: AsJson = False) -> None:
    """List the features that a forest may use.

    Example:

        python -m compiler features
    """
    rows = [
        {
            "name": feature.name,
            "bits": feature.bits,
            "fraction": feature.fraction,
            "unit": feature.unit,
            "saturates": feature.saturates,
            "meaning": feature.meaning,
        }
        for feature in CATALOGUE.values()
    ]
    print_table(rows, as_json)
