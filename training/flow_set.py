"""FlowSet: labelled flows as arrays, who sent them, and which of them may teach or be judged."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from compiler.errors import InputError
from compiler.features import CATALOGUE

from .flow_file import PREFIX_COLUMN, read_flow_rows
from .labels import LABELS

__all__ = ["LEGITIMATE", "SPAM", "FlowSet", "read_flow_set", "said_of", "sender_parts", "split_senders"]

SPAM = ("dnsbl", "spam")
LEGITIMATE = ("ham", "outgoing", "submission")

_TEXT = ("sender", "label", "sublabel")
_INTEGERS = {"client_port": 16, "server_port": 16, "syn_seen": 1, "packets": 32}
_COMPLETE = ("sp", "rsp")
"""Packets of either direction: a flow without one of them is not complete."""


@dataclass(frozen=True)
class FlowSet:
    """Flows in rows.

    Attributes
    ----------
    name:
        The files it was read from, for errors.
    features:
        Names of the columns of X.
    X:
        Features, integers.
    sender, label, sublabel:
        Texts, one a flow.
    prefix:
        0, or the number of the packet that flows are as they were at.
    """

    name: str
    features: tuple[str, ...]
    X: NDArray[np.int64]
    sender: NDArray[np.str_]
    label: NDArray[np.str_]
    sublabel: NDArray[np.str_]
    prefix: int = 0

    def __len__(self) -> int:
        return len(self.X)

    def columns(self, names: Sequence[str]) -> NDArray[np.int64]:
        """The named features, in that order."""
        return self.X[:, [self.features.index(name) for name in names]]

    def of_features(self, names: Sequence[str]) -> "FlowSet":
        """The same flows with these features alone."""
        return replace(self, features=tuple(names), X=self.columns(names))

    @property
    def is_spam(self) -> NDArray[np.bool_]:
        return np.isin(self.label, SPAM)

    @property
    def is_background(self) -> NDArray[np.bool_]:
        """Flows that teach what is no spam."""
        return np.isin(self.label, LEGITIMATE)

    @property
    def is_legitimate(self) -> NDArray[np.bool_]:
        """Flows that must not raise an alarm: background, and greylisted first attempts of legitimate senders."""
        return self.is_background | (self.label == "other") & np.char.startswith(self.sublabel, "greylist")

    @property
    def y(self) -> NDArray[np.int64]:
        """+1 spam, −1 background, 0 neither: what accuracy is measured on."""
        return self.is_spam.astype(np.int64) - self.is_background

    @property
    def target(self) -> NDArray[np.int64]:
        """+1 spam, −1 legitimate, 0 neither: what is taught, so that greylisted attempts are told from spam."""
        return self.is_spam.astype(np.int64) - self.is_legitimate

    @property
    def senders(self) -> int:
        return len(np.unique(self.sender))

    def select(self, rows: NDArray) -> "FlowSet":
        of_flows = {name: getattr(self, name)[rows] for name in ("X", *_TEXT)}
        return replace(self, **of_flows)

    @classmethod
    def joined(cls, parts: "Sequence[FlowSet]") -> "FlowSet":
        """The flows of all parts, which must be of the same features and of the same prefix."""
        for part in parts:
            if part.prefix != parts[0].prefix:
                raise InputError(
                    f"{part.name}: must hold {said_of(parts[0].prefix)} as the files before, not {said_of(part.prefix)}"
                )
        of_flows = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ("X", *_TEXT)}
        return replace(parts[0], name=", ".join(part.name for part in parts), **of_flows)

    @property
    def teaching(self) -> "FlowSet":
        """The flows that are spam or legitimate."""
        return self.select(self.target != 0)


def read_flow_set(
    paths: Sequence[Path], features: tuple[str, ...], ports: frozenset[int] | None, directions: str = "both"
) -> FlowSet:
    """The labelled, complete flows of files that ``training flows`` wrote.

    Complete: a packet with SYN was seen, and packets in both directions (forward only: in the forward one), two in all.
    """
    needed = tuple(dict.fromkeys((*_TEXT, *_INTEGERS, *_COMPLETE, *features)))
    widths = _INTEGERS | {name: CATALOGUE[name].bits for name in (*_COMPLETE, *features)}
    texts, rows, found, prefix = [], [], 0, None
    for path in paths:
        for place, row in read_flow_rows(Path(path), needed):
            found += 1
            if row["label"] not in ("", *LABELS):
                raise InputError(f"{place}: label must be one of {', '.join(LABELS)}, not {row['label']!r}")
            of_row = _unsigned(place, PREFIX_COLUMN, row.get(PREFIX_COLUMN, 0), 8)
            prefix = of_row if prefix is None else prefix
            if of_row != prefix:
                raise InputError(f"{place}: must hold {said_of(prefix)} as the rows before, not {said_of(of_row)}")
            values = {name: _unsigned(place, name, row[name], bits) for name, bits in widths.items()}
            if ports is not None and ports.isdisjoint((values["client_port"], values["server_port"])):
                raise InputError(f"{place}: flow must be of a port of --ports, not {values['server_port']}")
            both_ways = values["sp"] and (directions == "forward" or values["rsp"])
            if row["label"] and values["syn_seen"] and both_ways and values["packets"] >= 2:
                texts.append([row[name] for name in _TEXT])
                rows.append([values[name] for name in features])
    name = ", ".join(map(str, paths))
    if not rows:
        raise InputError(f"{name}: must hold labelled, complete flows, but none of {found} is both")
    sender, label, sublabel = (np.array(column, str) for column in zip(*texts, strict=True))
    return FlowSet(name, features, np.array(rows, np.int64), sender, label, sublabel, prefix)


def said_of(prefix: int) -> str:
    """What flows of a prefix are, in words."""
    return f"flows at their packet {prefix}" if prefix else "whole flows"


def _unsigned(place: str, name: str, value: str | int | None, bits: int) -> int:
    # int() alone would also take "1_000" and, from Parquet, 12.5.
    is_number = value.isascii() and value.isdigit() if isinstance(value, str) else isinstance(value, int)
    number = int(value) if is_number else -1
    if value in ("", None):
        raise InputError(f"{place}: {name} is absent from this flow")
    if not 0 <= number < 1 << bits:
        raise InputError(f"{place}: {name} must be an integer from 0 to {(1 << bits) - 1}, not {value!r}")
    return number


def split_senders(flows: FlowSet, shares: Sequence[int], seed: int) -> list[FlowSet]:
    """Parts that share no sender, in these proportions; of senders of each class every part gets its share."""
    return [flows.select(rows) for rows in sender_parts(flows, shares, seed)]


def sender_parts(flows: FlowSet, shares: Sequence[int], seed: int) -> list[NDArray[np.int64]]:
    """The rows of the parts of :func:`split_senders`."""
    labels: dict[str, Counter[str]] = defaultdict(Counter)
    for sender, label in zip(flows.sender.tolist(), flows.label.tolist(), strict=True):
        labels[sender][label] += 1
    classes: dict[str, list[str]] = defaultdict(list)
    for sender in sorted(labels):
        counts = labels[sender]
        classes[min(counts, key=lambda label: (-counts[label], label))].append(sender)
    turns = [part for part, share in enumerate(shares) for _ in range(share)]
    generator = np.random.default_rng(seed)
    part_of = {}
    for label in sorted(classes):
        for turn, sender in enumerate(generator.permutation(classes[label]).tolist()):
            part_of[sender] = turns[turn % len(turns)]
    parts = np.array([part_of[sender] for sender in flows.sender.tolist()])
    return [np.flatnonzero(parts == part) for part in range(len(shares))]
