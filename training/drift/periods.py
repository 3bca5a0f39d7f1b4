"""Periods: flows in the order of time, some of whose spam may have been turned into simulated attacks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from compiler.errors import InputError

from ..attacks import ATTACKS, ham_lengths, mixed_in
from ..flow_set import FlowSet
from ..labelled_capture import LabelledCapture

__all__ = ["Period", "apart", "attacked_source", "cut", "draw_senders", "first_only"]


@dataclass(frozen=True)
class Period:
    """Flows of one period.

    Attributes
    ----------
    attacked:
        By attack, the rows of its flows.
    before:
        By attack, the same flows as they were captured.
    """

    name: str
    flows: FlowSet
    attacked: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    before: Mapping[str, FlowSet] = field(default_factory=dict)


def cut(
    name: str, flows: FlowSet, count: int, begins: Sequence[float] | None = None
) -> tuple[list[Period], list[float]]:
    """Periods of equally many flows, by the times they began at; and the times at which the later ones begin.

    With ``begins`` the periods are those.
    """
    if begins is None:
        ordered = np.sort(flows.start_s)
        begins = [float(part[0]) for part in np.array_split(ordered, count)[1:] if len(part)]
    number = np.searchsorted(np.array(begins), flows.start_s, "right")
    periods: list[Period] = []
    for at in range(count):
        title = name if count == 1 else f"{name} {at + 1}"
        rows = np.flatnonzero(number == at)
        if not len(rows):
            raise InputError(f"{name}: has too few flows, or too many at the same time, for {count} periods")
        periods.append(Period(title, replace(flows.select(rows), name=title)))
    return periods, begins


def apart(source: str, period: Period) -> Period:
    """The period with senders that are those of this source, whoever has their addresses elsewhere."""

    def named(flows: FlowSet) -> FlowSet:
        return replace(flows, sender=np.char.add(f"{source} ", flows.sender))

    before = {name: named(flows) for name, flows in period.before.items()}
    return replace(period, flows=named(period.flows), before=before)


def draw_senders(flows: FlowSet, shares: Mapping[str, float], seed: int) -> dict[str, frozenset[str]]:
    """For every attack so large a share of the senders all of whose flows are spam, no sender twice."""
    spam = np.unique(flows.sender[flows.is_spam])
    only_spam = np.setdiff1d(spam, flows.sender[~flows.is_spam])
    order, taken, found = np.random.default_rng(seed).permutation(only_spam).tolist(), 0, {}
    for name, share in shares.items():
        number = max(1, round(share * len(order)))
        found[name] = frozenset(order[taken : taken + number])
        taken += number
        if taken > len(order) or not found[name]:
            raise InputError(
                f"{flows.name}: only {len(order)} senders have sent nothing but spam, too few for --attack"
            )
    return found


def attacked_source(
    capture: LabelledCapture,
    features: tuple[str, ...],
    directions: str,
    count: int,
    shares: Mapping[str, float],
    seed: int,
    *,
    spared: int,
) -> list[Period]:
    """The periods of a capture with these attacks in all but the first ``spared`` ones."""
    flows = capture.flows(features, directions)
    periods, begins = cut(capture.name, flows, count)
    if not shares or spared >= count:
        return periods
    senders_of = draw_senders(flows, shares, seed)
    hams = ham_lengths(capture.logs, capture.labels)
    if "pad" in shares and not hams:
        raise InputError(f"{capture.name}: no flow is labelled ham, which --attack pad needs")
    changed = capture.flows(features, directions, seen_by=mixed_in(senders_of, hams, seed))
    after, _ = cut(capture.name, changed, count, begins)
    return [
        period if at < spared else _with_attacks(period, of_attack, senders_of)
        for at, (period, of_attack) in enumerate(zip(periods, after, strict=True))
    ]


def _with_attacks(period: Period, after: Period, senders_of: Mapping[str, frozenset[str]]) -> Period:
    flows = after.flows
    label, sublabel = flows.label.copy(), flows.sublabel.astype("U32")
    attacked, before = {}, {}
    for name, senders in senders_of.items():
        chosen = np.isin(flows.sender, sorted(senders))
        attacked[name] = np.flatnonzero(chosen)
        before[name] = period.flows.select(np.isin(period.flows.sender, sorted(senders)))
        if not ATTACKS[name].is_spam:
            label = np.where(chosen, "other", label)
        sublabel[chosen] = f"attack {name}"
    return replace(after, flows=replace(flows, label=label, sublabel=sublabel), attacked=attacked, before=before)


def first_only(periods: Sequence[Period]) -> tuple[list[Period], int]:
    """The periods without the flows that have been in one before, and how many those are."""
    seen: NDArray = np.zeros(0, np.int64)
    found, repeated = [], 0
    for period in periods:
        again = np.isin(period.flows.identity, seen) | ~period.flows.is_first
        seen = np.append(seen, period.flows.identity)
        repeated += int(np.sum(again))
        if again.all():
            raise InputError(f"{period.name}: all of its flows are in an earlier period")
        found.append(period if not again.any() else replace(period, flows=period.flows.select(~again), attacked={}))
    return found, repeated
