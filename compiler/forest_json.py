"""forest.json: the file between training and everything else (docs/forest_json.md)."""

import json
from pathlib import Path
from typing import Any

from hdl.tree import Leaf, Node, Tree

from .atomic import replacing
from .errors import InputError
from .forest import Band, Column, Forest

__all__ = ["FORMAT", "VERSION", "read_forest", "write_forest"]

FORMAT = "hedgerow-forest"
VERSION = 4

_READABLE = (1, 2, 3, VERSION)

_KINDS = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "an integer",
    float: "a number with a point",
    bool: "true or false",
}


def write_forest(forest: Forest, path: str | Path) -> None:
    """Verify a forest and write it; the file appears whole or not at all."""
    forest.verify()
    with replacing(path) as fresh:
        fresh.write_text(forest_text(forest), encoding="utf-8")


def forest_text(forest: Forest) -> str:
    """What forest.json holds: one line for every field but the trees, and one for every tree."""
    fields: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "id": forest.id,
        "name": forest.name,
        "columns": [column._asdict() for column in forest.columns],
        "classes": forest.classes,
        "lo": forest.band.lo,
        "hi": forest.band.hi,
        "validation_rows": forest.validation_rows,
        "ports": None if forest.ports is None else sorted(forest.ports),
        "orientation": forest.orientation,
        "directions": forest.directions,
        "min_packets": forest.min_packets,
        "prefix": forest.prefix,
        "monitor_only": forest.monitor_only,
        "operating_point": forest.operating_point,
        "provenance": forest.provenance,
        "score_fraction": forest.score_fraction,
        "score_error": forest.score_error,
    }
    lines = [f"{json.dumps(key)}: {_dump(value)}" for key, value in fields.items()]
    trees = ",\n".join(_dump(_tree_entry(tree, bool(forest.classes))) for tree in forest.trees)
    return "{\n" + ",\n".join([*lines, f'"trees": [\n{trees}\n]']) + "\n}\n"


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _tree_entry(tree: Tree, has_class: bool) -> dict[str, Any]:
    entry = {"weight": tree.weight, "nodes": _entries(tree)}
    return {"class": tree.class_index, **entry} if has_class else entry


def _entries(tree: Tree) -> list[list[int] | int]:
    return [node.value if isinstance(node, Leaf) else list(node) for node in tree.nodes]


def read_forest(path: str | Path) -> Forest:
    """Read a forest and check everything: the syntax, the version, every field, the rules of a forest and its id."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text: {error}") from None
    try:
        document = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}") from None
    try:
        forest = _forest(document)
        forest.verify()
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    if forest.id != document["id"]:
        raise InputError(f"{path}: id must be {forest.id!r}, the hash of what the file holds, not {document['id']!r}")
    return forest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"key {next(key for key in keys if keys.count(key) > 1)!r} stands twice in one object")
    return fields


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number of JSON")


def _forest(document: Any) -> Forest:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InputError(f'not a forest file: "format" must be "{FORMAT}"')
    version = document.get("version")
    # True equals 1: only the exact type will do.
    if type(version) is not int or version not in _READABLE:
        raise InputError(f"version must be 1, 2, 3 or 4, not {version!r}")
    fields = _Fields(document, "")
    # Version 1 knew exact scores only.
    notes = {} if version == 1 else {"score_fraction": int, "score_error": float}
    # Version 2 knew verdicts only, version 3 whole flows only.
    names = fields.take("classes", list) if version >= 3 else []
    classes = tuple(_checked(name, str, f"classes[{at}]") for at, name in enumerate(names))
    forest = Forest(
        name=fields.take("name", str),
        columns=tuple(_column(entry, f"columns[{at}]") for at, entry in enumerate(fields.take("columns", list))),
        trees=tuple(_tree(entry, f"trees[{at}]", bool(classes)) for at, entry in enumerate(fields.take("trees", list))),
        band=Band(fields.take("lo", int), fields.take("hi", int)),
        validation_rows=fields.take("validation_rows", int),
        ports=_ports(document, fields),
        orientation=fields.take("orientation", str),
        directions=fields.take("directions", str),
        min_packets=fields.take("min_packets", int),
        monitor_only=fields.take("monitor_only", bool),
        operating_point=fields.take("operating_point", dict),
        provenance=fields.take("provenance", dict),
        **{key: fields.take(key, kind) for key, kind in notes.items()},
        classes=classes,
        prefix=fields.take("prefix", int) if version >= 4 else 0,
    )
    for key, kind in (("format", str), ("version", int), ("id", str)):
        fields.take(key, kind)
    fields.finish()
    return forest


def _ports(document: dict[str, Any], fields: "_Fields") -> tuple[int, ...] | None:
    if "ports" in document and document["ports"] is None:
        fields.skip("ports")
        return None
    ports = fields.take("ports", list)
    return tuple(_checked(port, int, f"ports[{at}]") for at, port in enumerate(ports))


def _column(entry: Any, place: str) -> Column:
    fields = _Fields(entry, place)
    column = Column(*(fields.take(key, kind) for key, kind in Column.__annotations__.items()))
    fields.finish()
    return column


def _tree(entry: Any, place: str, has_class: bool) -> Tree:
    fields = _Fields(entry, place)
    class_index = fields.take("class", int) if has_class else 0
    weight, entries = fields.take("weight", int), fields.take("nodes", list)
    fields.finish()
    nodes = tuple(_node(node, f"{place}.nodes[{at}]") for at, node in enumerate(entries))
    return Tree(weight, nodes, class_index)


def _node(entry: Any, place: str) -> Node | Leaf:
    if type(entry) is int:
        return Leaf(entry)
    if isinstance(entry, list) and len(entry) == 4 and all(type(number) is int for number in entry):
        return Node(*entry)
    raise InputError(f"{place}: must be a leaf's integer or [feature, threshold, left, right], not {entry!r:.80}")


class _Fields:
    """An object of the file whose fields are taken one by one, each of the kind it must have, until none is left."""

    def __init__(self, entry: Any, place: str):
        self._left = dict(_checked(entry, dict, place))
        self._prefix = place and f"{place}."

    def take(self, key: str, kind: type) -> Any:
        if key not in self._left:
            raise InputError(f"{self._prefix}{key}: is missing")
        return _checked(self._left.pop(key), kind, self._prefix + key)

    def skip(self, key: str) -> None:
        del self._left[key]

    def finish(self) -> None:
        for key in self._left:
            raise InputError(f"{self._prefix}{key}: is not a field of a forest file of this version")


def _checked(value: Any, kind: type, place: str) -> Any:
    # bool is a subclass of int: only the exact type will do.
    if type(value) is not kind:
        raise InputError(f"{place}: must be {_KINDS[kind]}, not {value!r:.80}")
    return value
