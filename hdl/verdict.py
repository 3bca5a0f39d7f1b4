"""What a flow record says about its flow: why it ended, the verdict and the reason of an uncertain one."""

import enum

__all__ = ["EndReason", "Verdict", "VerdictReason"]


class EndReason(enum.IntEnum):
    """IPFIX flowEndReason (element 136)."""

    IDLE = 1
    ACTIVE = 2
    END = 3
    FORCED = 4
    RESOURCES = 5


class Verdict(enum.IntEnum):
    SPAM = 1
    UNCERTAIN = 0
    BACKGROUND = -1


class VerdictReason(enum.IntEnum):
    """Why a verdict is UNCERTAIN; when several apply, the highest number is given."""

    DECIDED = 0
    BAND = 1
    ONE_SIDED = 2
    MIDFLOW = 3
    SHORT = 4
    OVERLOAD = 5
    EARLY = 6
