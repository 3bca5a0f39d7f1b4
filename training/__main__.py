"""Command line: ``python -m training label | flows | fit | …``; each command is a file of ``commands``."""

from compiler.cli import new_app, run

from .commands.fit import fit
from .commands.flows import flows
from .commands.import_flows import import_flows
from .commands.label import label
from .commands.sources import sources
from .commands.spammers import spammers
from .commands.split import split

app = new_app("Labelled flows from captures, and forests trained on them.")
for command in (label, flows, sources, split, fit, spammers):
    app.command()(command)
app.command("import")(import_flows)


if __name__ == "__main__":
    run(app)
