"""How a forest does on what other taps would have seen, and on flows that are still going on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .cross_fitting import FOLDS, cross_scores
from .detection import detection_at
from .disturbances import DISTURBANCES
from .fitting import FitParameters, fit_forest, vote_learner
from .flow_set import FlowSet, sender_parts
from .labelled_capture import LabelledCapture
from .operating_point import FalseAlarms, count_false_alarms

__all__ = ["Early", "Seen", "early_verdicts", "seen_by_others"]

_PACKETS = ("sp", "rsp")


@dataclass(frozen=True)
class Seen:
    """What forests that learnt from whole flows of other senders say of flows as another tap sees them.

    Attributes
    ----------
    flows:
        Labelled flows that are left.
    undecided:
        Share of them that a probe leaves UNCERTAIN without asking the forest: no SYN, too few packets or one side.
    caught, false_alarms:
        Spam called SPAM of all spam that was captured, and alarms, by that rule.
    caught_if_judged, false_alarms_if_judged:
        Of the flows that are left, if the forest were asked about every one that has a packet of the client.
    """

    name: str
    flows: int
    undecided: float
    caught: float
    false_alarms: FalseAlarms
    caught_if_judged: float
    false_alarms_if_judged: FalseAlarms


@dataclass(frozen=True)
class Early:
    """Forests that are bound to a packet number.

    Attributes
    ----------
    open:
        Share of flows that have more packets.
    accuracy:
        Balanced accuracy of eq. 5 without a band.
    detection:
        Spam caught at the budget.
    alarms:
        False alarms per 10 000 without a band.
    whole_accuracy, whole_alarms:
        The same of a forest of whole flows that is asked at this packet, as a probe refuses to.
    """

    packet: int
    open: float
    accuracy: float
    detection: float
    alarms: float
    whole_accuracy: float
    whole_alarms: float


def seen_by_others(
    capture: LabelledCapture,
    features: tuple[str, ...],
    parameters: FitParameters,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Seen]:
    """A row for each of the disturbances."""
    whole = capture.flows(features, parameters.directions)
    fold_of, forests = {}, []
    for number, rows in enumerate(sender_parts(whole, (1,) * FOLDS, parameters.seed)):
        tell(f"learning, fold {number + 1} of {FOLDS}")
        fold_of |= dict.fromkeys(whole.sender[rows].tolist(), number)
        rest = whole.select(np.setdiff1d(np.arange(len(whole)), rows))
        forests.append(fit_forest(rest, parameters).forest)

    def verdicts(flows: FlowSet) -> NDArray[np.int64]:
        fold = np.array([fold_of.get(sender, -1) for sender in flows.sender.tolist()])
        said = np.zeros(len(flows), np.int64)
        for number, forest in enumerate(forests):
            said[fold == number] = forest.decide(flows.columns(forest.feature_names)[fold == number])
        return said

    spam = int(np.sum(whole.is_spam))
    found = []
    for name, seen_by in DISTURBANCES.items():
        tell(name)
        judged = capture.flows(features, parameters.directions, seen_by=seen_by)
        everything = capture.flows(features, parameters.directions, seen_by=seen_by, judge_all=True)
        count = 0 if everything is None else len(everything)
        decided = 0 if judged is None else len(judged)
        asked, all_asked = (None if flows is None else verdicts(flows) for flows in (judged, everything))
        found.append(
            Seen(
                name=name,
                flows=count,
                undecided=1 - decided / count if count else 1.0,
                caught=_caught(judged, asked) / spam,
                false_alarms=_alarms(judged, asked),
                caught_if_judged=_caught(everything, all_asked) / spam,
                false_alarms_if_judged=_alarms(everything, all_asked),
            )
        )
    return found


def _caught(flows: FlowSet | None, said: NDArray | None) -> int:
    return 0 if flows is None else int(np.sum(said[flows.is_spam] == 1))


def _alarms(flows: FlowSet | None, said: NDArray | None) -> FalseAlarms:
    if flows is None:
        return count_false_alarms(np.zeros(0, bool), np.zeros(0, str))
    legitimate = flows.is_legitimate
    return count_false_alarms(said[legitimate] == 1, flows.sender[legitimate])


def early_verdicts(
    capture: LabelledCapture,
    features: tuple[str, ...],
    parameters: FitParameters,
    packets: Sequence[int],
    tell: Callable[[str], None] = lambda _: None,
) -> list[Early]:
    """A row for each packet number, and one for whole flows, whose number is 0."""
    counted = tuple(dict.fromkeys((*features, *_PACKETS)))
    whole = capture.flows(counted, "both")
    lengths = whole.columns(_PACKETS).sum(axis=1)
    learner = vote_learner(parameters)
    parts = sender_parts(whole, (1,) * FOLDS, parameters.seed)
    fold_of = {sender: at for at, rows in enumerate(parts) for sender in whole.sender[rows].tolist()}
    learnt = whole.of_features(features)
    judges = [learner(learnt.select(np.setdiff1d(np.arange(len(learnt)), rows))) for rows in parts]
    found = []
    for packet in (*packets, 0):
        tell(f"flows at packet {packet}" if packet else "whole flows")
        flows = capture.flows(features, "both", prefix=packet) if packet else learnt
        scores = cross_scores(flows, learner, parameters.seed)
        fold = np.array([fold_of.get(sender, -1) for sender in flows.sender.tolist()])
        of_whole = np.zeros(len(flows))
        for at, judge in enumerate(judges):
            rows = np.flatnonzero(fold == at)
            of_whole[rows] = judge(flows.select(rows))
        found.append(
            Early(
                packet=packet,
                open=float(np.mean(lengths > packet)) if packet else 0.0,
                accuracy=_accuracy(flows, scores),
                detection=detection_at(scores[flows.is_spam], scores[flows.is_legitimate], parameters.budget),
                alarms=_rate(flows, scores),
                whole_accuracy=_accuracy(flows, of_whole),
                whole_alarms=_rate(flows, of_whole),
            )
        )
    return found


def _accuracy(flows: FlowSet, scores: NDArray) -> float:
    return float(np.mean([np.mean(scores[flows.y == 1] > 0), np.mean(scores[flows.y == -1] <= 0)]))


def _rate(flows: FlowSet, scores: NDArray) -> float:
    legitimate = flows.is_legitimate
    return count_false_alarms(scores[legitimate] > 0, flows.sender[legitimate]).rate
