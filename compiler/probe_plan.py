"""Probe plan: everything a probe is built from, for a forest on a board."""

from boards import Board
from hdl.entry_layout import EntryLayout
from hdl.features import FeatureSource
from hdl.flow_table import FlowTableParameters
from hdl.probe import ProbeParameters

from .errors import InputError
from .export_fields import export_messages
from .features import CATALOGUE, MEAN_FRACTION_BITS, Feature, accumulators_of
from .forest import Forest
from .forest_plan import ForestPlan
from .probe_options import NO_OPTIONS, ProbeOptions

__all__ = ["WAYS", "entry_layout", "feature_source", "probe_parameters"]

WAYS = 4
"""Of every flow table."""

ENTRY_WORDS = 32
"""Of the entries that a board says how many it holds of; of larger ones it holds fewer."""

_VALUES = ("count", "sum", "min", "max")
"""Statistics that are what an accumulator holds."""


def entry_layout(forest: Forest, options: ProbeOptions = NO_OPTIONS) -> EntryLayout:
    """What the flow table keeps for a forest."""
    return EntryLayout(accumulators_of(forest.feature_names), anonymised=options.anonymise)


def probe_parameters(
    forest: Forest, board: Board, plan: ForestPlan, build_id: str, options: ProbeOptions = NO_OPTIONS
) -> ProbeParameters:
    """The probe for a forest on a board; ``build_id`` is 8 hexadecimal digits that its records carry."""
    _check_early(forest, options)
    layout = entry_layout(forest, options)
    return ProbeParameters(
        table=FlowTableParameters(
            sets=board.table_entries * ENTRY_WORDS // max(layout.stride, ENTRY_WORDS) // WAYS,
            ways=WAYS,
            layout=layout,
            ports=forest.ports,
            first_seen=forest.orientation == "first",
            early=options.early,
            whole_singles=options.short_records or forest.min_packets == 1,
        ),
        forest=plan.circuit,
        sources=tuple(feature_source(CATALOGUE[name]) for name in forest.feature_names),
        fraction=MEAN_FRACTION_BITS,
        both_directions=forest.directions == "both",
        min_packets=forest.min_packets,
        short_records=options.short_records,
        export=export_messages(
            layout,
            forest_id=int(forest.id, 16),
            build_id=int(build_id, 16),
            monitor_only=forest.monitor_only,
            loadable=plan.loadable,
            early=options.early > 0,
        ),
        wait=board.waits,
        checksum=options.ip_checksum,
        pipeline=board.pipeline,
        loadable=plan.loadable,
    )


def _check_early(forest: Forest, options: ProbeOptions) -> None:
    if options.early == forest.prefix:
        return
    judges = f"the first {forest.prefix} packets of flows" if forest.prefix else "whole flows"
    asked = f"with --early {forest.prefix}" if forest.prefix else "without --early"
    raise InputError(f"forest {forest.name!r}: judges {judges}; export it {asked}")


def feature_source(feature: Feature) -> FeatureSource:
    """How the circuit makes a feature."""
    statistic = "value" if feature.statistic in _VALUES else feature.statistic
    squares, *needs = feature.needs if statistic == "variance" else (None, *feature.needs)
    accumulator, count = (*needs, None, None)[:2]
    return FeatureSource(statistic, accumulator, feature.response, feature.bits, count, squares)
