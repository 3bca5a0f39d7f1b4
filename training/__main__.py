"""Command line: ``python -m training flows | fit | …``; each command is a file of ``commands``."""

from compiler.cli import new_app, run

from .commands.add import add
from .commands.early import early
from .commands.evaluate import evaluate
from .commands.fit import fit
from .commands.flows import flows
from .commands.robustness import robustness
from .commands.sizes import sizes
from .commands.subclasses import subclasses
from .commands.universal import universal

app = new_app("Labelled flows from captures, and forests trained on them.")
for command in (flows, fit, add, evaluate, early, robustness, sizes, subclasses, universal):
    app.command()(command)


if __name__ == "__main__":
    run(app)
