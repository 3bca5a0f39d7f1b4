"""One look for all figures: a style of Matplotlib, and its figures as SVG for the page and as PNG.

The SVG takes its colours from the variables of the page's style sheet, so that it follows light and dark; its text is
text. The same figure gives the same bytes, whenever it is drawn.
"""

import contextlib
import io
import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from compiler.extras import import_extra

from .contents import Drawing

__all__ = [
    "BACKGROUND",
    "CLASSES",
    "INK",
    "NEITHER",
    "PANEL",
    "QUIET",
    "SERIES",
    "SPAM",
    "class_colour",
    "finish",
    "legend_below",
    "new_axes",
    "new_figure",
    "plot_style",
]

INK, QUIET, RULE, PANEL = "#23261f", "#6a6f63", "#d9d8cf", "#f3f2ea"
SPAM, BACKGROUND, NEITHER = "#b5442e", "#2f6598", "#8a8a80"
SERIES = ("#1f6f78", "#b8741a", "#7a4fa3", "#5a7d4f")
"""Of sources, in order."""
CLASSES = (BACKGROUND, "#b5442e", "#b98a12", "#6b4c9a", "#2d8a6f", "#a04d7a")
"""Of class 0 and of the subclasses."""
_PAPER = "#fdfcf9"
_VARIABLES = {
    INK: "ink",
    QUIET: "quiet",
    RULE: "rule",
    PANEL: "panel",
    _PAPER: "paper",
    NEITHER: "neither",
    SPAM: "spam",
    BACKGROUND: "background",
    **{colour: f"series-{number}" for number, colour in enumerate(SERIES, 1)},
    **{colour: f"class-{number}" for number, colour in enumerate(CLASSES) if number > 1},
}
"""As in the style sheets."""

_STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": QUIET,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.unicode_minus": True,
    "figure.facecolor": _PAPER,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "legend.edgecolor": RULE,
    "legend.facecolor": _PAPER,
    "legend.fontsize": 8.5,
    "legend.framealpha": 0.85,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.6,
    "svg.fonttype": "none",
    "svg.hashsalt": "hedgerow",
    "text.color": INK,
    "xtick.color": QUIET,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.color": QUIET,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8.5,
}
_DOTS_PER_INCH = 160
_LARGE = 560
"""Points from which on a figure keeps its size on a phone, where it would be too small to be read."""


@contextlib.contextmanager
def plot_style() -> Iterator[None]:
    """Figures are made and finished within it, whatever style the user has chosen for others."""
    matplotlib = import_extra("matplotlib", "plot", "report")
    import_extra("matplotlib.style", "plot", "report")
    with matplotlib.style.context(["default", _STYLE], after_reset=True):
        yield


def new_figure(width: float, height: float, **options: Any) -> Any:
    """A figure of so many inches, as the page shows it at its full size."""
    figures = import_extra("matplotlib.figure", "plot", "report")
    canvases = import_extra("matplotlib.backends.backend_agg", "plot", "report")
    figure = figures.Figure(figsize=(width, height), **{"layout": "constrained", **options})
    # Measures text, whatever canvas it is drawn on in the end.
    canvases.FigureCanvasAgg(figure)
    return figure


def new_axes(width: float, height: float, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Any, list[Any]]:
    """A figure and its axes, row by row."""
    figure = new_figure(width, height)
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, list(axes.flat)


def class_colour(number: int) -> str:
    """Of class 0 or of a subclass."""
    return CLASSES[number] if number < len(CLASSES) else NEITHER


def finish(figure: Any, name: str, title: str, caption: str) -> Drawing:
    """The figure as SVG and PNG."""
    png, svg = io.BytesIO(), io.StringIO()
    figure.savefig(png, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
    figure.savefig(svg, format="svg", transparent=True, metadata={"Date": None})
    return Drawing(name, title, caption, _for_page(svg.getvalue(), name, title), png.getvalue())


def _for_page(svg: str, name: str, title: str) -> str:
    """What goes into a page: no prologue and no metadata, ids of its own, colours by variable, words for the blind."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r' (xmlns(:\w+)?|version)="[^"]*"', "", svg)
    svg = svg.replace("xlink:href", "href")
    referred = set(re.findall(r'(?:url\(|href=")#([^")]+)', svg))
    svg = re.sub(r' id="([^"]+)"', lambda found: found[0] if found[1] in referred else "", svg)
    svg = re.sub(r'(id="|url\(#|href="#)([^")]+)', rf"\1{name}.\2", svg)
    svg = re.sub(r"#[0-9a-f]{6}\b", lambda found: _variable(found[0]), svg)
    svg = re.sub(r"<(defs|g)>\s*</\1>", "", svg)
    svg = re.sub(r"\s*\n\s*", "\n", svg)
    width = float(re.search(r'width="([\d.]+)pt"', svg)[1])
    look = "plot large" if width > _LARGE else "plot"
    return svg.replace("<svg ", f'<svg class="{look}" role="img" aria-label="{escape(title)}" ', 1)


def _variable(colour: str) -> str:
    return f"var(--{_VARIABLES[colour]})" if colour in _VARIABLES else colour


def legend_below(figure: Any, handles: Sequence[Any], columns: int) -> None:
    """One legend for all axes, where it hides nothing."""
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False)
