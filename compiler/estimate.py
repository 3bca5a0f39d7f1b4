"""Estimate: what a circuit should need and reach before it has been placed."""

from dataclasses import dataclass

from boards.device import Device

__all__ = ["Estimate"]


@dataclass(frozen=True)
class Estimate:
    """Of a forest circuit alone; what counts is the report of a build.

    Attributes
    ----------
    logic_cells, registers, block_rams:
        Of the device.
    clock_hz:
        That should be reached.
    latency, interval:
        In clocks, as the circuit states them.
    """

    logic_cells: int
    registers: int
    block_rams: int
    clock_hz: float
    latency: int
    interval: int

    def flows_per_s(self, clock_hz: float) -> float:
        """Flows a second at a clock, whatever the flows are."""
        return clock_hz / self.interval

    def fits(self, device: Device, *, logic_cells: int = 0, block_rams: int = 0) -> bool:
        """Whether a device has room for it beside what else takes the given numbers."""
        return (
            self.logic_cells + logic_cells <= device.logic_cells and self.block_rams + block_rams <= device.block_rams
        )
