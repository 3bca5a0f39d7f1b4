"""What tells the classes apart that would not tell spam elsewhere."""

from collections.abc import Sequence

from compiler.errors import InputError
from compiler.extras import import_extra

from ..leaks import COLUMNS, LEAKS, Leak, warnings_of
from .contents import Content, Drawing, Note, Table
from .drawing import INK, NEITHER, QUIET, SERIES, SPAM, finish, legend_below, new_axes
from .study import Study
from .topic import Topic

__all__ = ["LEAK_TESTS"]


def _contents(study: Study) -> list[Content]:
    if not (leaks := study.leaks):
        raise InputError("no source has flows of both classes of a task")
    contents: list[Content] = [_draw(leaks), _table(leaks)]
    if warnings := warnings_of(leaks):
        contents.append(Note("What the reader of an accuracy has to know:", warnings))
    return contents


def _draw(leaks: Sequence[Leak]) -> Drawing:
    tasks = list(dict.fromkeys((leak.source, leak.task) for leak in leaks))
    figure, panels = new_axes(7.4, 1.0 + 1.25 * len(tasks), len(tasks), 1, sharex=True)
    for (source, task), axes in zip(tasks, panels, strict=True):
        chosen = [leak for leak in leaks if (leak.source, leak.task) == (source, task)]
        axes.axvspan(*chosen[0].chance, color=NEITHER, alpha=0.25, linewidth=0, label="coins for senders, 95 %")
        for at, leak in enumerate(chosen):
            colour = SERIES[1] if leak.features in LEAKS else SPAM
            found = leak.by_sender
            axes.plot([found.low, found.high], [at, at], color=colour, linewidth=2.2, alpha=0.55)
            axes.plot(found.value, at, "o", color=colour, ms=6)
            axes.plot(leak.by_flow, at, "x", color=INK, ms=6, mew=1.4)
        axes.set_yticks(range(len(chosen)), [leak.features for leak in chosen])
        axes.set_ylim(len(chosen) - 0.5, -0.5)
        axes.set_title(f"{source}: {task}")
        axes.axvline(0.5, color=QUIET, linewidth=0.9)
        axes.grid(axis="y", visible=False)
    panels[-1].set_xlabel("balanced accuracy; 0.5 is chance")
    lines = import_extra("matplotlib.lines", "plot", "report")
    handles = [
        lines.Line2D([], [], color=SPAM, marker="o", label="forest's features, senders apart"),
        lines.Line2D([], [], color=SERIES[1], marker="o", label="what leaks, senders apart"),
        lines.Line2D([], [], color=INK, marker="x", linestyle="none", label="flows apart"),
        panels[0].get_legend_handles_labels()[0][0],
    ]
    legend_below(figure, handles, 2)
    return finish(
        figure,
        "leaks",
        "Leak tests",
        "Circles with 95 % intervals over senders: folds that share no sender. Crosses: folds of flows.",
    )


def _table(leaks: Sequence[Leak]) -> Table:
    return Table("Balanced accuracy of a vote without caution", COLUMNS, [leak.cells for leak in leaks], texts=3)


LEAK_TESTS = Topic(
    key="leaks",
    title="Leak tests",
    lead=lambda _: (
        "Balanced accuracy of a vote on features that tell the stack of a sender (TTL, window) or the texts of one "
        "server, alone, beside that of the forest's features. Where they do as well, an accuracy may be theirs. A "
        "split by flow, whose senders are known, shows what trees remember."
    ),
    paper="It has no such tests, and does not say that its splits keep senders apart.",
    contents=_contents,
)
