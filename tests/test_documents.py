"""The documents say what is there: links lead to files, commands and their options exist, no placeholder is left."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from compiler.__main__ import app as compiler_app
from sim.__main__ import app as sim_app
from training.__main__ import app as training_app

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "training").rglob("*.md")])
APPS = {"compiler": compiler_app, "sim": sim_app, "training": training_app}
MODULE_COMMAND = re.compile(r"python -m (compiler|sim|training) ([^`#|\n]+)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(document):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_exist(document):
    for package, line in MODULE_COMMAND.findall(document.read_text()):
        words = shlex.split(line)
        known = typer.main.get_command(APPS[package]).commands
        assert words[0] in known, line
        options = {name for parameter in known[words[0]].params for name in parameter.opts}
        assert {word for word in words if re.match("--?[a-z]", word)} <= options, line


def test_nothing_is_left_to_be_filled_in():
    for document in DOCUMENTS:
        assert not re.search(r"\(see the run\)|[A-Z]+_(TABLE|LINE)\b|TODO|TBD", document.read_text()), document
