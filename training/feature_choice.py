"""Which features are used: sets that have a name, or a list of the catalogue's names."""

from compiler.errors import InputError
from compiler.features import CATALOGUE, UNIVERSAL

__all__ = ["FEATURE_SETS", "LENGTHS", "REDUCED", "chosen_features"]

_LENGTHS = ("spl2", "maxpl", "spps")

LENGTHS: tuple[str, ...] = (*_LENGTHS, *("r" + name for name in _LENGTHS))
"""Variance and maximum of the packet length, and the count of packets with PSH. TTL and window, which tell
the stack of a sender, are not among them, and more features were not better (docs/training.md)."""

_SHAPE = ("slas", "spl", "slps", "maxpl", "spps", "sp", "spl2")

REDUCED: tuple[str, ...] = (
    *("minpl", "maxpl", "spl", "rminpl", "rmaxpl", "rspl"),
    *("fin", "syn", "rst", "psh", "ack", "urg"),
)
"""The paper's reduced record, made for a BRAS: least, largest and mean packet size, and which flags occurred."""

FEATURE_SETS = {
    "lengths": LENGTHS,
    "shape": (*_SHAPE, *("r" + name for name in _SHAPE)),
    "universal": UNIVERSAL,
    "reduced": REDUCED,
    "all": tuple(CATALOGUE),
}
"""Sets by name; ``universal`` are the paper's, ``shape`` those of lengths and counts that matter most."""


def chosen_features(text: str, directions: str) -> tuple[str, ...]:
    """The names of a set, as far as its directions go, or those between the commas."""
    if text in FEATURE_SETS:
        return tuple(name for name in FEATURE_SETS[text] if directions == "both" or _is_forward(name))
    names = tuple(text.split(","))
    for name in names:
        if name not in CATALOGUE:
            sets = ", ".join(FEATURE_SETS)
            raise InputError(
                f"--features: {name!r} is not in the catalogue (python -m compiler features), nor one of {sets}"
            )
        if directions == "forward" and CATALOGUE[name].response:
            raise InputError(f"--features: {name!r} is of the response, and --directions is forward")
    if len(set(names)) != len(names):
        raise InputError(f"--features: must name each feature once, not {text!r}")
    return names


def _is_forward(name: str) -> bool:
    return CATALOGUE[name].direction == "forward"
