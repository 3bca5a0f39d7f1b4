"""prove_walker: a forest walker answers score and verdict of its forest, for all inputs.

The parts are proved by machine, of the gates and memories of the emitted circuit:

- ``walker_trees``: what the tables hold, followed row by row, gives score and verdict for every flow.
- ``walker_step``: a step of a walk does with its row what the tables say, for any tables; and answers when it has come
  back to the gate, with score and signs as they are there.
- ``walker_turns``: flows are kept, taken and answered in order, by induction over clocks.
- ``walker_dispatch``: lanes have their turns in order. ``walker_start``: all invariants hold at the start.

That they make a whole is argued here. A walk is in the first stage in one of so many clocks, so its steps follow one
another, and by ``walker_step`` each is that of the description. A walk takes a flow only when it is ready, and then it
has the gate's row and the first root before it; so it visits rows as ``walker_trees`` follows them, which come to an
end, since none comes back to a row before its leaf and the number of the root grows with each leaf until it is 0. At
the gate nothing is added. The features that it reads are those of its flow, because the bank has been written whole
before the flow can be taken, is that of the flow, and is written again only when the flow has been answered. The flow
that is answered is the first that is not, so answers come in order. A walk that takes turns with others comes by the
gate once in all stages, so every flow is taken and answered if answers are taken.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import z3

from hdl.walker_parameters import TABLES, WalkerParameters

from ..errors import CheckFailed
from ..forest import Forest
from .clocks import Clocks
from .lane_nets import LaneNets
from .netlist import check_input, check_ports
from .quiet import quiet
from .walker_dispatch import lane_outputs, prove_dispatch
from .walker_netlist import WalkerNetlist
from .walker_rows import WalkerRows
from .walker_start import prove_start, starts
from .walker_step import prove_step
from .walker_trees import prove_tables
from .walker_turns import prove_receiving, prove_turns

__all__ = ["WalkerProof", "prove_walker"]


@dataclass(frozen=True)
class WalkerProof:
    """What was proved.

    Attributes
    ----------
    trees: whose votes the tables add up, for all inputs
    lanes, stages: of the walker; a step of every lane was proved
    rows: of the tables, those that walks visit
    loadable: another forest can be loaded
    seconds: the whole took
    """

    trees: int
    lanes: int
    stages: int
    rows: int
    loadable: bool
    seconds: float

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What was taken for granted, a line each."""
        taken = (
            "Yosys reads RTLIL and turns processes and words into gates as they are meant",
            "the solver is right where it finds no counterexample",
            "the circuit starts as configured, its memories putting out zeros, or is reset for stages + 1 clocks",
            "flows are offered whole, features within their bits, held until they are taken, the last of a flow marked",
            "steps make up a walk, and the bank of a flow holds what was written into it (argued, not run)",
            "every flow is answered in the end if answers are taken (argued, not run)",
        )
        return (*taken, "no image of another forest is offered") if self.loadable else taken

    @property
    def figures(self) -> Mapping[str, int]:
        """For the manifest."""
        return {name: getattr(self, name) for name in ("trees", "lanes", "stages", "rows")}


def prove_walker(
    netlist: WalkerNetlist,
    forest: Forest,
    parameters: WalkerParameters,
    *,
    tell: Callable[[str], None] = lambda _: None,
) -> WalkerProof:
    """Prove that a walker gives score and verdict of a forest.

    Of ``parameters`` only sizes are used, not the forest.
    """
    started = time.monotonic()
    check_ports(netlist, parameters.size.value_bits + 1)
    inputs = {netlist.net("rst")[0]: False}
    if parameters.loadable:
        check_input(netlist, "table__valid")
        inputs[netlist.net("table__valid")[0]] = False
    still = quiet(netlist, inputs)
    lanes = [LaneNets(netlist, number, parameters) for number in range(parameters.lanes)]
    for lane in lanes:
        lane.check_widths()
    read = _reader(netlist)
    tell("start")
    begun = starts(netlist, read, still, inputs, parameters.stages)
    visited: frozenset[int] = frozenset()
    for lane in lanes:
        tell(f"lane {lane.lane} of {len(lanes)}")
        _check_nothing_loaded(lane, still)
        rows = WalkerRows.of(netlist, lane.lane, parameters.size)
        visited = prove_tables(rows, forest)
        clocks = Clocks(netlist, read, known=lambda _: still, cut=lane.inputs)
        prove_turns(clocks, lane)
        prove_receiving(clocks, lane)
        prove_step(clocks, lane, rows)
        prove_start(begun, lane, rows)
    tell("lanes")
    prove_dispatch(Clocks(netlist, read, known=lambda _: still, cut=lane_outputs(lanes)), lanes, begun)
    return WalkerProof(
        trees=len(forest.trees),
        lanes=len(lanes),
        stages=parameters.stages,
        rows=len(visited),
        loadable=parameters.loadable,
        seconds=time.monotonic() - started,
    )


def _reader(netlist: WalkerNetlist) -> Callable[[str, z3.BitVecRef, int], z3.BitVecRef]:
    """What memories hold: tables always the same, the features of flows something else in every clock."""
    functions: dict[tuple[str, int], z3.FuncDeclRef] = {}

    def read(name: str, address: z3.BitVecRef, clock: int) -> z3.BitVecRef:
        key = (name, clock if name.endswith(".flows") else 0)
        if key not in functions:
            memory = netlist.memories[name]
            sorts = (z3.BitVecSort(len(bits)) for bits in (memory.read_address, memory.read_data))
            functions[key] = z3.Function(f"{name} {key[1]}", *sorts)
        return functions[key](address)

    return read


def _check_nothing_loaded(lane: LaneNets, still: Mapping[int, bool]) -> None:
    """Tables are not written."""
    constants = {"0": False, **still}
    for name in TABLES:
        if any(constants.get(bit) is not False for bit in lane.memory(name).enables):
            raise CheckFailed(f"{lane.place}: {name} are written though no image comes")
