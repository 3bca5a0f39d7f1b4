"""``training robustness``."""

from rich.table import Table

from compiler.cli import progress

from ..feature_choice import chosen_features
from ..fit_report import report_console
from ..fitting import FitParameters
from ..robustness import seen_by_others
from .labelled_captures import Budget, Capture, Seed, Trees, read_capture
from .options import Directions, Features, Labels, Ports, Servers

__all__ = ["robustness"]


def robustness(
    capture: Capture,
    labels: Labels,
    server: Servers = None,
    budget: Budget = 100,
    trees: Trees = FitParameters.trees,
    seed: Seed = 1,
    features: Features = "lengths",
    directions: Directions = "forward",
    ports: Ports = "25",
) -> None:
    """Show what forests say of flows as other taps would have seen them.

    Forests learn from whole flows, in folds that share no sender, and judge the others: picked up late, one-way,
    sampled, with merged segments, from more hops away.

    Example:

        python -m training robustness mail.pcap --labels labels.csv --server 192.0.2.25 --ports 25,587
    """
    names = chosen_features(features, directions)
    found = read_capture(capture, labels, server, ports)
    parameters = FitParameters(trees=trees, budget=budget, seed=seed, ports=found.ports, directions=directions)
    with progress("learning") as tell:
        rows = seen_by_others(found, names, parameters, tell)
    table = Table("as seen by the tap", title="verdicts of forests that learnt from whole flows", title_justify="left")
    for name in (
        *("flows", "left undecided", "spam caught", "false alarms per 10 000", "upper bound"),
        *("caught if all were judged", "false alarms then"),
    ):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            row.name,
            str(row.flows),
            f"{row.undecided:.3f}",
            f"{row.caught:.3f}",
            f"{row.false_alarms.rate:.0f}",
            f"{row.false_alarms.bound:.0f}",
            f"{row.caught_if_judged:.3f}",
            f"{row.false_alarms_if_judged.rate:.0f}",
        )
    report_console().print(table)
    print(f"{capture}: seed {seed}, features {', '.join(names)}")
