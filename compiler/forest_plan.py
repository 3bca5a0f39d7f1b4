"""ForestPlan: a circuit for a forest that has been decided on, whatever its architecture."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from amaranth.lib import wiring

from hdl.forest_parameters import ForestParameters

from .estimate import Estimate

__all__ = ["ForestPlan"]


@dataclass(frozen=True, kw_only=True)
class ForestPlan:
    """What a circuit is made from, and why.

    Attributes
    ----------
    architecture:
        Its name.
    parameters:
        What the circuit is made from.
    summary:
        What the circuit is, for people.
    estimate:
        What it should need and reach.
    reason:
        Why it was chosen, one line for people.
    """

    architecture: ClassVar[str]
    parameters: Any
    summary: str
    estimate: Estimate
    reason: str = ""

    @property
    def lanes(self) -> int:
        """Circuits side by side that share the flows."""
        return 1

    @property
    def stages(self) -> int:
        """Clocks between the beginning of a step and its end; of trees side by side, of all there is to do."""
        return self.estimate.latency

    @property
    def loadable(self) -> bool:
        """Whether the circuit can take another forest while it runs."""
        return False

    def circuit(self) -> wiring.Component:
        """A new instance of the circuit, with streams ``i`` and ``o``, ``latency`` and ``interval``."""
        raise NotImplementedError

    @property
    def files(self) -> Mapping[str, str]:
        """Names and contents of the files of an export that the circuit is made from, beside forest.json."""
        return {}

    @property
    def entry(self) -> dict[str, Any]:
        """What the manifest says of the circuit, enough to make it again with those files."""
        raise NotImplementedError

    @classmethod
    def read(cls, forest: ForestParameters, entry: Mapping[str, Any], directory: Path) -> Any:
        """Parameters from the entry of a manifest and the files beside it."""
        raise NotImplementedError

    @classmethod
    def from_export(cls, forest: ForestParameters, entry: Mapping[str, Any], directory: Path) -> Self:
        """The plan of an export."""
        return cls(
            parameters=cls.read(forest, entry, directory),
            summary=entry["summary"],
            estimate=Estimate(**entry["estimate"]),
            reason=entry["reason"],
        )

    def offset(self, feature: int) -> int:
        """The lowest bit of a feature in the payload of the input stream."""
        raise NotImplementedError
