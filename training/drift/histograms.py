"""Histograms of the features that a forest learnt from, by sender, so that flows of later times can be compared."""

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from compiler.atomic import replacing
from compiler.errors import InputError
from compiler.forest import Forest

from ..flow_set import FlowSet

__all__ = ["Histograms", "histograms_of", "histograms_path", "read_histograms", "write_forest"]

FORMAT, VERSION = "hedgerow-histograms", 1
_BINS = 10
_MOST_SENDERS = 1000


@dataclass(frozen=True)
class Histograms:
    """Of every feature the counts between quantiles of the flows that were learnt from.

    Attributes
    ----------
    forest_id:
        The forest that learnt.
    features, edges:
        Names, and of each the inner edges of its bins; a bin ends with its edge.
    flows, senders:
        How many were learnt from.
    counts:
        Of some senders, a thousand at most, drawn at random (sender × bins of all features side by side). They are
        not named.
    total:
        Of all flows.
    """

    forest_id: str
    features: tuple[str, ...]
    edges: tuple[tuple[int, ...], ...]
    flows: int
    senders: int
    counts: NDArray[np.int64]
    total: NDArray[np.int64]

    @property
    def slices(self) -> list[slice]:
        """Where the bins of each feature are among those of all."""
        ends = np.cumsum([len(edges) + 1 for edges in self.edges]).tolist()
        return [slice(*ends) for ends in pairwise([0, *ends])]

    def counts_of(self, flows: FlowSet) -> NDArray[np.int64]:
        """Counts of other flows in the same bins, by sender."""
        return _counts(flows, self.features, self.edges)

    def to_json(self, path: Path) -> None:
        document = {
            "format": FORMAT,
            "version": VERSION,
            "forest": self.forest_id,
            "flows": self.flows,
            "senders": self.senders,
            "features": [
                {"name": name, "edges": edges, "counts": self.total[part].tolist()}
                for name, edges, part in zip(self.features, self.edges, self.slices, strict=True)
            ],
            "by_sender": self.counts.tolist(),
        }
        path.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")


def write_forest(path: Path, forest: Forest, flows: FlowSet) -> None:
    """Write forest.json and, beside it, the histograms of the flows that it learnt from: both or none."""
    with replacing(histograms_path(path)) as fresh:
        histograms_of(forest, flows).to_json(fresh)
        forest.to_json(path)


def histograms_path(forest: Path) -> Path:
    """Where the histograms of a forest.json are: beside it."""
    return forest.with_name(forest.name.removesuffix(".json") + ".histograms.json")


def histograms_of(forest: Forest, flows: FlowSet, seed: int = 0) -> Histograms:
    """Those of the flows that a forest learnt from."""
    columns = flows.columns(forest.feature_names)
    places = np.arange(1, _BINS) / _BINS
    edges = tuple(
        tuple(np.unique(np.quantile(column, places, method="inverted_cdf")).astype(int).tolist())
        for column in columns.T
    )
    counts = _counts(flows, forest.feature_names, edges)
    # In random order, so that the order of addresses is not told.
    drawn = np.random.default_rng(seed).permutation(len(counts))[:_MOST_SENDERS]
    return Histograms(
        forest.id, forest.feature_names, edges, len(flows), len(counts), counts[drawn], counts.sum(axis=0)
    )


def _counts(flows: FlowSet, features: tuple[str, ...], edges: tuple[tuple[int, ...], ...]) -> NDArray[np.int64]:
    names, sender = np.unique(flows.sender, return_inverse=True)
    parts = []
    for column, inner in zip(flows.columns(features).T, edges, strict=True):
        bins = len(inner) + 1
        at = sender * bins + np.searchsorted(np.array(inner, np.int64), column, "left")
        parts.append(np.bincount(at, minlength=len(names) * bins).reshape(len(names), bins))
    return np.concatenate(parts, axis=1)


def read_histograms(path: Path, forest: Forest) -> Histograms:
    """Read those of this forest."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: is not there; `fit` writes it beside the forest") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path}: is no JSON: {error}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT or document.get("version") != VERSION:
        raise InputError(f"{path}: must be {FORMAT} of version {VERSION}")
    if document.get("forest") != forest.id:
        raise InputError(f"{path}: is of forest {document.get('forest')}, not of {forest.id}")
    try:
        found = Histograms(
            document["forest"],
            tuple(feature["name"] for feature in document["features"]),
            tuple(tuple(map(int, feature["edges"])) for feature in document["features"]),
            int(document["flows"]),
            int(document["senders"]),
            np.array(document["by_sender"], np.int64),
            np.concatenate([np.array(feature["counts"], np.int64) for feature in document["features"]]),
        )
        bins = found.slices[-1].stop
        whole = (
            found.counts.shape[1:] == (bins,) and len(found.total) == bins and found.features == forest.feature_names
        )
    except (KeyError, TypeError, ValueError, IndexError):
        whole = False
    if not whole or not len(found.counts) or found.counts.min() < 0 or found.total.sum() <= 0:
        raise InputError(f"{path}: must hold edges and counts of {', '.join(forest.feature_names)}")
    return found
