"""Sources side by side: what their files of flows hold, by class, and which features they lack."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from compiler.errors import InputError
from compiler.features import CATALOGUE

from .flow_file import read_flow_rows
from .labels import LABELS
from .wide_console import wide_console

__all__ = ["Source", "named_sources", "print_sources", "read_source"]

_IDENTITY = ("t_start", "client_ip", "client_port", "server_ip", "server_port")
_NEEDED = (*_IDENTITY, "sender", "label", "syn_seen", "packets")


@dataclass
class Source:
    """What a file of flows holds.

    Attributes
    ----------
    flows: by label, the empty one for those without
    senders: of labelled flows, by label
    whole: flows that began with a SYN
    untold: flows of which that is not told
    duplicates: flows that were there before
    absent: features that no flow has
    partly: features that some flows lack
    """

    name: str
    path: Path
    flows: Counter[str] = field(default_factory=Counter)
    senders: dict[str, set[str]] = field(default_factory=dict)
    whole: int = 0
    untold: int = 0
    duplicates: int = 0
    first_s: float = float("inf")
    last_s: float = 0.0
    absent: tuple[str, ...] = ()
    partly: tuple[str, ...] = ()

    @property
    def all_senders(self) -> set[str]:
        return set().union(*self.senders.values()) if self.senders else set()


def named_sources(given: Iterable[str]) -> dict[str, Path]:
    """Files by their names: ``NAME=FILE``, or ``FILE`` with its own."""
    named: dict[str, Path] = {}
    for text in given:
        name, equals, path = text.partition("=")
        source = Path(path if equals else text)
        name = name if equals else source.name.removesuffix(source.suffix)
        if not name:
            raise InputError(f"{text}: must be NAME=FILE or FILE")
        if name in named:
            raise InputError(f"{text}: another source is called {name!r} too; give it a name, NAME=FILE")
        named[name] = source
    return named


def read_source(name: str, path: Path) -> Source:
    """Read a file that ``training flows`` or ``training import`` wrote."""
    source, seen, told, count = Source(name, path), set(), Counter(), 0
    for place, row in read_flow_rows(path, _NEEDED):
        count += 1
        identity = tuple(str(row[column]) for column in _IDENTITY)
        if identity in seen:
            source.duplicates += 1
            continue
        seen.add(identity)
        if row["label"] not in ("", *LABELS):
            raise InputError(f"{place}: label must be one of {', '.join(LABELS)}, not {row['label']!r}")
        try:
            start_s = float(row["t_start"])
        except ValueError:
            raise InputError(f"{place}: t_start must be seconds, not {row['t_start']!r}") from None
        source.first_s, source.last_s = min(source.first_s, start_s), max(source.last_s, start_s)
        source.flows[row["label"]] += 1
        source.senders.setdefault(row["label"], set()).add(row["sender"])
        source.whole += str(row["syn_seen"]) == "1"
        source.untold += row["syn_seen"] in ("", None)
        told.update(feature for feature in CATALOGUE if row.get(feature) not in ("", None))
    if not count:
        raise InputError(f"{path}: holds no flows")
    source.absent = tuple(feature for feature in CATALOGUE if not told[feature])
    source.partly = tuple(feature for feature in CATALOGUE if 0 < told[feature] < len(seen))
    return source


def print_sources(sources: list[Source]) -> None:
    """A column a source."""
    console = wide_console(max(160, 40 * len(sources)))
    table = Table("", title="Sources: flows / senders", title_justify="left")
    for source in sources:
        table.add_column(source.name, justify="right")
    rows: list[tuple[str, list[object]]] = [("file", [source.path.name for source in sources])]
    for words, at in (("first flow", "first_s"), ("last flow", "last_s")):
        times = [datetime.fromtimestamp(getattr(source, at), UTC) for source in sources]
        rows.append((f"{words}, UTC", [f"{time:%Y-%m-%d %H:%M:%S}" for time in times]))
    for label in (*LABELS, ""):
        found = [f"{source.flows[label]} / {len(source.senders.get(label, ()))}" for source in sources]
        rows.append((label or "without a label", found))
    rows += [
        ("all", [f"{source.flows.total()} / {len(source.all_senders)}" for source in sources]),
        ("began with a SYN", [source.whole for source in sources]),
        ("not told whether", [source.untold for source in sources]),
        ("came more than once", [source.duplicates for source in sources]),
        ("features", [f"{len(CATALOGUE) - len(source.absent)} of {len(CATALOGUE)}" for source in sources]),
    ]
    for words, values in rows:
        table.add_row(words, *map(str, values))
    console.print(table)
    for source in sources:
        if source.absent:
            console.print(f"{source.name} lacks: {' '.join(source.absent)}", soft_wrap=True)
    common = [name for name in CATALOGUE if not any(name in (*source.absent, *source.partly) for source in sources)]
    console.print(f"features of all flows: {' '.join(common) or 'none'}", soft_wrap=True)
