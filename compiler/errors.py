"""The two ways in which a command ends without having done its work, both without a traceback."""

__all__ = ["CheckFailed", "InputError"]


class InputError(Exception):
    """What the user gave is wrong: one line that says what and where. Commands exit with 2."""


class CheckFailed(Exception):
    """The input was right and the check ran, and its answer is no. Commands exit with 1."""
