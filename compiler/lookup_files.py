"""Stages of tables in block RAM as files of an export: a network each, and the words of all tables."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from hdl.block_rom import RomTable
from hdl.lookup_pipeline import LookupStage

from .blif import blif_text, parse_blif
from .errors import InputError

__all__ = ["read_stages", "stage_files"]

TABLES = "lookup.json"
"""The tables of every stage: the bits of a word, what they are, and the word for every address."""


def _network_name(stage: int) -> str:
    return f"lookup_{stage}.blif"


def stage_files(stages: tuple[LookupStage, ...]) -> Mapping[str, str]:
    """Names and contents of the files; none for no stages."""
    if not stages:
        return {}
    tables = [[asdict(table) for table in stage.tables] for stage in stages]
    networks = {_network_name(index): blif_text(stage.network) for index, stage in enumerate(stages)}
    return networks | {TABLES: json.dumps(tables, separators=(",", ":")) + "\n"}


def read_stages(directory: Path, count: int) -> tuple[LookupStage, ...]:
    """So many stages from their files."""
    if not count:
        return ()
    tables = json.loads((directory / TABLES).read_text())
    if len(tables) != count:
        raise InputError(f"{directory / TABLES}: must have the tables of {count} stages, not of {len(tables)}")
    paths = [directory / _network_name(index) for index in range(count)]
    return tuple(
        LookupStage(
            parse_blif(path.read_text(), str(path)),
            tuple(RomTable(**{**table, "words": tuple(table["words"])}) for table in stage),
        )
        for path, stage in zip(paths, tables, strict=True)
    )
