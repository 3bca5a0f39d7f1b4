"""What was checked of an export, exactly as its manifest holds it; what was not done is said to be not done."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..manifest import NOT_DONE, Manifest
from .notes import rows_of, words

__all__ = ["DIFFERS", "PASSED", "UNCLEAR", "Check", "checks"]

PASSED, DIFFERS, UNCLEAR = "passed", "differs", "unclear"
"""States of a check that was done; the last is one whose entry this report does not understand."""


@dataclass(frozen=True)
class Check:
    """One kind of evidence.

    Attributes
    ----------
    title:
        What is held to what.
    state:
        :data:`PASSED`, :data:`DIFFERS`, :data:`UNCLEAR` or :data:`~compiler.manifest.NOT_DONE`.
    summary:
        The figure that decides, in one line.
    facts:
        Everything else that was written down.
    assumptions:
        What it takes for granted.
    command:
        What would do it, where it can be done.
    """

    title: str
    state: str
    summary: str
    facts: tuple[tuple[str, str], ...] = ()
    assumptions: tuple[str, ...] = ()
    command: str = ""


@dataclass(frozen=True)
class _Kind:
    """How an entry of the manifest is read: which field counts the cases, and the command, DIR being the export."""

    title: str
    cases: str
    command: str


_KINDS: Mapping[str, _Kind] = {
    "simulated": _Kind("Forest circuit simulated with the test vectors", "vectors", "sim check DIR"),
    "replayed": _Kind("Whole probe replayed on traffic, held to its software model", "records", "sim check DIR"),
    "proved": _Kind("Forest circuit proved equal to the forest for all inputs", "", "compiler prove DIR"),
    "post_synthesis": _Kind(
        "Netlist after synthesis simulated with the test vectors", "vectors", "sim check DIR --gates"
    ),
}


def checks(manifest: Manifest, directory: Path) -> list[Check]:
    """Every kind of evidence in the order of the manifest."""
    return [_check(name, entry, manifest, directory) for name, entry in manifest.evidence.items()]


def _check(name: str, entry: Any, manifest: Manifest, directory: Path) -> Check:
    kind = _KINDS.get(name, _Kind(words(name), "", ""))
    if entry == NOT_DONE:
        if reason := _impossible(name, manifest):
            return Check(kind.title, NOT_DONE, reason)
        command = kind.command.replace("DIR", shlex.quote(str(directory)))
        return Check(kind.title, NOT_DONE, "", command=command and f"python -m {command}")
    if not isinstance(entry, Mapping):
        return Check(kind.title, UNCLEAR, f"the manifest says {str(entry)[:80]!r}")
    state, summary = _proof_result(entry) if name == "proved" else _counted_result(entry, kind.cases)
    assumptions = entry.get("assumptions")
    rest = {key: value for key, value in entry.items() if key != "assumptions"}
    return Check(
        kind.title,
        state,
        summary,
        tuple(rows_of(rest)),
        tuple(map(str, assumptions)) if isinstance(assumptions, (list, tuple)) else (),
    )


def _impossible(name: str, manifest: Manifest) -> str:
    """Why something cannot be done with this export, if that is so."""
    if name == "replayed" and manifest.top == "forest":
        return "this export is the forest alone, without a probe that could take traffic"
    return ""


def _proof_result(entry: Mapping[str, Any]) -> tuple[str, str]:
    match entry.get("equal"):
        case True:
            return PASSED, "equal for all inputs"
        case False:
            return DIFFERS, "not equal"
    return UNCLEAR, "the manifest does not say whether they are equal"


def _counted_result(entry: Mapping[str, Any], cases: str) -> tuple[str, str]:
    mismatches, of = entry.get("mismatches"), entry.get(cases)
    if not isinstance(mismatches, int) or not isinstance(of, int):
        return UNCLEAR, "the manifest does not say how many cases were tried and differ"
    summary = f"{mismatches} of {of} {cases} differ"
    if "counters_equal" in entry:
        summary += f", counters {'equal' if entry['counters_equal'] is True else 'differ'}"
    if mismatches or entry.get("counters_equal", True) is not True:
        return DIFFERS, summary
    # No mismatch among no cases shows nothing.
    return (PASSED if of > 0 else UNCLEAR), summary
