"""Command line: ``python -m training label | flows | fit | …``; each command is a file of ``commands``."""

from compiler.cli import new_app, run

from .commands.add import add
from .commands.drift import drift
from .commands.early import early
from .commands.evaluate import evaluate
from .commands.fit import fit
from .commands.flows import flows
from .commands.import_flows import import_flows
from .commands.label import label
from .commands.report import report
from .commands.robustness import robustness
from .commands.shadow import shadow
from .commands.sizes import sizes
from .commands.sources import sources
from .commands.spammers import spammers
from .commands.split import split
from .commands.subclasses import subclasses
from .commands.universal import universal
from .commands.watch import watch

app = new_app("Labelled flows from captures, and forests trained on them.")
_COMMANDS = [label, flows, sources, split]
_COMMANDS += [fit, add, evaluate, early, robustness, drift, sizes, subclasses, universal]
_COMMANDS += [spammers, watch, shadow, report]
for command in _COMMANDS:
    app.command()(command)
app.command("import")(import_flows)


if __name__ == "__main__":
    run(app)
