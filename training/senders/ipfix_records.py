"""IPFIX messages of a probe as tables that a database reads, a row a record, without holding them in memory."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from compiler.errors import InputError
from sim.record_file import writing_records
from sim.record_reader import read_ipfix_records

__all__ = ["IPFIX", "as_tables"]

IPFIX = ".ipfix"


def as_tables(
    paths: Sequence[Path], directory: Path, warn: Callable[[str], object], tell: Callable[[str], None] = lambda _: None
) -> list[Path]:
    """These files, but a table in ``directory`` in place of each that holds IPFIX messages."""
    found = []
    for number, path in enumerate(paths):
        if path.suffix != IPFIX:
            found.append(path)
            continue
        tell(f"reading {path.name}")
        unread: Counter[str] = Counter()
        count = 0
        table = directory / f"{number}.{path.name}.csv"
        with writing_records(table) as writer:
            for record in read_ipfix_records(path, unread):
                writer.record(record)
                count += 1
        for reason, records in unread.items():
            warn(f"{path}: {records} records could not be read: {reason}")
        if not count:
            raise InputError(f"{path}: holds no flow records")
        found.append(table)
    return found
