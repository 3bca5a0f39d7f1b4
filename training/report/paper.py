"""What the paper says, to stand beside what comes out here.

Luckner, Filasiak, *Flow-level Spam Modelling using separate data sources* (2013). Its own two sources are called Žádník
and Alpha. Its subclasses 2, 3 and 1 are the largest first, as ours are numbered.
"""

__all__ = [
    "ACK_LINES",
    "APPLICATION",
    "CITATION",
    "DESCRIBING",
    "RANKING",
    "RULES_CONFUSION",
    "SEPARATION_CONFUSION",
    "SUBCLASSES",
    "Subclass",
    "universal_importance",
]

from typing import NamedTuple

CITATION = "Luckner, Filasiak, Flow-level Spam Modelling using separate data sources (2013)"


class Subclass(NamedTuple):
    """A subclass of spam: its number there, its share of spam, and that of dnsbl and y_spam in it, in percent."""

    number: int
    share: float
    dnsbl: float
    y_spam: float


SUBCLASSES = (Subclass(2, 78.5, 98.3, 1.7), Subclass(3, 12.9, 0.0, 100.0), Subclass(1, 8.6, 2.9, 97.1))
"""Section II-A and Table II; four clusters were chosen, with an error of 8 %, and one of 1.3 % was folded."""

RULES_CONFUSION = {1: (4206, 1, 6), 2: (2, 38396, 0), 3: (24, 0, 6279)}
"""Table I: of each subclass, how many were predicted to be 1, 2 and 3."""

SEPARATION_CONFUSION = {
    0: (2920, 242, 86, 924),
    1: (2, 4169, 1, 41),
    2: (0, 2, 38396, 0),
    3: (282, 0, 0, 6021),
}
"""Table III: of each class, how many were predicted to be 0, 1, 2 and 3."""

DESCRIBING = ("spl", "spl2", "maxpl", "slas", "slps", "rspps", "rslps", "rmaxtw")
"""The discriminants of section II-B; its rspls is most likely a slip for rslps."""

RANKING = {
    "slas": 100.0,
    "spl": 99.5,
    "slps": 91.0,
    "maxpl": 90.5,
    "maxtw": 84.0,
    "spps": 82.5,
    "stw": 73.0,
    "mintw": 68.0,
    "maxttl": 67.5,
    "sp": 67.0,
    "minttl": 66.5,
    "sttl": 66.5,
}
"""Table IV; of features with less than 50 points it tells no figure."""

ACK_LINES = {"Žádník": (0.9, -9.4), "Alpha": (1.0, -0.6)}
"""Slope and intercept of spas over sp, equations 3 and 2."""

APPLICATION = {
    "packets": 50_000_000,
    "header_bytes": 4.44e9,
    "smtp_packets": 29_500,
    "smtp_flows": 407,
    "records": 176_000,
    "record_bytes": 18e6,
    "spam_records": 934,
}
"""Section IV: what was captured on a BRAS, and the reduced records that were captured there later."""


def universal_importance(feature: str) -> str:
    """The paper's points of a feature as a cell of a table."""
    return f"{RANKING[feature]:.1f}" if feature in RANKING else "below 50"
