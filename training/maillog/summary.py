"""What a labelling found and what it could not join, as tables for people."""

from rich.table import Table

from ..wide_console import wide_console
from .clocks import split_zone
from .labelling import LABEL_COLUMNS, Labelling
from .log_lines import LineTally

__all__ = ["print_labelling"]

_QUEUE_IDS = LABEL_COLUMNS.index("queue_ids")


def print_labelling(result: Labelling) -> None:
    """Labels, clocks, the joins and what is left over, to standard output; never cut to the width of a terminal."""
    console = wide_console()
    console.print(_labels(result))
    console.print(_clocks(result))
    console.print(_left_over(result))
    for tally in [result.mail_log.tally, *(log.tally for log in result.filter_logs)]:
        for example in tally.examples:
            console.print(f"cannot be read: {example}", soft_wrap=True)


def _labels(result: Labelling) -> Table:
    table = Table("label", "sublabel", title="Labels", title_justify="left")
    table.add_column("flows", justify="right")
    for (label, sublabel), flows in sorted(result.labels.items(), key=lambda entry: (entry[0][0], -entry[1])):
        table.add_row(label, sublabel, str(flows))
    return table


def _clocks(result: Labelling) -> Table:
    log = result.mail_log
    table = Table("clock", "", title="Clocks", title_justify="left", show_header=False)
    zone = "told by its lines" if result.zone_s is None else f"{zone_text(result.zone_s)}, inferred"
    if result.zone_s is None and not log.clock.zones:
        zone = "as given"
    table.add_row(f"time zone of {log.path.name}", zone)
    resolution = "1 s resolution" if result.resolution_s else "fractions of a second"
    table.add_row(f"{log.path.name} ahead of the capture", f"{result.offset_s:+.2f} s ({resolution})")
    if result.judged is not None and result.judged.shift is not None:
        zone_s, offset_s = split_zone(result.judged.shift.median_s)
        apart = f"{zone_s / 3600:+g} h, " if zone_s else ""
        table.add_row("spam filter ahead of the mail log", f"{apart}{offset_s:+.0f} s")
    return table


def zone_text(zone_s: int) -> str:
    sign, minutes = "-" if zone_s < 0 else "+", abs(zone_s) // 60
    return f"UTC{sign}{minutes // 60:02}:{minutes % 60:02}"


def _left_over(result: Labelling) -> Table:
    table = Table("what", title="Joins", title_justify="left")
    table.add_column("number", justify="right")
    log = result.mail_log
    way = "address, port and time" if result.by_port else "address and time, the log has no client ports"
    table.add_row(f"sessions joined to a flow, by {way}", str(result.joined))
    if not result.by_port:
        table.add_row("of them flows that another session of another label fits about as well", str(result.ambiguous))
    table.add_row("sessions of the capture's clients without a flow", str(result.sessions - result.joined))
    table.add_row("sessions of other clients or times", str(log.sessions.elsewhere))
    table.add_row("connections whose client the mail server did not know", str(log.sessions.unknown_clients))
    table.add_row("flows without a session", str(result.labels["other", "no_session"]))
    table.add_row("flows before or behind the log, left out", str(result.outside))
    table.add_row("flows of no own server, left out", str(result.foreign))
    table.add_row("late packets of flows that had ended, left out", str(result.rests))
    if result.listed:
        table.add_row("flows made dnsbl by the zone file", str(result.listed))
    several = sum(" " in row[_QUEUE_IDS] for row in result.rows)
    table.add_row("connections with several mails, one label each", str(several))
    mixed = sum(flows for (_, sublabel), flows in result.labels.items() if sublabel == "mixed")
    table.add_row("of them labelled spam though some of their mails are not", str(mixed))
    for way, mails in sorted(result.judged.by.items()):
        table.add_row(f"mails {way}" if way.startswith("not") else f"mails judged by {way}", str(mails))
    _add_lines(table, log.path.name, log.tally)
    for filter_log in result.filter_logs:
        _add_lines(table, filter_log.path.name, filter_log.tally)
    return table


def _add_lines(table: Table, name: str, tally: LineTally) -> None:
    table.add_row(f"lines of {name}, of them used", f"{tally.lines}, {tally.used}")
    table.add_row(f"lines of {name} that cannot be read", str(tally.unparsed))
