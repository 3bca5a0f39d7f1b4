"""The frame of every command line, and the commands of the compiler that need no synthesis."""

import json
import subprocess
import sys

import joblib
import pytest
import typer
from sklearn.ensemble import RandomForestClassifier

from boards import TARGETS
from compiler.__main__ import app as compiler_app
from compiler.cli import new_app, run
from compiler.errors import CheckFailed, InputError
from compiler.features import CATALOGUE
from compiler.forest import Forest
from compiler.loading import REFERENCE
from tests.estimators import NAMES, labels_of, rows
from tests.forests import one_tree


@pytest.fixture
def command(monkeypatch, capsys):
    """Run a command line; gives its exit code and what it wrote to both streams."""

    def call(app, *arguments):
        monkeypatch.setattr(sys, "argv", ["program", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            run(app)
        written = capsys.readouterr()
        return end.value.code, written.out, written.err

    return call


@pytest.fixture
def frame():
    app = new_app("For tests.")
    raised = {
        "check": CheckFailed("3 of 5 differ"),
        "input": InputError("line one\nline two"),
        "interrupt": KeyboardInterrupt(),
        "exit": typer.Exit(7),
        "missing": FileNotFoundError(2, "No such file or directory", "some.json"),
    }

    @app.command()
    def work(how: str, count: int = 1):
        """Do it."""
        if how in raised:
            raise raised[how]

    @app.command()
    def rest():
        """Do nothing."""

    return app


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["work", "well"], 0, ""),
        (["rest"], 0, ""),
        (["work", "check"], 1, "error: 3 of 5 differ\n"),
        (["work", "input"], 2, "error: line one line two\n"),
        (["work", "missing"], 2, "error: some.json: No such file or directory\n"),
        (["work", "interrupt"], 130, ""),
        (["work", "exit"], 7, ""),
        (["--help"], 0, ""),
    ],
)
def test_exit_codes(command, frame, arguments, code, error):
    assert command(frame, *arguments)[::2] == (code, error)


@pytest.mark.parametrize("arguments", [["work"], ["work", "well", "--count", "x"], ["work", "a", "--no"], ["play"]])
def test_usage_errors_are_one_line(command, frame, arguments):
    code, _, error = command(frame, *arguments)
    assert code == 2
    assert error.startswith("error: ")
    assert error.count("\n") == 1


def test_a_mistake_of_ours_is_a_traceback(frame, monkeypatch):
    app = new_app("For tests.")

    @app.command()
    def work():
        raise ZeroDivisionError

    monkeypatch.setattr(sys, "argv", ["program"])
    with pytest.raises(ZeroDivisionError):
        run(app)


def test_boards_as_json(command):
    code, out, _ = command(compiler_app, "boards", "--json")
    boards = {board["name"]: board for board in json.loads(out)}
    assert code == 0
    assert boards["icebreaker"]["logic_cells"] == 5280
    assert boards["icebreaker"]["tops"] == ["probe", "forest"]
    assert (boards["lfe5u-85f"]["table_entries"], boards["lfe5u-85f"]["tops"]) == (None, ["forest"])


def test_features_are_all_listed(command):
    code, out, _ = command(compiler_app, "features")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == list(CATALOGUE)
    rows = json.loads(command(compiler_app, "features", "--json")[1])
    assert {row["name"]: row["bits"] for row in rows} == {name: f.bits for name, f in CATALOGUE.items()}


@pytest.mark.parametrize("name", ["export", "build", "prove", "report", "flash", "boards", "features"])
def test_every_command_has_help_with_an_example(command, name):
    code, out, _ = command(compiler_app, name, "--help")
    assert code == 0
    assert f"python -m compiler {name}" in " ".join(out.replace("│", " ").split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "no/where"], "no/where: the directory "),
        (["--board", "none"], f"board must be one of {', '.join(TARGETS)}, not 'none'"),
        (["--board", "icebreaker", "--top", "half"], "top must be one of probe, forest, not 'half'"),
        (["--board", "lfe5u-25f"], "lfe5u-25f is a device without pins or link, so top must be forest, not 'probe'"),
        (["--clock-mhz", "48"], "clock must not be given with top probe: it runs at 24 MHz"),
        (["--top", "forest", "--block-rams", "-3"], "block RAMs must be 0 or more, not -3"),
        (["--top", "forest", "--clock-mhz", "0"], "clock must be from 0.001 to 1000 MHz, not 0 MHz"),
        (
            ["--board", "icebreaker", "--architecture", "x"],
            "architecture must be one of unrolled, walker, ranked, not 'x'",
        ),
    ],
)
def test_wrong_export_options(command, tmp_path, options, message):
    one_tree().to_json(tmp_path / "f.json")
    code, out, error = command(compiler_app, "export", tmp_path / "f.json", "-o", tmp_path / "out", *options)
    assert (code, out) == (2, "")
    assert message in error
    assert not (tmp_path / "out").exists()


def test_export_needs_no_argument(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = command(compiler_app, "export")
    assert code == 0
    manifest = json.loads((tmp_path / "export" / "manifest.json").read_text())
    reference = Forest.from_json(REFERENCE)
    assert (manifest["top"], manifest["board"]["name"]) == ("probe", "icebreaker")
    assert (manifest["forest"]["id"], len(reference.trees)) == (reference.id, 61)
    assert f"export: probe with forest {reference.id} for icebreaker" in out


def test_export_of_an_estimator(command, tmp_path):
    features = rows(300, 1)
    joblib.dump(RandomForestClassifier(3, max_depth=3).fit(features, labels_of(features)), tmp_path / "model.joblib")
    export = ("export", tmp_path / "model.joblib", "-o", tmp_path / "out", "--top", "forest")
    code, out, error = command(compiler_app, *export, "--features", ",".join(NAMES))
    assert (code, out) == (2, "")
    assert "model.joblib: a pickle can run any program while it is read; --trust-pickle" in error
    code, out, error = command(compiler_app, *export, "--features", ",".join(NAMES), "--trust-pickle")
    assert code == 0
    assert "decisions can differ from the model's where its score is within " in error
    assert Forest.from_json(tmp_path / "out" / "forest.json").feature_names == tuple(NAMES)


def test_a_forest_that_is_not_there(command, tmp_path):
    code, _, error = command(compiler_app, "export", tmp_path / "f.json", "--board", "icebreaker", "-o", tmp_path / "o")
    assert code == 2
    assert error == f"error: {tmp_path / 'f.json'}: No such file or directory\n"


@pytest.mark.parametrize("name", ["build", "flash"])
def test_a_directory_that_is_no_export(command, tmp_path, name):
    code, _, error = command(compiler_app, name, tmp_path)
    assert code == 2
    assert error == f"error: {tmp_path}: not an export: there is no manifest.json in it\n"


def test_as_a_module():
    done = subprocess.run([sys.executable, "-m", "compiler", "boards"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "icebreaker" in done.stdout
