"""Command line: ``python -m training flows | fit | …``; each command is a file of ``commands``."""

from compiler.cli import new_app, run

from .commands.evaluate import evaluate
from .commands.fit import fit
from .commands.flows import flows
from .commands.robustness import early, robustness

app = new_app("Labelled flows from captures, and forests trained on them.")
for command in (flows, fit, evaluate, early, robustness):
    app.command()(command)


if __name__ == "__main__":
    run(app)
