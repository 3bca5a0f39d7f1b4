"""Devices without a board: no pins and no link, so that the forest alone can be exported for them."""

from .board import Target
from .ecp5 import LFE5U_25F, LFE5U_85F

__all__ = ["LONE_DEVICES"]

CLOCK_HZ = 125_000_000
"""The clock of a gigabit MAC, unless another is asked for."""

LONE_DEVICES = (
    Target(name="lfe5u-25f", title="LFE5U-25F", device=LFE5U_25F, clock_hz=CLOCK_HZ),
    Target(name="lfe5u-85f", title="LFE5U-85F", device=LFE5U_85F, clock_hz=CLOCK_HZ),
)
