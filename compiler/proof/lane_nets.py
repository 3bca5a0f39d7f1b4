"""LaneNets: the nets of one lane of a walker, by what they are for."""

from dataclasses import dataclass

import z3
from amaranth.hdl import Shape
from amaranth.lib import data

from hdl.walker_parameters import WalkerParameters

from ..errors import CheckFailed
from .clocks import Clocks
from .netlist import Bit
from .walker_netlist import Memory, WalkerNetlist

__all__ = ["LaneNets"]


@dataclass(frozen=True)
class LaneNets:
    """Where a lane keeps what: the ports and the state that its proof is about."""

    netlist: WalkerNetlist
    lane: int
    parameters: WalkerParameters

    def check_widths(self) -> None:
        """Raise :class:`CheckFailed` unless ports and memories are as wide as the parameters say."""
        parameters, ports = self.parameters, {"i__valid": 1, "i__ready": 1, "o__valid": 1, "o__ready": 1}
        ports |= {"i__payload": parameters.feature_layout.size, "o__payload": parameters.answer_layout.size}
        for name, width in ports.items():
            if len(self.port(name)) != width:
                raise CheckFailed(f"{self.place}: {name} must be {width} bits wide, not {len(self.port(name))}")
        size = parameters.size
        sizes = {
            name: (Shape.cast(shape).width, bits + parameters.half_bits) for name, (shape, bits) in size.tables.items()
        }
        sizes["flows"] = (size.value_bits, size.index_bits + 1 + parameters.flow_layout["number"].width)
        for name, (width, address) in sizes.items():
            memory = self.memory(name)
            for what, pins, expected in (
                ("words", memory.read_data, width),
                ("words", memory.write_data, width),
                ("addresses", memory.read_address, address),
                ("addresses", memory.write_address, address),
            ):
                if len(pins) != expected:
                    raise CheckFailed(f"{self.place}: {name} must have {what} of {expected} bits, not {len(pins)}")

    @property
    def place(self) -> str:
        """For messages."""
        return f"{self.netlist.name}.lane_{self.lane}"

    def port(self, name: str) -> tuple[Bit, ...]:
        """A port of the lane."""
        return self.netlist.net(f"lane_{self.lane}.{name}")

    def memory(self, name: str) -> Memory:
        """A memory of the lane."""
        return self.netlist.lane_memory(self.lane, name)

    def walk(self, stage: int, field: str) -> tuple[Bit, ...]:
        """What belongs to the walk in a stage."""
        return self._part(f"walk_{stage}", self.parameters.walk_layout, field)

    def flow(self, name: str, field: str) -> tuple[Bit, ...]:
        """``number`` or ``lap`` of the next flow to be ``written``, ``taken`` or ``answered``."""
        return self._part(name, self.parameters.flow_layout, field)

    @property
    def index(self) -> tuple[Bit, ...]:
        """Of the feature that comes next."""
        return self.memory("flows").write_address[: self.parameters.size.index_bits]

    @property
    def inputs(self) -> tuple[Bit, ...]:
        """What comes from outside the lane."""
        return (*self.port("i__payload"), *self.port("i__valid"), *self.port("o__ready"))

    def read(self, clocks: Clocks, name: str, address: z3.BitVecRef, clock: int) -> z3.BitVecRef:
        """What a memory of the lane holds in a clock."""
        return clocks.read(f"lane_{self.lane}.{name}", address, clock)

    def _part(self, name: str, layout: data.StructLayout, field: str) -> tuple[Bit, ...]:
        bits = self.port(name)
        if len(bits) != layout.size:
            raise CheckFailed(f"{self.place}: {name} must be {layout.size} bits wide, not {len(bits)}")
        place = layout[field]
        return bits[place.offset : place.offset + place.width]
