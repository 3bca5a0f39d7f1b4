"""prove_ranked: a ranked forest answers as its forest does, for all inputs.

Three parts: the trees that ranks were put into have the votes of the forest (``same_trees``); the forest of ranks is
proved as any unrolled one, by itself; features become ranks (``rank_search``). A test of a feature and that of its rank
say the same because thresholds ascend.
"""

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hdl.forest_ranked import RankedParameters
from hdl.rank_table import RankTable, with_ranks
from hdl.tree import Leaf

from ..forest import Forest
from ..passes import simplify
from .netlist import check_ports, read_netlist
from .rank_search import check_thresholds, prove_search
from .same_trees import check_same_trees
from .unrolled import UnrolledProof, prove_circuit
from .votes import WrongVote
from .walker_netlist import read_walker

__all__ = ["RankedProof", "prove_ranked"]


@dataclass(frozen=True)
class RankedProof:
    """What was proved.

    Attributes
    ----------
    trees, registers: as of the forest of ranks
    thresholds: whose ranks are searched for
    seconds: the whole took
    """

    trees: int
    registers: int
    thresholds: int
    seconds: float

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What was taken for granted, a line each."""
        return (
            "Yosys reads RTLIL and turns processes and words into gates as they are meant",
            "the solver is right where it finds no counterexample",
            "the circuit starts as configured or is reset before the first flow",
            "flows are offered whole, each feature held until it is taken, the last of a flow marked",
        )

    @property
    def figures(self) -> Mapping[str, int]:
        """For the manifest."""
        return {"trees": self.trees, "registers": self.registers, "thresholds": self.thresholds}


def prove_ranked(
    design: Path,
    suffix: str,
    forest: Forest,
    parameters: RankedParameters,
    *,
    tell: Callable[[str], None] = lambda _: None,
) -> RankedProof:
    """Prove the module of an RTLIL file whose name ends in ``suffix``; of ``parameters`` only the latency is used."""
    started = time.monotonic()
    simple = simplify(forest)
    check_same_trees(forest, simple)
    table = RankTable(
        thresholds=tuple(tuple(sorted(found)) for found in simple.thresholds()),
        value_bits=max(column.bits for column in forest.columns),
    )
    inner = prove_circuit(
        read_netlist(design, f"{suffix}.unrolled"),
        _of_ranks(simple, table),
        parameters.unrolled.circuit().latency,
        describe=lambda wrong: _in_features(wrong, forest, table),
        tell=tell,
    )
    tell("search for ranks")
    netlist = read_walker(design, suffix)
    check_ports(netlist, table.value_bits + 1)
    check_thresholds(netlist, table, forest)
    prove_search(netlist, table, forest)
    return _proof(inner, table, time.monotonic() - started)


def _proof(inner: UnrolledProof, table: RankTable, seconds: float) -> RankedProof:
    return RankedProof(inner.trees, inner.registers, sum(map(len, table.thresholds)), seconds)


def _of_ranks(forest: Forest, table: RankTable) -> Forest:
    """The forest that says of ranks what the given one says of features."""
    columns = (column._replace(bits=bits) for column, bits in zip(forest.columns, table.depths, strict=True))
    return dataclasses.replace(
        forest, columns=tuple(columns), trees=tuple(with_ranks(tree, table) for tree in forest.trees)
    )


def _in_features(wrong: WrongVote, forest: Forest, table: RankTable) -> str:
    """The counterexample with values that have such ranks, and the leaf of the forest itself."""
    values = tuple(
        found[min(rank, len(found)) - 1] + 1 if rank and found else 0
        for rank, found in zip(wrong.features, table.thresholds, strict=True)
    )
    tree, at = forest.trees[wrong.tree], 0
    while not isinstance(node := tree.nodes[at], Leaf):
        at = node.left if values[node.feature] <= node.threshold else node.right
    return wrong._replace(features=values, node=at).describe(forest)
