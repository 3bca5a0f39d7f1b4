"""``compiler prove``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from ..cli import progress
from ..extras import import_extra
from ..manifest import read_manifest
from .output import AsJson, counted, print_json

__all__ = ["prove_command"]


def prove_command(directory: Annotated[Path, typer.Argument(help="An export.")], as_json: AsJson = False) -> None:
    """Prove that the forest circuit of an export equals its forest for all inputs.

    Exit code 1 when it does not; the line then says for which flow, and at which tree and node.

    Example:

        python -m compiler prove probe
    """
    import_extra("z3", "prove", "prove")
    # Only here, because it needs the solver.
    from ..proof import prove

    with progress("proving") as tell:
        proof = prove(directory, tell=tell)
    if as_json:
        print_json(read_manifest(directory).evidence["proved"])
    else:
        classes = read_manifest(directory).forest.get("classes")
        answer = "sums and the highest of them" if classes else "sum and the band"
        print(
            f"{directory}: equal for all inputs: {counted(proof.trees, 'tree')}, their {answer}, "
            f"{_proved_besides(proof.figures)}, {proof.seconds:.1f} s"
        )


def _proved_besides(figures: Mapping[str, int]) -> str:
    """What belongs to the architecture of the circuit."""
    if "thresholds" in figures:
        return f"the search for ranks among {counted(figures['thresholds'], 'threshold')}"
    if "registers" in figures:
        return f"{counted(figures['registers'], 'register')} at the same depth on every way"
    return f"{counted(figures['rows'], 'row')}, the steps and turns of {counted(figures['lanes'], 'lane')}"
