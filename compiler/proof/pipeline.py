"""The registers of a forest circuit: every way from its input to its output passes the same number of them.

Once that is so, and all of them move together, the answer is the one that the circuit without registers would give for
the flow that came in so many clocks before.
"""

import z3

from ..errors import CheckFailed
from .gates import Gates
from .netlist import Bit, Netlist, Register

__all__ = ["check_depths", "check_handshake"]


def check_depths(moving: Netlist, latency: int) -> frozenset[int]:
    """Raise :class:`CheckFailed` where the data of a moving pipeline are not ``latency`` registers deep.

    Gives the registers.
    """
    # Registers on every way from the input, None for a constant; and registers on the longest way from a constant.
    depths: dict[int, tuple[int | None, int]] = dict.fromkeys(moving.net("i__payload"), (0, 0))
    registers = set()
    for bit in moving.cone(moving.net("o__payload"), frozenset(depths)):
        if bit not in moving.drivers:
            raise CheckFailed(f"{moving.name}: the answer depends on {_name(moving, bit)}, which is no feature")
        read = [other for other in moving.reads(bit) if isinstance(other, int)]
        if not all(other in depths for other in read):
            raise CheckFailed(f"{moving.name}: the answer depends on an earlier one through {_name(moving, bit)}")
        flows = {depths[other][0] for other in read} - {None}
        settles = max((depths[other][1] for other in read if depths[other][0] is None), default=0)
        if len(flows) > 1:
            behind = " and ".join(map(str, sorted(flows)))
            raise CheckFailed(
                f"{moving.name}: net {_name(moving, bit)} mixes flows: it is {behind} registers behind the input"
            )
        flow = flows.pop() if flows else None
        if flow is not None and settles > flow:
            raise CheckFailed(f"{moving.name}: a constant comes too late to {_name(moving, bit)} for the first flow")
        more = isinstance(moving.drivers[bit], Register)
        if more:
            registers.add(bit)
        depths[bit] = (None, settles + more) if flow is None else (flow + more, 0)
    for bit in moving.net("o__payload"):
        # Only a register stays as it is while the answer waits to be taken.
        if isinstance(bit, int) and bit not in registers:
            raise CheckFailed(f"{moving.name}: {_name(moving, bit)} is not straight from a register")
        flow, settles = depths.get(bit, (None, 0))
        if settles > latency:
            raise CheckFailed(f"{moving.name}: a constant comes too late to {_name(moving, bit)} for the first flow")
        if flow not in (latency, None):
            raise CheckFailed(
                f"{moving.name}: {_name(moving, bit)} is {flow} registers behind the input, not {latency}"
            )
    return frozenset(registers)


def check_handshake(netlist: Netlist, data: frozenset[int], latency: int) -> None:
    """Raise :class:`CheckFailed` unless the pipeline moves as one and valid bits with it.

    It moves when its output is free or taken, and tells so at its input. The registers of ``data`` hold otherwise. The
    valid bits are a chain of ``latency`` registers from the input to the output, which reset clears.
    """
    gates = Gates(netlist)
    valid, taken, ready, reset = (
        gates.of(netlist.net(name)[0]) for name in ("o__valid", "o__ready", "i__ready", "rst")
    )
    advance = z3.Or(z3.Not(valid), taken)
    gates.require(ready == advance, f"{netlist.name}: i__ready is not what lets the pipeline move")
    known: set[Bit] = set()
    for bit in sorted(data):
        enable = netlist.drivers[bit].enable
        if enable not in known:
            known.add(enable)
            gates.require(
                z3.Implies(z3.Not(reset), gates.of(enable) == advance),
                f"{netlist.name}: register {_name(netlist, bit)} does not move with the pipeline",
            )
    _check_valid(gates, advance, reset, latency)


def _check_valid(gates: Gates, advance: z3.BoolRef, reset: z3.BoolRef, latency: int) -> None:
    netlist = gates.netlist
    chain = [bit for bit in netlist.cone(netlist.net("o__valid")) if isinstance(netlist.drivers.get(bit), Register)]
    if len(chain) != latency:
        raise CheckFailed(f"{netlist.name}: there are {len(chain)} valid bits, not {latency}")
    before = netlist.net("i__valid")[0]
    # The cone gives what is read before what reads it.
    for bit in chain:
        driver = netlist.drivers[bit]
        following = z3.If(gates.of(driver.enable), gates.of(driver.data), gates.of(bit))
        expected = z3.And(z3.Not(reset), z3.If(advance, gates.of(before), gates.of(bit)))
        gates.require(following == expected, f"{netlist.name}: {_name(netlist, bit)} does not move with the pipeline")
        before = bit
    if chain and chain[-1] != netlist.net("o__valid")[0]:
        raise CheckFailed(f"{netlist.name}: o__valid is not straight from a register")


def _name(netlist: Netlist, bit: Bit) -> Bit:
    return netlist.names.get(bit, bit)
