"""WalkerParameters: what a tree walker is made from."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from amaranth.hdl import Shape, signed
from amaranth.lib import data
from amaranth.lib.memory import MemoryData

from .feature_stream import feature_word
from .forest_parameters import ForestParameters
from .walker_table import GATE, Side, WalkerTable

__all__ = ["STAGES", "TABLES", "WalkerParameters", "WalkerSize", "table_contents"]

STAGES = (2, 3, 4)

TABLES = ("selectors", "thresholds", "links", "votes")
"""The memories that hold the forest, in the order in which they are loaded."""


@dataclass(frozen=True, kw_only=True)
class WalkerSize:
    """How large the forests can be that a walker holds.

    Parameters
    ----------
    features:
        How many a flow has.
    value_bits:
        Of the widest feature, and of thresholds.
    row_bits, root_bits, number_bits, score_bits:
        Of the number of a row and of a root; of the number of a vote in its tree; of the score.
    """

    features: int
    value_bits: int
    row_bits: int
    root_bits: int
    number_bits: int
    score_bits: int

    @classmethod
    def of(cls, forest: ForestParameters) -> "WalkerSize":
        """The smallest for a forest."""
        table = WalkerTable.of(forest)
        return cls(
            features=len(forest.feature_widths),
            value_bits=max(forest.feature_widths),
            row_bits=(len(table.rows) - 1).bit_length(),
            root_bits=table.root_bits,
            number_bits=max(1, (max(map(len, table.votes)) - 1).bit_length()),
            score_bits=table.score_bits,
        )

    @property
    def index_bits(self) -> int:
        """Of the number of a feature."""
        return max(1, (self.features - 1).bit_length())

    @property
    def side_layout(self) -> data.StructLayout:
        """One side of a row, and of the votes of a tree the address."""
        return data.StructLayout({"number": self.number_bits, "is_leaf": 1})

    @property
    def link_layout(self) -> data.StructLayout:
        """A word of the table ``links``."""
        return data.StructLayout({"pointer": self.row_bits, "left": self.side_layout, "right": self.side_layout})

    @property
    def tables(self) -> Mapping[str, tuple[Shape | int, int]]:
        """Shape and bits of the address of every one of :data:`TABLES`.

        ``selectors``, ``thresholds``, ``links``: the feature of each row, its threshold inverted, its children;
        ``votes``: what each side adds, by the root that comes next.
        """
        return {
            "selectors": (self.index_bits, self.row_bits),
            "thresholds": (self.value_bits, self.row_bits),
            "links": (self.link_layout.size, self.row_bits),
            "votes": (signed(self.score_bits), self.root_bits + self.side_layout.size),
        }


def table_contents(forest: ForestParameters, size: WalkerSize) -> Mapping[str, list]:
    """The words of every table for a forest; :class:`ValueError` when it is too large."""
    needed = WalkerSize.of(forest)
    for name in ("features", "value_bits", "number_bits", "score_bits", "root_bits"):
        if getattr(needed, name) > getattr(size, name):
            raise ValueError(f"{name} must be at most {getattr(size, name)}, not {getattr(needed, name)}")
    table = WalkerTable.of(forest, root_bits=size.root_bits)
    if len(table.rows) > 1 << size.row_bits:
        raise ValueError(f"Rows must be at most {1 << size.row_bits}, not {len(table.rows)}")
    greatest = (1 << size.value_bits) - 1
    side_bits = size.side_layout.size
    votes = [0] * (1 << size.root_bits + side_bits)
    for next_root, numbers in enumerate(table.votes, table.rows[GATE].pointer + 1):
        for number, vote in enumerate(numbers):
            address = _side_word(Side(True, number), size) | next_root % (1 << size.root_bits) << side_bits
            votes[address] = _wrapped(vote, size.score_bits)
    return {
        "selectors": [row.feature for row in table.rows],
        "thresholds": [greatest - row.threshold for row in table.rows],
        "links": [
            row.pointer
            | _side_word(row.left, size) << size.row_bits
            | _side_word(row.right, size) << size.row_bits + side_bits
            for row in table.rows
        ],
        "votes": votes,
    }


def _side_word(side: Side, size: WalkerSize) -> int:
    """A side as bits of its layout; Amaranth's own constants would take minutes for a large forest."""
    return side.number | side.is_leaf << size.number_bits


def _wrapped(vote: int, bits: int) -> int:
    """A vote may lie beyond the score that it leads to: sums are right modulo ``2**bits``."""
    half = 1 << bits - 1
    return (vote + half) % (2 * half) - half


@dataclass(frozen=True, kw_only=True)
class WalkerParameters:
    """What a walker is made from.

    Parameters
    ----------
    forest:
        What it computes at the start.
    size:
        How large forests can be that it is loaded with.
    stages:
        Clocks of a step: with 3 there is a register behind the comparison, with 4 also behind the memories.
    lanes:
        Walkers side by side.
    double:
        Tables have two halves: one can be loaded while flows are classified with the other.
    loadable:
        Tables can be loaded.
    forest_id, monitor_only:
        Of the forest at the start; the id has 32 bits. A walker that can be loaded tells which it holds.
    """

    forest: ForestParameters
    size: WalkerSize
    stages: int = 3
    lanes: int = 1
    double: bool = False
    loadable: bool = False
    forest_id: int = 0
    monitor_only: bool = False

    def __post_init__(self):
        if self.stages not in STAGES:
            raise ValueError(f"Stages must be one of {STAGES}, not {self.stages!r}")
        if self.lanes < 1:
            raise ValueError(f"Lanes must be at least 1, not {self.lanes!r}")
        if self.double and not self.loadable:
            raise ValueError("Tables that cannot be loaded must not be double")

    @classmethod
    def of(cls, forest: ForestParameters, **options) -> "WalkerParameters":
        """Of the smallest size."""
        return cls(forest=forest, size=WalkerSize.of(forest), **options)

    @property
    def feature_layout(self) -> data.StructLayout:
        """Payload of the input stream: a feature, and whether it is the last of its flow."""
        return feature_word(self.size.value_bits)

    @property
    def answer_layout(self) -> data.StructLayout:
        """Payload of the output stream. A flow that came while there was no table is not classified."""
        return data.StructLayout({"score": signed(self.size.score_bits), "verdict": signed(2), "classified": 1})

    @property
    def half_bits(self) -> int:
        """Bits that tell the halves of the tables apart."""
        return int(self.double)

    @property
    def flow_layout(self) -> data.StructLayout:
        """The number of a flow: which walk takes it, and on which of its laps. Each walk has a bank for two laps."""
        return data.StructLayout({"number": range(self.stages), "lap": 2})

    @property
    def walk_layout(self) -> data.StructLayout:
        """What belongs to a walk.

        ``number``: of the walk; ``lap``: of the bank with its flow; ``half``: of the tables; ``tree``: the row of the
        root that comes next; ``score``: so far; ``below``, ``not_above``: whether the score was negative before the
        last leaf, and before the last but one; ``busy``: it has a flow; ``ready``: it can take one; ``at_gate``,
        ``takes``, ``stays``, ``answers``: what it does in the last stage.
        """
        bits = dict.fromkeys(("lap", "below", "not_above", "busy", "ready", "at_gate", "takes", "stays", "answers"), 1)
        return data.StructLayout(
            {
                "number": range(self.stages),
                "half": self.half_bits,
                "tree": self.size.root_bits,
                "score": signed(self.size.score_bits),
                **bits,
            }
        )

    @property
    def bank_words(self) -> int:
        """Words of the memory that holds the features of the flows of all walks."""
        return 2 << Shape.cast(range(self.stages)).width + self.size.index_bits

    @functools.cached_property
    def _contents(self) -> Mapping[str, list]:
        return table_contents(self.forest, self.size)

    @property
    def memories(self) -> Mapping[str, MemoryData]:
        """The tables as they are at the start, and ``flows``, the features in the banks of all walks."""
        # New ones each time: no two lanes may share a memory.
        return {
            name: MemoryData(shape=shape, depth=1 << bits + self.half_bits, init=self._contents[name])
            for name, (shape, bits) in self.size.tables.items()
        } | {"flows": MemoryData(shape=self.size.value_bits, depth=self.bank_words, init=[])}

    @property
    def load_layout(self) -> data.StructLayout:
        """A word for a table."""
        tables = self.size.tables.values()
        return data.StructLayout(
            {
                "table": range(len(TABLES)),
                "address": max(bits for _, bits in tables) + self.half_bits,
                "data": max(Shape.cast(shape).width for shape, _ in tables),
            }
        )
