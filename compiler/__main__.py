"""Command line: ``python -m compiler export | build | …``; each command is a file of ``commands``."""

from .cli import new_app, run
from .commands.boards import boards_command
from .commands.build import build_command
from .commands.explore import explore_command
from .commands.export import export_command
from .commands.features import features_command
from .commands.flash import flash_command
from .commands.prove import prove_command
from .commands.report import report_command
from .commands.tables import tables_command

app = new_app("From a forest to a bitstream.")
for name, command in {
    "export": export_command,
    "explore": explore_command,
    "build": build_command,
    "tables": tables_command,
    "prove": prove_command,
    "report": report_command,
    "flash": flash_command,
    "boards": boards_command,
    "features": features_command,
}.items():
    app.command(name)(command)


if __name__ == "__main__":
    run(app)
