"""Study: the sources of a report, and what is computed from them, each once, by the modules of the other commands."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from compiler.errors import InputError
from compiler.features import CATALOGUE

from ..cross_fitting import require_both
from ..evaluation import Case, cases_of, needed_features
from ..feature_choice import chosen_features
from ..fitting import FitParameters
from ..flow_file import read_flow_rows
from ..flow_set import FlowSet, read_flow_set
from ..leaks import Leak, leaks_of
from ..source_table import Source, read_source
from ..subclasses import MOST_CLUSTERS, Separation, Subclasses, find_subclasses, separation
from ..universal import CANDIDATES, Ranked, rank_features
from .captured import Captured, captured_of

__all__ = ["SHAPE", "Study", "StudySource", "read_study_source"]

_COUNTS = ("sp", "rsp")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
"""It becomes part of the names of files."""

SHAPE = chosen_features("shape", "forward")
"""What spam is clustered by, as ``training subclasses`` does it."""


@dataclass(frozen=True)
class StudySource:
    """A source with its labelled flows, which have packets of the client and may have some of the server.

    Attributes
    ----------
    table:
        What all rows of its file hold.
    flows:
        The labelled, complete ones with all the features that every one has.
    rows, packets:
        Of its file, labelled or not.
    captured:
        What the capture held that it was measured from, if that is known.
    """

    table: Source
    flows: FlowSet
    rows: int
    packets: int
    captured: Captured | None = None

    @property
    def both_ways(self) -> FlowSet:
        """The flows with packets in both directions."""
        return self.flows.select(self.flows.columns(_COUNTS)[:, 1] > 0)

    def require(self, features: tuple[str, ...]) -> None:
        """Refuse the source for what needs features that it does not carry."""
        if absent := [name for name in features if name not in self.flows.features]:
            raise InputError(f"{self.table.path}: its flows do not carry {', '.join(absent)}")


def read_study_source(
    name: str,
    path: Path,
    ports: frozenset[int] | None,
    capture: Path | None = None,
    warn: Callable[[object], None] = lambda _: None,
) -> StudySource:
    """Read a file of flows; it must hold spam and legitimate flows of several senders each."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name!r}: name of a source must be letters, digits, '.', '_' and '-', so give it one: NAME=FILE"
        )
    table = read_source(name, path)
    carried = tuple(feature for feature in CATALOGUE if feature not in (*table.absent, *table.partly))
    if absent := [feature for feature in _COUNTS if feature not in carried]:
        raise InputError(f"{path}: its flows do not carry {' and '.join(absent)}")
    flows = read_flow_set([path], carried, ports, "forward")
    require_both(flows)
    of_rows = [int(row["packets"]) for _, row in read_flow_rows(path, ("packets",))]
    captured = None if capture is None else captured_of(capture, ports, warn)
    if captured is not None and captured.frames != sum(of_rows):
        raise InputError(f"{capture}: holds {captured.frames} tracked packets, but the flows of {path} {sum(of_rows)}")
    return StudySource(table, flows, len(of_rows), sum(of_rows), captured)


@dataclass(frozen=True, eq=False)
class Study:
    """What a report is about; all figures are those of ``subclasses``, ``universal`` and ``evaluate``.

    Attributes
    ----------
    sources:
        By name, one or two.
    parameters:
        Of the forests.
    features:
        That they and their rivals see.
    folds, most:
        Of senders for the subclasses, and most clusters.
    tell:
        Called with what is being done.
    """

    sources: Mapping[str, StudySource]
    parameters: FitParameters
    features: tuple[str, ...]
    repeats: int = 1
    folds: int = 10
    most: int = MOST_CLUSTERS
    tell: Callable[[str], None] = lambda _: None
    _subclasses: dict[str, Subclasses] = field(default_factory=dict)
    _separations: dict[str, Separation] = field(default_factory=dict)

    def require(self, features: tuple[str, ...]) -> None:
        """Refuse what needs features that a source does not carry."""
        for source in self.sources.values():
            source.require(features)

    def subclasses(self, name: str) -> Subclasses:
        """Of the spam of a source."""
        if name not in self._subclasses:
            self.sources[name].require(SHAPE)
            self.tell(f"clusters of {name}")
            flows = self.sources[name].flows.of_features(SHAPE)
            seed = self.parameters.seed
            self._subclasses[name] = find_subclasses(flows, seed, folds=self.folds, most=self.most)
        return self._subclasses[name]

    def separation(self, name: str) -> Separation:
        """Of the subclasses of a source from class 0."""
        if name not in self._separations:
            found = self.subclasses(name)
            self.tell(f"separation tree of {name}")
            flows = self.sources[name].flows.of_features(SHAPE)
            self._separations[name] = separation(flows, found, self.parameters.seed, folds=self.folds)
        return self._separations[name]

    @cached_property
    def ranked(self) -> list[Ranked]:
        """All features, by eq. 4 over the sources there are."""
        self.require(CANDIDATES)
        self.tell("importance of features")
        return rank_features({name: source.both_ways.of_features(CANDIDATES) for name, source in self.sources.items()})

    @cached_property
    def cases(self) -> list[Case]:
        """Forest and rivals on senders and sources that they have not seen."""
        return cases_of(self._evaluated, self.parameters, self.features, self.repeats, self.tell)

    @cached_property
    def leaks(self) -> list[Leak]:
        found = []
        for name, flows in self._evaluated.items():
            self.tell(f"leak tests of {name}")
            found += leaks_of(name, flows, self.parameters, self.features)
        return found

    @cached_property
    def _evaluated(self) -> dict[str, FlowSet]:
        needed = needed_features(self.features)
        self.require(needed)
        return {name: source.flows.of_features(needed) for name, source in self.sources.items()}
