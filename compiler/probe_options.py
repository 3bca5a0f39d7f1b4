"""ProbeOptions: what can be asked of a probe beside its forest."""

from dataclasses import dataclass

__all__ = ["NO_OPTIONS", "ProbeOptions"]


@dataclass(frozen=True, kw_only=True)
class ProbeOptions:
    """Written down in the manifest; the rules are those of docs/flow_rules.md.

    Attributes
    ----------
    short_records:
        Records of fewer packets than the minimum leave too, unclassified.
    anonymise:
        Only keyed pseudonyms of addresses are kept.
    early:
        0, or the number of packets of a flow after which it is judged; the forest must be bound to the same.
    ip_checksum:
        Frames whose IPv4 header has a wrong checksum are not used.
    """

    short_records: bool = False
    anonymise: bool = False
    early: int = 0
    ip_checksum: bool = False


NO_OPTIONS = ProbeOptions()
