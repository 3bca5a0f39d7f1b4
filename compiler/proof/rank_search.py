"""The search for ranks: every field of the forest of ranks gets the rank of its feature, by induction over clocks.

Between two clocks the encoder waits for a feature, searches for a bit of its rank, or holds the rank until it is taken.
Of the rank so far it is known that the value is above the word of the table there, and not above the word that all
further bits would have to pass; when no bit is left that is the rank, since words ascend. The proof is of any table;
what the memory holds is compared with the thresholds one by one.
"""

from collections.abc import Sequence

import z3

from hdl.rank_table import RankTable

from ..errors import CheckFailed
from ..forest import Forest, Leaf
from .claims import Claims
from .clocks import Clocks, as_word
from .netlist import Bit
from .quiet import quiet
from .walker_netlist import WalkerNetlist

__all__ = ["check_thresholds", "prove_search"]

MEMORY = "encoder.thresholds"


def check_thresholds(netlist: WalkerNetlist, table: RankTable, forest: Forest) -> None:
    """Raise :class:`CheckFailed` unless the memory holds the thresholds and nothing ever writes into it."""
    memory = netlist.memories.get(MEMORY)
    if memory is None or len(memory.words) != len(table.words) or len(memory.read_data) != table.value_bits:
        raise CheckFailed(f"{netlist.name}: must have a memory {MEMORY} of {len(table.words)} thresholds")
    constants = {"0": False, **quiet(netlist, {netlist.net("rst")[0]: False})}
    if any(constants.get(bit) is not False for bit in memory.enables):
        raise CheckFailed(f"{netlist.name}: {MEMORY} is written")
    greatest = (1 << table.value_bits) - 1
    for feature, (base, depth, found) in enumerate(zip(table.bases, table.depths, table.thresholds, strict=True)):
        words = memory.words[base + 1 : base + (1 << depth)]
        if list(found) != sorted(set(found)) or len(found) > len(words):
            raise CheckFailed(f"{netlist.name}: thresholds of {forest.columns[feature].name} do not ascend")
        for rank, word in enumerate(words):
            expected = found[rank] if rank < len(found) else greatest
            if word != expected:
                raise CheckFailed(f"{netlist.name}: {_wrong_threshold(forest, feature, expected, word)}")


def _wrong_threshold(forest: Forest, feature: int, expected: int, word: int | None) -> str:
    """One line with a value for which that decides, and a node that tests it."""
    name = forest.columns[feature].name
    tests = [
        f"tree {number}, node {at}: "
        for number, tree in enumerate(forest.trees)
        for at, node in enumerate(tree.nodes)
        if not isinstance(node, Leaf) and node[:2] == (feature, expected)
    ]
    value = expected if word is None else min(expected, word) + 1
    where = tests[0] if tests else ""
    return f"{where}the threshold of {name} is {expected}, the table's {word}, for {name} = {value}"


class _State:
    """The nets of encoder and collector in a clock."""

    def __init__(self, clocks: Clocks, clock: int, table: RankTable):
        def word(name: str) -> z3.BitVecRef:
            return clocks.word(clock, netlist.net(name))

        netlist, self.table = clocks.netlist, table
        several = len(table.depths) > 1
        self.next_feature = word("encoder.index") if several else z3.BitVecVal(0, 1)
        self.next_field = word("collector.index") if several else z3.BitVecVal(0, 1)
        self.bit, self.place, self.value = (word(f"encoder.{name}") for name in ("bit", "place", "value"))
        self.last = word("encoder.last") == 1
        self.found = word("encoder.o__valid") == 1
        *rank, last = netlist.net("encoder.o__payload")
        self.rank, self.found_last = clocks.word(clock, rank), clocks.bit(clock, last)
        self.fields = clocks.bits(clock, netlist.net("collector.o__payload"))
        self.whole = word("collector.o__valid") == 1
        self.read_data = clocks.word(clock, netlist.memories[MEMORY].read_data)

    def waits(self, feature: int) -> z3.BoolRef:
        """For a feature, with none before it on its way."""
        return z3.And(self.bit == 0, z3.Not(self.found), self.next_feature == feature, self.next_field == feature)

    def searches(self, feature: int, bit: int, word_at) -> z3.BoolRef:
        """For a bit of the rank of a feature: the bits above it are known."""
        table, depth = self.table, self.table.depths[feature]
        rank = self.place & ((1 << depth) - (2 << bit))
        return z3.And(
            self.bit == 1 << bit,
            self.place == table.bases[feature] | rank | 1 << bit,
            self.read_data == word_at(self.place),
            self.last == (feature == len(table.depths) - 1),
            z3.Not(self.found),
            self.behind(feature),
            _is_rank(table, feature, rank, self.value, 2 << bit, word_at),
        )

    def holds(self, feature: int, word_at) -> z3.BoolRef:
        """The rank of a feature, until it is taken."""
        table, depth = self.table, self.table.depths[feature]
        width = table.address_bits
        wide = z3.ZeroExt(width - table.rank_bits, self.rank) if width > table.rank_bits else self.rank
        return z3.And(
            self.bit == 0,
            self.found,
            self.found_last == (feature == len(table.depths) - 1),
            self.behind(feature),
            _is_rank(table, feature, wide & (1 << depth) - 1, self.value, 1, word_at),
        )

    def behind(self, feature: int) -> z3.BoolRef:
        """The encoder is one feature ahead of the collector."""
        following = (feature + 1) % len(self.table.depths)
        return z3.And(self.next_feature == following, self.next_field == feature)


def _is_rank(table: RankTable, feature: int, rank: z3.BitVecRef, value: z3.BitVecRef, step: int, word_at) -> z3.BoolRef:
    """The rank of a value is at least this, and less than a step more."""
    base = table.bases[feature]
    above = z3.Or(rank == 0, z3.UGT(value, word_at(base | rank)))
    # Behind the last word of its block there is none to pass.
    passed = z3.And(rank != (1 << table.depths[feature]) - step, z3.UGT(value, word_at(base | rank + step)))
    return z3.And(above, z3.Not(passed))


def prove_search(netlist: WalkerNetlist, table: RankTable, forest: Forest) -> None:
    """Prove that features become ranks, each in its field, and that flows come to the forest of ranks in order."""
    word_of = z3.Function(MEMORY, z3.BitVecSort(table.address_bits), z3.BitVecSort(table.value_bits))
    (reset,) = netlist.net("rst")
    clocks = Clocks(
        netlist,
        lambda name, address, clock: word_of(address),
        known=lambda _: {reset: False},
        cut=netlist.net("unrolled.i__ready"),
    )
    step = _Step(netlist, clocks, table, word_of, forest)
    for feature in range(len(table.depths)):
        step.prove_waiting(feature)
        for bit in range(table.depths[feature]):
            step.prove_searching(feature, bit)
        step.prove_holding(feature)
    _prove_start(netlist, table, word_of)
    _check_wires(netlist)


def _kept(netlist: WalkerNetlist) -> list[int]:
    """The bits of the fields but those that have no register, which nothing may depend on."""
    fields = netlist.net("unrolled.i__payload")
    missing = {bit for bit in fields if bit not in netlist.drivers}
    for bit in netlist.drivers:
        if read := missing.intersection(netlist.reads(bit)):
            raise CheckFailed(f"{netlist.name}: {netlist.names[read.pop()]} is read but has no register")
    return [at for at, bit in enumerate(fields) if bit not in missing]


class _Step:
    """From one clock to the next."""

    def __init__(self, netlist: WalkerNetlist, clocks: Clocks, table: RankTable, word_at, forest: Forest):
        self.netlist, self.table, self.word_at, self.forest = netlist, table, word_at, forest
        self.now, self.then = (_State(clocks, clock, table) for clock in (0, 1))
        *value, last = netlist.net("i__payload")
        self.offered_value, self.offered_last = clocks.word(0, value), clocks.bit(0, last)
        self.offered, self.ready = (clocks.bit(0, netlist.net(name)[0]) for name in ("i__valid", "i__ready"))
        self.kept = _kept(netlist)
        self.taken_on = clocks.bit(0, netlist.net("unrolled.i__ready")[0])

    def _claims(self, feature: int, state: z3.BoolRef, value: z3.BitVecRef) -> Claims:
        # A flow that is whole has all its fields, so the collector waits for the first of the next.
        whole = z3.Implies(self.now.whole, self.now.next_field == 0)
        return Claims(self.netlist.name, [state, whole], {self.forest.columns[feature].name: value})

    def _collector(self, claims: Claims, feature: int, takes: z3.BoolRef) -> None:
        """What becomes of the fields when the rank of a feature is taken, and when it is not."""
        now, then, table = self.now, self.then, self.table
        last = feature == len(table.depths) - 1
        low, depth = sum(table.depths[:feature]), table.depths[feature]
        after = list(now.fields)
        after[low : low + depth] = [
            z3.If(takes, z3.Extract(at, at, now.rank) == 1, now.fields[low + at]) for at in range(depth)
        ]
        said, expected = (as_word([bits[at] for at in self.kept]) for bits in (then.fields, after))
        claims.equal("the fields of the ranks", said, expected)
        whole = z3.If(z3.And(takes, last), True, z3.And(now.whole, z3.Not(self.taken_on)))
        claims.equal("whether a flow is whole", then.whole, whole)
        claims.always("a flow is whole too early", z3.Implies(then.whole, then.next_field == 0))

    def _begins(self, feature: int) -> z3.BoolRef:
        """The search for a feature that was taken."""
        first = self.table.depths[feature] - 1
        return z3.And(self.then.searches(feature, first, self.word_at), self.then.value == self.offered_value)

    def _marked(self, feature: int) -> z3.BoolRef:
        """The last feature of a flow that is offered is marked as that, and no other."""
        return self.offered_last == (feature == len(self.table.depths) - 1)

    def prove_waiting(self, feature: int) -> None:
        claims = self._claims(feature, z3.And(self.now.waits(feature), self._marked(feature)), self.offered_value)
        claims.equal("i.ready while no feature is under way", self.ready, z3.BoolVal(True))
        following = z3.If(self.offered, self._begins(feature), self.then.waits(feature))
        claims.always(f"the search for {self.forest.columns[feature].name} does not begin as it must", following)
        self._collector(claims, feature, z3.BoolVal(False))

    def prove_searching(self, feature: int, bit: int) -> None:
        claims = self._claims(feature, self.now.searches(feature, bit, self.word_at), self.now.value)
        claims.equal("i.ready during a search", self.ready, z3.BoolVal(False))
        found = self.then.searches(feature, bit - 1, self.word_at) if bit else self.then.holds(feature, self.word_at)
        name = self.forest.columns[feature].name
        claims.always(f"bit {bit} of the rank of {name} is wrong", z3.And(found, self.then.value == self.now.value))
        self._collector(claims, feature, z3.BoolVal(False))

    def prove_holding(self, feature: int) -> None:
        table, now, then = self.table, self.now, self.then
        following = (feature + 1) % len(table.depths)
        claims = self._claims(feature, z3.And(now.holds(feature, self.word_at), self._marked(following)), now.value)
        takes = z3.Not(now.whole)
        claims.equal("i.ready while a rank waits", self.ready, takes)
        stays = z3.And(then.holds(feature, self.word_at), then.value == now.value, then.rank == now.rank)
        goes = z3.If(self.offered, self._begins(following), then.waits(following))
        claims.always(
            f"the rank of {self.forest.columns[feature].name} is lost or comes twice", z3.If(takes, goes, stays)
        )
        self._collector(claims, feature, takes)


def _prove_start(netlist: WalkerNetlist, table: RankTable, word_at) -> None:
    """Behind reset, and as it is configured, the encoder waits for the first feature and no flow is whole."""

    def read(name: str, address: z3.BitVecRef, clock: int) -> z3.BitVecRef:
        return word_at(address)

    (reset,) = netlist.net("rst")
    after_reset = Clocks(netlist, read, known=lambda clock: {reset: clock == 0})
    configured = Clocks(netlist, read, known=lambda _: {reset: False}, start=netlist.initial)
    for clocks, clock in ((after_reset, 1), (configured, 0)):
        state = _State(clocks, clock, table)
        Claims(netlist.name, []).always(
            "the search does not begin with the first feature at the start",
            z3.And(state.waits(0), z3.Not(state.whole)),
        )


_WIRES = {
    "unrolled.i__payload": "collector.o__payload",
    "unrolled.i__valid": "collector.o__valid",
    "o__payload": "unrolled.o__payload",
    "o__valid": "unrolled.o__valid",
    "unrolled.o__ready": "o__ready",
    "unrolled.clk": "clk",
    "unrolled.rst": "rst",
}
"""What leads to the forest of ranks and from it."""


def _check_wires(netlist: WalkerNetlist) -> None:
    for name, other in _WIRES.items():
        found: tuple[Sequence[Bit], ...] = tuple(netlist.net(net) for net in (name, other))
        if found[0] != found[1]:
            raise CheckFailed(f"{netlist.name}: {name} must be {other}")
