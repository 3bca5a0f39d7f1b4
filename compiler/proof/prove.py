"""prove: the forest circuit of an export equals its forest, for all inputs."""

from collections.abc import Callable
from pathlib import Path

import z3

from ..errors import InputError
from ..forest_json import read_forest
from ..manifest import changed_files, read_manifest, record
from ..plan import read_plan
from ..ranked_plan import RankedPlan
from ..walker_plan import WalkerPlan
from .netlist import read_netlist
from .ranked import RankedProof, prove_ranked
from .unrolled import UnrolledProof, prove_circuit
from .walker import WalkerProof, prove_walker
from .walker_netlist import read_walker

__all__ = ["prove"]

Proof = UnrolledProof | WalkerProof | RankedProof


def prove(directory: str | Path, *, tell: Callable[[str], None] = lambda _: None) -> Proof:
    """Prove the circuit in ``design.il`` of an export, write that into its manifest, raise with a counterexample else.

    Raises :class:`InputError` for what is no unchanged export, :class:`CheckFailed` with the flow, tree and node for
    which the circuit is wrong.
    """
    directory = Path(directory)
    manifest = read_manifest(directory)
    if changed := changed_files(directory, manifest):
        raise InputError(f"{directory / changed[0]}: is not as exported; export again")
    forest = read_forest(directory / "forest.json")
    # What was proved of an earlier circuit, or not, says nothing of this one.
    tell("reading the circuit")
    design, suffix = directory / "design.il", "forest" if manifest.top == "forest" else ".classifier.forest"
    name, parameters = manifest.architecture["name"], read_plan(forest, manifest.architecture, directory).parameters
    if name == WalkerPlan.architecture:
        proof = prove_walker(read_walker(design, suffix), forest, parameters, tell=tell)
    elif name == RankedPlan.architecture:
        proof = prove_ranked(design, suffix, forest, parameters, tell=tell)
    else:
        netlist, latency = read_netlist(design, suffix), manifest.latency_cycles
        proof = prove_circuit(netlist, forest, latency, table_bits=parameters.vote_table_bits, tell=tell)
    record(
        directory,
        "proved",
        {
            "equal": True,
            "solver": f"z3 {z3.get_version_string()}",
            "seconds": round(proof.seconds, 1),
            **proof.figures,
            "assumptions": list(proof.assumptions),
        },
    )
    return proof
