"""Networks of tables as BLIF text (Berkeley Logic Interchange Format, 1992), which logic optimisers read and write."""

from collections.abc import Collection, Iterator, Sequence

from hdl.lut_network import FALSE, LutNetwork, NetworkBuilder

from .errors import InputError

__all__ = ["blif_text", "parse_blif"]

_FALSE, _TRUE = "$false", "$true"


def blif_text(network: LutNetwork) -> str:
    """A network as one model: inputs ``i0``, ``i1``, …, outputs ``o0``, ``o1``, …, table by table."""
    names = [_FALSE, _TRUE, *(f"i{index}" for index in range(network.inputs))]
    names += [f"n{index}" for index in range(len(network.luts))]
    outputs = [f"o{index}" for index in range(len(network.outputs))]
    lines = [".model forest", " ".join([".inputs", *names[2 : network.first_lut]]), " ".join([".outputs", *outputs])]
    lines += [f".names {_FALSE}", f".names {_TRUE}", "1"]
    for name, lut in zip(names[network.first_lut :], network.luts, strict=True):
        lines.append(" ".join([".names", *(names[node] for node in lut.inputs), name]))
        for value in range(1 << len(lut.inputs)):
            if lut.table >> value & 1:
                lines.append("".join(str(value >> bit & 1) for bit in range(len(lut.inputs))) + " 1")
    for name, node in zip(outputs, network.outputs, strict=True):
        lines += [f".names {names[node]} {name}", "1 1"]
    return "\n".join([*lines, ".end", ""])


def parse_blif(text: str, place: str = "network") -> LutNetwork:
    """The network of a model whose inputs are ``i0``, … and outputs ``o0``, …; tables may stand in any order.

    ``place`` names it in errors.
    """
    inputs: list[str] = []
    outputs: list[str] = []
    tables: dict[str, tuple[list[str], list[str]]] = {}
    cubes: list[str] | None = None
    for words in _lines(text):
        match words[0]:
            case ".inputs":
                inputs += words[1:]
            case ".outputs":
                outputs += words[1:]
            case ".names":
                cubes = []
                tables[words[-1]] = words[1:-1], cubes
            case ".model" | ".end":
                cubes = None
            case _ if words[0][0] in "01-" and cubes is not None:
                cubes.append("".join(words))
            case unknown:
                raise InputError(f"{place}: {unknown!r} is not of a network of tables")
    return _network(inputs, outputs, tables, place)


def _lines(text: str) -> Iterator[list[str]]:
    for line in text.replace("\\\n", " ").splitlines():
        if words := line.partition("#")[0].split():
            yield words


def _network(
    inputs: Sequence[str], outputs: Sequence[str], tables: dict[str, tuple[list[str], list[str]]], place: str
) -> LutNetwork:
    builder = NetworkBuilder(len(inputs))
    nodes = {"$undef": FALSE} | dict(zip((f"i{index}" for index in range(len(inputs))), builder.inputs, strict=True))
    if sorted(inputs) != sorted(nodes.keys() - {"$undef"}):
        raise InputError(f"{place}: inputs must be i0 to i{len(inputs) - 1}")
    for name in _reads_first(tables, nodes, place):
        reads, cubes = tables[name]
        nodes[name] = builder.function(
            [nodes[read] for read in reads], lambda value, cubes=cubes: any(_holds(cube, value) for cube in cubes)
        )
    if missing := [name for name in (f"o{index}" for index in range(len(outputs))) if name not in nodes]:
        raise InputError(f"{place}: output {missing[0]} is made nowhere")
    return builder.network([nodes[f"o{index}"] for index in range(len(outputs))])


def _reads_first(tables: dict[str, tuple[list[str], list[str]]], known: Collection[str], place: str) -> Iterator[str]:
    """The tables, each behind those that it reads; where the text has them so already, in its order."""
    done, begun = set(known), set()
    for name in tables:
        ahead = [name]
        while ahead:
            at = ahead[-1]
            if at not in tables and at not in done:
                raise InputError(f"{place}: {at!r} is read and made nowhere")
            missing = [read for read in tables[at][0] if read not in done] if at not in done else []
            if missing:
                if at in begun:
                    raise InputError(f"{place}: must not have a cycle")
                begun.add(at)
                ahead += reversed(missing)
                continue
            ahead.pop()
            if at not in done:
                done.add(at)
                yield at


def _holds(cube: str, value: int) -> bool:
    """Whether a row of a table, its last character the output, is for this value of the inputs."""
    return cube[-1] == "1" and all(bit in ("-", str(value >> at & 1)) for at, bit in enumerate(cube[:-1]))
