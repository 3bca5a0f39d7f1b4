"""``training sources``."""

from itertools import combinations
from typing import Annotated

import typer

from compiler.cli import progress, warn

from ..flow_set import LEGITIMATE, SPAM
from ..source_table import named_sources, print_sources, read_source

__all__ = ["sources"]


def sources(
    flow_files: Annotated[
        list[str],
        typer.Argument(metavar="[NAME=]FLOWS...", help="Files that `flows` or `import` wrote."),
    ],
) -> None:
    """Set sources of flows side by side: classes, senders, times, and the features that each of them has.

    [bold]Example[/]: python -m training sources main.csv skew.csv border=conn.parquet
    """
    found = []
    for name, path in named_sources(flow_files).items():
        with progress(f"reading {path.name}"):
            found.append(read_source(name, path))
    for source in found:
        if source.duplicates:
            warn(f"{source.name}: {source.duplicates} flows came more than once and count once")
        if source.partly:
            warn(f"{source.name}: some flows lack {', '.join(source.partly)}")
        for words, labels in (("spam", SPAM), ("background", LEGITIMATE)):
            senders = set().union(*(source.senders.get(label, set()) for label in labels))
            if len(senders) < 2:
                warn(f"{source.name}: {words} of {len(senders) or 'no'} sender{'' if len(senders) == 1 else 's'}")
    for one, other in combinations(found, 2):
        if common := one.all_senders & other.all_senders:
            warn(f"{one.name} and {other.name} have {len(common)} senders in common, {min(common)} for one")
    print_sources(found)
