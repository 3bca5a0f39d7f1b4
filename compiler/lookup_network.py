"""The stages of tables and the network of a forest some of whose comparisons are looked up in block RAM."""

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hdl.forest_network import add_trees, forest_network
from hdl.forest_parameters import ForestParameters
from hdl.lookup_pipeline import LookupStage
from hdl.lut_network import LutNetwork, NetworkBuilder
from hdl.threshold_network import add_thresholds

from .feature_tables import FeatureTables

__all__ = ["Looked", "with_tables"]


class Looked(NamedTuple):
    """A forest with some comparisons in block RAM: the stages, and the network that reads their outputs."""

    stages: tuple[LookupStage, ...]
    network: LutNetwork


def with_tables(parameters: ForestParameters, chosen: Sequence[FeatureTables | None]) -> Looked:
    """The stages and the network of a forest, not optimised yet; no stages where nothing was chosen."""
    tables = {feature: tables for feature, tables in enumerate(chosen) if tables is not None}
    if not tables:
        return Looked((), forest_network(parameters))
    first_stage, layout = _first_stage(parameters, tables)
    stages = [first_stage]
    if any(choice.low for choice in tables.values()):
        stage, layout = _second_stage(parameters, tables, layout)
        stages.append(stage)
    return Looked(tuple(stages), _network(parameters, tables, layout, stages[-1].outputs))


_Layout = Mapping[tuple[str, int], range]
"""Which outputs of a stage are what: ``bits``, ``over``, ``word`` or ``answers`` of a feature."""


def _first_stage(parameters: ForestParameters, tables: Mapping[int, FeatureTables]) -> tuple[LookupStage, _Layout]:
    builder = NetworkBuilder(sum(parameters.feature_widths))
    features = _placed(parameters.feature_widths, builder.inputs.start)
    roms, addresses, words = [], [], {}
    for feature, choice in tables.items():
        address = choice.first_address(builder, features[feature])
        words["word" if choice.low else "answers", feature] = found = choice.first_tables(f"feature {feature}")
        roms += found
        addresses += address * len(found)
    passing: dict[tuple[str, int], list[int]] = {}
    for feature, bits in enumerate(features):
        choice = tables.get(feature)
        if set(parameters.thresholds_of(feature)) - set(choice.thresholds if choice else ()):
            passing["bits", feature] = list(bits)
        elif choice and choice.low:
            passing["bits", feature] = list(bits[: choice.low])
        if choice and choice.low and choice.has_over and not choice.clamped:
            passing["over", feature] = [choice.over(builder, bits)]
    network = builder.network([*addresses, *itertools.chain.from_iterable(passing.values())])
    return LookupStage(network, tuple(roms)), _layout(words, passing)


def _second_stage(
    parameters: ForestParameters, tables: Mapping[int, FeatureTables], layout: _Layout
) -> tuple[LookupStage, _Layout]:
    builder = NetworkBuilder(sum(map(len, layout.values())))

    def nodes(*name) -> list[int]:
        return [builder.inputs[at] for at in layout[name]]

    roms, addresses, words = [], [], {}
    for feature, choice in tables.items():
        if choice.low:
            over = nodes("over", feature)[0] if ("over", feature) in layout else None
            low_bits = nodes("bits", feature)[: choice.low]
            address = choice.second_address_from(builder, nodes("word", feature), low_bits, over)
            words["answers", feature] = found = choice.second_tables(f"feature {feature}")
            roms += found
            addresses += address * len(found)
    passing: dict[tuple[str, int], list[int]] = {}
    for kind, feature in layout:
        choice = tables.get(feature)
        needed = set(parameters.thresholds_of(feature)) - set(choice.thresholds if choice else ())
        if kind == "answers" or (kind == "bits" and needed):
            passing[kind, feature] = nodes(kind, feature)
    network = builder.network([*addresses, *itertools.chain.from_iterable(passing.values())])
    return LookupStage(network, tuple(roms)), _layout(words, passing)


def _network(
    parameters: ForestParameters, tables: Mapping[int, FeatureTables], layout: _Layout, inputs: int
) -> LutNetwork:
    builder = NetworkBuilder(inputs)
    at_most: dict[tuple[int, int], int] = {}
    for feature in range(len(parameters.feature_widths)):
        looked_up = tables[feature].thresholds if feature in tables else ()
        answers = [builder.inputs[at] for at in layout.get(("answers", feature), ())]
        at_most |= {(feature, at): node for at, node in zip(looked_up, answers, strict=True)}
        if rest := set(parameters.thresholds_of(feature)) - set(looked_up):
            bits = [builder.inputs[at] for at in layout["bits", feature]]
            at_most |= {(feature, at): node for at, node in add_thresholds(builder, bits, rest).items()}
    return builder.network(add_trees(builder, parameters.trees, at_most))


def _layout(words: Mapping[tuple[str, int], Sequence], passing: Mapping[tuple[str, int], Sequence[int]]) -> _Layout:
    """Where the outputs of a stage are: the words of its tables, then what passes by."""
    names = [*words, *passing]
    widths = [sum(rom.width for rom in roms) for roms in words.values()] + [len(bits) for bits in passing.values()]
    return dict(zip(names, _placed(widths, 0), strict=True))


def _placed(widths: Sequence[int], start: int) -> list[range]:
    ends = list(itertools.accumulate(widths, initial=start))
    return [range(begin, end) for begin, end in itertools.pairwise(ends)]
