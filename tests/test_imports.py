"""Imports run one way: hdl ← boards ← compiler ← sim ← training."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("hdl", "boards", "compiler", "sim", "training")


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imported(file: Path) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything that a file imports, wherever in it."""
    package = file.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else ()
            yield node.lineno, ".".join((*parents, *filter(None, [node.module])))


def importing(package: str, *roots: str) -> list[str]:
    """Where a package imports one of these."""
    return [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for file in modules(package)
        for line, name in imported(file)
        if name.split(".")[0] in roots
    ]


@pytest.mark.parametrize("package", LAYERS)
def test_a_package_imports_only_those_before_it(package):
    later = LAYERS[LAYERS.index(package) + 1 :]
    assert modules(package), f"{package} must hold modules"
    assert importing(package, *later, "tests", "benchmarks", "demo") == []


@pytest.mark.parametrize("package", ["hdl", "boards", "sim"])
def test_no_scikit_learn_below_training(package):
    assert importing(package, "sklearn") == []


def test_scikit_learn_only_in_the_front_ends_of_the_compiler():
    assert [place for place in importing("compiler", "sklearn") if not place.startswith("compiler/frontends/")] == []


def test_no_amaranth_in_training():
    assert importing("training", "amaranth", "amaranth_boards") == []


def test_files_and_boards_are_not_for_hdl():
    assert importing("hdl", "amaranth_boards", "pathlib", "os", "io") == []


def test_reading_a_forest_needs_no_scikit_learn():
    # compiler.load reaches scikit-learn through its front ends alone, and only inside functions.
    for file in (ROOT / "compiler").glob("*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom):
                assert "frontends" not in (node.module or ""), f"{file.name}:{node.lineno}"


def test_relative_imports_are_resolved():
    # The walk itself: a name that is imported relatively belongs to its package.
    names = {name for _, name in imported(ROOT / "compiler" / "frontends" / "decision_tree.py")}
    assert {"compiler.errors", "compiler.forest", "hdl.tree", "sklearn.tree"} <= names
