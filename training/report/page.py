"""The page: all sections of a study, rendered and written with their figures."""

from pathlib import Path

from compiler.atomic import replacing_directory
from compiler.errors import InputError
from compiler.report.templates import render_page

from .ack_packets import ACK_PACKETS
from .contents import Section
from .densities import DENSITIES
from .detector import DETECTOR
from .drawing import plot_style
from .importance import IMPORTANCE
from .importance_correlation import CORRELATION
from .leak_tests import LEAK_TESTS
from .overview import OVERVIEW
from .paper import CITATION
from .reduction import REDUCTION
from .separation_tree import SEPARATION_TREE
from .study import Study
from .subclass_labels import SUBCLASS_LABELS
from .subclass_means import SUBCLASS_MEANS
from .subclass_tree import SUBCLASS_TREE
from .verdicts import VERDICTS

__all__ = ["PAGE", "TOPICS", "check_report_target", "write_report"]

PAGE = "report.html"

TOPICS = (
    *(OVERVIEW, REDUCTION),
    *(SUBCLASS_TREE, SUBCLASS_MEANS, DENSITIES, SUBCLASS_LABELS, SEPARATION_TREE),
    *(IMPORTANCE, CORRELATION, ACK_PACKETS),
    *(DETECTOR, VERDICTS, LEAK_TESTS),
)
"""In the order of the paper's pipeline."""


def check_report_target(out: Path) -> None:
    """Refuse a directory that holds something else than a report, as it would be replaced as a whole."""
    if out.is_dir() and any(out.iterdir()) and not (out / PAGE).is_file():
        raise InputError(f"{out}: is a directory that holds no {PAGE}, and would be replaced; name another one")


def write_report(study: Study, out: Path) -> list[Section]:
    """Write the page and a PNG of every figure; the directory appears whole. Gives the sections."""
    check_report_target(out)
    with plot_style():
        sections = [topic.section(study) for topic in TOPICS]
    page = render_page(Path(__file__).parent, {"study": study, "sections": sections, "citation": CITATION})
    with replacing_directory(out) as fresh:
        fresh.mkdir()
        (fresh / PAGE).write_text(page, encoding="utf-8", newline="\n")
        for section in sections:
            for drawing in section.drawings:
                (fresh / f"{drawing.name}.png").write_bytes(drawing.png)
    return sections
