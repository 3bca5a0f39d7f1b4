"""manifest.json: what an export holds, what was measured on it and what was checked (docs/manifest.md)."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from .atomic import replacing
from .emit import sha256
from .errors import InputError

__all__ = ["EVIDENCE", "FILE", "FORMAT", "NOT_DONE", "VERSION", "Manifest", "is_export"]
__all__ += ["read_manifest", "record", "write_manifest"]

FILE = "manifest.json"
FORMAT = "hedgerow-export"
VERSION = 2
_BEFORE_PROBE = 1
"""Lacks ``probe``: nothing could be asked for."""
NOT_DONE = "not done"

EVIDENCE = ("simulated", "replayed", "proved", "post_synthesis")
"""Forest circuit and test vectors; whole probe and traffic; equality for all inputs; netlist and test vectors."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """An export, in the order of the file.

    ``resources``, ``clock`` and every entry of ``evidence`` are of runs that were made: until then they are None and
    :data:`NOT_DONE`. Latency and interval are those of the forest circuit.
    """

    build_id: str
    top: str
    module: str
    board: Mapping[str, Any]
    forest: Mapping[str, Any]
    probe: Mapping[str, Any]
    architecture: Mapping[str, Any]
    latency_cycles: int
    interval_cycles: int
    features: tuple[Mapping[str, Any], ...]
    answer: tuple[Mapping[str, Any], ...]
    ports: tuple[Mapping[str, Any], ...]
    vectors: Mapping[str, Any]
    files: Mapping[str, str]
    tools: Mapping[str, str]
    resources: Mapping[str, Any] | None = None
    clock: Mapping[str, Any] | None = None
    evidence: Mapping[str, Any] = field(default_factory=lambda: dict.fromkeys(EVIDENCE, NOT_DONE))

    def as_json(self) -> dict[str, Any]:
        """The document that the file holds."""
        return {"format": FORMAT, "version": VERSION, **asdict(self)}


def write_manifest(manifest: Manifest, directory: str | Path) -> None:
    """Write the manifest of an export; the file appears whole or not at all."""
    with replacing(Path(directory) / FILE) as fresh:
        fresh.write_text(json.dumps(manifest.as_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_manifest(directory: str | Path) -> Manifest:
    """Read the manifest of an export."""
    path = Path(directory) / FILE
    if not path.is_file():
        raise InputError(f"{directory}: not an export: there is no {FILE} in it")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: not JSON: {error}") from None
    if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
        raise InputError(f'{path}: not the manifest of an export: "format" must be "{FORMAT}"')
    version = document.pop("version", None)
    if version == _BEFORE_PROBE:
        document["probe"] = {}
    elif version != VERSION:
        raise InputError(f"{path}: version must be {_BEFORE_PROBE} or {VERSION}, not {version!r}")
    names = {known.name for known in fields(Manifest)}
    if set(document) != names:
        raise InputError(f"{path}: fields must be those of version {version}; look at {sorted(names ^ set(document))}")
    return Manifest(**document)


def changed_files(directory: str | Path, manifest: Manifest) -> list[str]:
    """Files of an export whose content is not what the manifest says, or that are gone."""
    return [name for name, expected in manifest.files.items() if _sha256_of(Path(directory) / name) != expected]


def _sha256_of(path: Path) -> str | None:
    return sha256(path.read_bytes()) if path.is_file() else None


def is_export(directory: str | Path) -> bool:
    """Whether a directory holds an export, so that a new one may take its place."""
    try:
        document = json.loads((Path(directory) / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and document.get("format") == FORMAT


def record(directory: str | Path, evidence: str, result: Mapping[str, Any]) -> None:
    """Write down in a manifest what a check has found."""
    manifest = read_manifest(directory)
    if evidence not in manifest.evidence:
        raise ValueError(f"Evidence must be one of {sorted(manifest.evidence)}, not {evidence!r}")
    write_manifest(replace(manifest, evidence={**manifest.evidence, evidence: dict(result)}), directory)
