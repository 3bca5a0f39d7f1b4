"""FlowSet: labelled flows as arrays, who sent them, and which of them may teach or be judged."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from compiler.errors import InputError
from compiler.features import CATALOGUE

from .flow_chunks import FlowChunk, read_flow_chunks
from .flow_file import PREFIX_COLUMN
from .labels import LABELS

__all__ = ["LEGITIMATE", "SPAM", "FlowSet", "read_flow_set", "said_of", "sender_parts", "split_senders"]

SPAM = ("dnsbl", "spam")
LEGITIMATE = ("ham", "outgoing", "submission")

_TEXT = ("sender", "label", "sublabel")
_OF_FLOWS = ("X", *_TEXT, "start_s", "identity")
_ADDRESSES = ("client_ip", "server_ip")
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
    start_s:
        When each began, seconds since 1970; None where that is not known.
    identity:
        The same number for flows of the same endpoints that began in the same microsecond, and hardly for others.
    """

    name: str
    features: tuple[str, ...]
    X: NDArray[np.int64]
    sender: NDArray[np.str_]
    label: NDArray[np.str_]
    sublabel: NDArray[np.str_]
    prefix: int = 0
    start_s: NDArray[np.float64] | None = None
    identity: NDArray[np.int64] | None = None

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
        return replace(self, **{name: column[rows] for name, column in self._of_flows.items()})

    @property
    def _of_flows(self) -> dict[str, NDArray]:
        columns = {name: getattr(self, name) for name in _OF_FLOWS}
        return {name: column for name, column in columns.items() if column is not None}

    @property
    def is_first(self) -> NDArray[np.bool_]:
        """Whether no flow before it has the same endpoints and began at the same time."""
        first = np.zeros(len(self), bool)
        first[np.unique(self.identity, return_index=True)[1]] = True
        return first

    @classmethod
    def joined(cls, parts: "Sequence[FlowSet]") -> "FlowSet":
        """The flows of all parts, which must be of the same features and of the same prefix."""
        for part in parts:
            if part.prefix != parts[0].prefix:
                raise InputError(
                    f"{part.name}: must hold {said_of(parts[0].prefix)} as the files before, not {said_of(part.prefix)}"
                )
        known = set.intersection(*(set(part._of_flows) for part in parts))
        absent = dict.fromkeys(set(_OF_FLOWS) - known)
        of_flows = absent | {name: np.concatenate([getattr(part, name) for part in parts]) for name in known}
        return replace(parts[0], name=", ".join(part.name for part in parts), **of_flows)

    @property
    def teaching(self) -> "FlowSet":
        """The flows that are spam or legitimate."""
        return self.select(self.target != 0)


def read_flow_set(
    paths: Sequence[Path],
    features: tuple[str, ...],
    ports: frozenset[int] | None,
    directions: str = "both",
    *,
    labelled: bool = True,
) -> FlowSet:
    """The labelled, complete flows of files that ``training flows`` wrote; with ``labelled=False`` the others too.

    Complete: a packet with SYN was seen, and packets in both directions (forward only: in the forward one), two in all.
    """
    needed = tuple(dict.fromkeys((*_TEXT, "t_start", *_ADDRESSES, *_INTEGERS, *_COMPLETE, *features)))
    parts, found, prefix = [], 0, None
    for path in paths:
        for chunk in read_flow_chunks(Path(path), needed, (PREFIX_COLUMN,)):
            found += len(chunk)
            of_chunk = _prefix_of(chunk, prefix)
            prefix = of_chunk if prefix is None else prefix
            parts.append(_flows_of(chunk, features, ports, directions, labelled))
    name = ", ".join(map(str, paths))
    if not any(map(len, parts)):
        kind = "labelled, complete flows" if labelled else "complete flows"
        raise InputError(f"{name}: must hold {kind}, but none of {found} is {'both' if labelled else 'that'}")
    return replace(FlowSet.joined(parts), name=name, prefix=prefix)


def _prefix_of(chunk: FlowChunk, before: int | None) -> int:
    prefixes = chunk.unsigned(PREFIX_COLUMN, 8) if PREFIX_COLUMN in chunk.columns else np.zeros(len(chunk), np.int64)
    before = int(prefixes[0]) if before is None else before
    for at in np.flatnonzero(prefixes != before)[:1].tolist():
        raise InputError(
            f"{chunk.place(at)}: must hold {said_of(before)} as the rows before, not {said_of(int(prefixes[at]))}"
        )
    return before


def _flows_of(
    chunk: FlowChunk, features: tuple[str, ...], ports: frozenset[int] | None, directions: str, labelled: bool
) -> FlowSet:
    labels = chunk.text("label")
    if unknown := set(labels) - {"", *LABELS}:
        at = next(at for at, label in enumerate(labels) if label in unknown)
        raise InputError(f"{chunk.place(at)}: label must be one of {', '.join(LABELS)}, not {labels[at]!r}")
    widths = _INTEGERS | {name: CATALOGUE[name].bits for name in (*_COMPLETE, *features)}
    values = {name: chunk.unsigned(name, bits) for name, bits in widths.items()}
    if ports is not None:
        numbers = list(ports)
        outside = ~(np.isin(values["client_port"], numbers) | np.isin(values["server_port"], numbers))
        for at in np.flatnonzero(outside)[:1].tolist():
            raise InputError(
                f"{chunk.place(at)}: flow must be of a port of --ports, not {int(values['server_port'][at])}"
            )
    texts = {name: np.array(chunk.text(name), str) for name in _TEXT}
    complete = (values["syn_seen"] > 0) & (values["sp"] > 0) & (values["packets"] >= 2)
    if directions != "forward":
        complete &= values["rsp"] > 0
    if labelled:
        complete &= texts["label"] != ""
    start_s = chunk.seconds("t_start")
    ends = (values["client_port"].tolist(), values["server_port"].tolist(), *map(chunk.text, _ADDRESSES))
    # Only whether two are equal matters, so Python's own hash, which is another one in every run, will do.
    identity = np.array(list(map(hash, zip(np.round(start_s * 1e6).tolist(), *ends, strict=True))), np.int64)
    whole = FlowSet(
        "", features, np.column_stack([values[name] for name in features]), **texts, start_s=start_s, identity=identity
    )
    return whole.select(complete)


def said_of(prefix: int) -> str:
    """What flows of a prefix are, in words."""
    return f"flows at their packet {prefix}" if prefix else "whole flows"


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
