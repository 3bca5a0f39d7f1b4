"""Probe plan: everything a probe is built from, for a forest on a board."""

from boards import Board
from hdl.entry_layout import WORD_BITS, EntryLayout
from hdl.features import FeatureSource
from hdl.flow_table import FlowTableParameters
from hdl.ipfix import MAX_RECORD_WORDS
from hdl.probe import ProbeParameters

from .errors import InputError
from .export_fields import export_messages
from .features import CATALOGUE, MEAN_FRACTION_BITS, Feature, accumulators_of
from .forest import Forest
from .forest_plan import ForestPlan

__all__ = ["WAYS", "entry_layout", "feature_source", "probe_parameters"]

WAYS = 4
"""Of every flow table."""

_IN_HARDWARE = {"count": "value", "min": "value", "max": "value", "any": "any", "mean": "mean", "duration": "duration"}


def entry_layout(forest: Forest) -> EntryLayout:
    """What the flow table keeps for a forest."""
    for name in forest.feature_names:
        feature = CATALOGUE[name]
        if feature.statistic not in _IN_HARDWARE:
            raise InputError(f"forest {forest.name!r}: feature {name!r} ({feature.statistic}) has no circuit yet")
        for accumulator in feature.needs:
            if accumulator.width > WORD_BITS:
                raise InputError(f"forest {forest.name!r}: feature {name!r} needs {accumulator.width} bits, not 32")
    layout = EntryLayout(accumulators_of(forest.feature_names))
    if layout.record_words > MAX_RECORD_WORDS:
        raise InputError(
            f"forest {forest.name!r}: its features need records of {layout.record_words} words, "
            f"at most {MAX_RECORD_WORDS} fit"
        )
    return layout


def probe_parameters(forest: Forest, board: Board, plan: ForestPlan, build_id: str) -> ProbeParameters:
    """The probe for a forest on a board; ``build_id`` is 8 hexadecimal digits that its records carry."""
    layout = entry_layout(forest)
    return ProbeParameters(
        table=FlowTableParameters(
            sets=board.table_entries // WAYS,
            ways=WAYS,
            layout=layout,
            ports=forest.ports,
            first_seen=forest.orientation == "first",
            whole_singles=forest.min_packets == 1,
        ),
        forest=plan.circuit,
        sources=tuple(feature_source(CATALOGUE[name]) for name in forest.feature_names),
        fraction=MEAN_FRACTION_BITS,
        both_directions=forest.directions == "both",
        min_packets=forest.min_packets,
        export=export_messages(
            layout,
            forest_id=int(forest.id, 16),
            build_id=int(build_id, 16),
            monitor_only=forest.monitor_only,
            loadable=plan.loadable,
        ),
        loadable=plan.loadable,
    )


def feature_source(feature: Feature) -> FeatureSource:
    """How the circuit makes a feature."""
    accumulator, count = (*feature.needs, None, None)[:2]
    return FeatureSource(_IN_HARDWARE[feature.statistic], accumulator, feature.response, feature.bits, count)
