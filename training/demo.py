"""``make demo``: from a capture of mail traffic to a bitstream, each step a command that can be typed."""

import csv
import ipaddress
import json
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from boards.ice40_shell import BAUD
from compiler.cli import new_app
from compiler.cli import run as run_app
from compiler.errors import InputError
from compiler.extras import import_extra
from compiler.forest import Forest
from compiler.manifest import NOT_DONE
from sim.cxx import CxxCompiler
from sim.identity import Endpoint
from sim.replay import read_probe

from .figures import draw_forest
from .flow_set import LEGITIMATE, SPAM, read_flow_set
from .labels import LabelTable, read_labels

DATA = Path(__file__).with_name("data")
SERVER = "198.19.0.10"
"""The mail server in the captures."""

PORTS = "25,587"
COBS_BYTES = 2
"""Around a message of less than 254 bytes."""

app = new_app("From a capture of mail traffic to a bitstream.")
console = Console(width=None if sys.stdout.isatty() else 110)


def run(*arguments: str | Path) -> None:
    """Run one of our commands, shown as a user would type it."""
    console.print(f"\n[bold]$ python -m {' '.join(map(str, arguments))}[/bold]", highlight=False, soft_wrap=True)
    started = time.monotonic()
    code = subprocess.run([sys.executable, "-m", *map(str, arguments)], check=False).returncode
    if code:
        sys.exit(code)
    console.print(f"[dim]{time.monotonic() - started:.0f} s[/dim]", highlight=False)


@app.command()
def demo(out: Annotated[Path, typer.Argument(help="Directory that everything is written to.")]) -> None:
    """Run all steps, from a capture of mail traffic to a bitstream.

    Example:

        python -m training.demo build/demo
    """
    import_extra("matplotlib", "plot", "the picture of the demo")
    import_extra("z3", "prove", "the proof of the demo")
    import_extra("jinja2", "report", "the report of the demo")
    started = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    probe = out / "probe"
    for part in ("learn", "test"):
        capture, labels = DATA / f"{part}.pcap.gz", DATA / f"{part}.labels.csv.gz"
        run("training", "flows", _shown(capture), "--labels", _shown(labels), "--server", SERVER,
            "--ports", PORTS, "-o", out / f"{part}.csv")  # fmt: skip
    # As the forest that ships is made: of the paper's features, and small enough for every board.
    run("training", "fit", out / "learn.csv", "--test", out / "test.csv", "--ports", PORTS, "--features", "universal",
        "--directions", "both", "--leaves", "4", "-o", out / "forest.json")  # fmt: skip
    run("compiler", "export", out / "forest.json", "--board", "icebreaker", "-o", probe)
    run("compiler", "prove", probe)
    run("sim", "check", probe, *(["--gates"] if _has_cxx_compiler() else []))
    run("compiler", "build", probe)
    run("sim", "replay", _shown(DATA / "test.pcap.gz"), "--export", probe, "-o", out / "records.csv")
    _close(out, probe)
    run("compiler", "report", probe, "-o", out / "report.html")
    console.print(f"\nAll in {out}, {time.monotonic() - started:.0f} s.", highlight=False)


def _has_cxx_compiler() -> bool:
    try:
        CxxCompiler()
    except InputError as error:
        console.print(f"\nThe gates are not simulated: {error}", highlight=False, soft_wrap=True, markup=False)
        return False
    return True


def _shown(path: Path) -> Path:
    """The path as short as it can be typed from here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _close(out: Path, probe: Path) -> None:
    """The closing tables and the picture."""
    forest = Forest.from_json(out / "forest.json")
    manifest = json.loads((probe / "manifest.json").read_text())
    labels = read_labels(DATA / "test.labels.csv.gz")
    with (out / "records.csv").open(newline="") as file:
        records = list(csv.DictReader(file))
    label_of = [_label(labels, record) for record in records]

    console.print(_verdict_table(records, label_of))
    console.print(_sender_table(records, label_of))
    console.print(_circuit_table(manifest, probe))
    if forest.monitor_only:
        console.print("The forest is marked monitor only: on so few legitimate senders no band could show that its")
        console.print("false alarms stay within the budget. It ranks senders for a person to look at.")

    flows = read_flow_set([out / "test.csv"], forest.feature_names, frozenset(forest.ports), forest.directions)
    X = flows.columns(forest.feature_names)
    scores = forest.score(X)
    classes = {"spam": flows.y == 1, "legitimate": flows.y == -1, "other": flows.y == 0}
    picture = out / "forest.png"
    draw_forest(picture, forest, X, {name: scores[rows] for name, rows in classes.items()})
    console.print(f"\nWhat the forest looks at and how it scores the test flows: {picture}", highlight=False)


def _label(labels: LabelTable, record: dict[str, str]) -> str:
    start_s = datetime.fromisoformat(record["start"]).timestamp()
    found = labels.find(_endpoint(record, "client"), _endpoint(record, "server"), start_s)
    return "no label" if found is None else found.label


def _endpoint(record: dict[str, str], side: str) -> Endpoint:
    return Endpoint(int(ipaddress.ip_address(record[f"{side}_ip"])), int(record[f"{side}_port"]))


def _verdict_table(records: list[dict[str, str]], label_of: list[str]) -> Table:
    table = Table(title=f"{len(records)} flows of the test capture", title_justify="left")
    table.add_column("label")
    verdicts = ("spam", "uncertain", "background")
    for verdict in verdicts:
        table.add_column(verdict.upper(), justify="right")
    counts = Counter(zip(label_of, (record["verdict"] for record in records), strict=True))
    order = [*SPAM, *LEGITIMATE, "other", "no label"]
    for label in sorted(set(label_of), key=order.index):
        table.add_row(label, *(str(counts[label, verdict]) for verdict in verdicts))
    return table


def _sender_table(records: list[dict[str, str]], label_of: list[str]) -> Table:
    """Senders by spam records; a mail that leaves the server counts for whom it goes to."""
    spam, flows, labelled = Counter(), Counter(), Counter()
    for record, label in zip(records, label_of, strict=True):
        sender = record["server_ip"] if record["client_ip"] == SERVER else record["client_ip"]
        flows[sender] += 1
        spam[sender] += record["verdict"] == "spam"
        labelled[sender] += label in SPAM
    table = Table(title="Top senders by SPAM records", title_justify="left")
    table.add_column("sender")
    for name in ("SPAM records", "of flows", "labelled spam"):
        table.add_column(name, justify="right")
    for sender, count in spam.most_common(8):
        table.add_row(sender, str(count), str(flows[sender]), str(labelled[sender]))
    return table


def _circuit_table(manifest: dict, directory: Path) -> Table:
    """What the circuit is, and what was seen of it."""
    evidence, resources, clock = manifest["evidence"], manifest["resources"], manifest["clock"]
    forest, replayed, gates = evidence["simulated"], evidence["replayed"], evidence["post_synthesis"]
    core_rate = clock["asked_hz"] / manifest["interval_cycles"]
    messages = read_probe(directory).parameters.export
    line_rate = BAUD / 10 / (len(messages.ipv4) + COBS_BYTES)
    table = Table(title=f"The probe on the {manifest['board']['title']}", title_justify="left", show_header=False)
    table.add_column("what")
    table.add_column("figure")
    rows = {
        "forest circuit against the forest": f"equal for all inputs, proved in {evidence['proved']['seconds']} s",
        "forest circuit against the model": f"{forest['mismatches']} of {forest['vectors']} answers differ",
        "its gates against the model": gates
        if gates == NOT_DONE
        else f"{gates['mismatches']} of {gates['vectors']} answers differ",
        "whole probe against the model": f"{replayed['mismatches']} of {replayed['records']} records differ, "
        f"counters {'equal' if replayed['counters_equal'] else 'differ'}",
        "logic cells": f"{resources['logic_cells']} of {resources['of']}, {resources['lut4']} LUT4 in the netlist",
        "block RAM, single-port RAM": f"{resources['ebr']}, {resources['spram']}",
        "clock": f"{clock['fmax_hz'] / 1e6:.1f} MHz reached, {clock['asked_hz'] / 1e6:.1f} MHz asked for: "
        + ("met" if clock["met"] else "not met"),
        "flows per second": f"{line_rate:.0f} over the serial line, {core_rate:.0f} by the forest alone",
        "bitstream": f"build {manifest['build_id']}, forest {manifest['forest']['id']}",
    }
    for what, figure in rows.items():
        table.add_row(what, figure)
    return table


if __name__ == "__main__":
    run_app(app)
