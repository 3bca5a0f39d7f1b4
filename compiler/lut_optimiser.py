"""Fewer tables for the same network: ABC's technology mapping for area, run by Yosys."""

import tempfile
from pathlib import Path

from boards.toolchain import run_tool
from hdl.lut_network import LUT_INPUTS, LutNetwork

from .blif import blif_text, parse_blif

__all__ = ["with_fewer_tables"]

_ROUND = """\
st
dch -C 500
if -K {inputs} -a -F 3 -A 5 -C 24
mfs2 -a -e -W 8 -F 100 -D 200 -L 300 -C 20000
"""
"""Restructure, map for area, then simplify tables with what their surroundings never ask of them.

Each round starts from the tables of the last and finds a few less.
"""

_MOST_ROUNDS = 20
_TABLES = 50_000
"""Tables that all rounds together may handle, so that large networks end in time."""


def with_fewer_tables(network: LutNetwork) -> LutNetwork:
    """A network of the same function, with fewer tables where some were found to be superfluous.

    The same network always gives the same result with the same Yosys.
    """
    if not network.luts:
        return network
    rounds = max(2, min(_MOST_ROUNDS, _TABLES // len(network.luts)))
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        (directory / "all.blif").write_text(blif_text(network))
        (directory / "map.abc").write_text("strash\ndc2\n" + rounds * _ROUND.format(inputs=LUT_INPUTS) + "lutpack\n")
        commands = (
            "read_blif all.blif; techmap; opt_expr; opt_clean",
            f"abc -lut {LUT_INPUTS} -script map.abc; opt_clean",
            "write_blif fewer.blif",
        )
        run_tool("YOSYS", ["-q", "-p", "; ".join(commands)], directory)
        found = parse_blif((directory / "fewer.blif").read_text())
    return min(network, found, key=lambda candidate: len(candidate.luts))
