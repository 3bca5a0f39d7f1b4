"""The one tree ensemble of an ONNX graph, and that nothing around it changes what it says.

Beside the ensemble a graph may hold Cast, Identity and ZipMap: types before it, names and types behind it.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from onnx import NodeProto, TensorProto, helper, numpy_helper

from ..errors import InputError

__all__ = ["ENSEMBLES", "Ensemble", "ensemble_of"]

ENSEMBLES = ("TreeEnsembleClassifier", "TreeEnsembleRegressor", "TreeEnsemble")
_ML_DOMAIN = "ai.onnx.ml"

_PASSING = ("Cast", "Identity", "ZipMap")
_REALS = (TensorProto.FLOAT, TensorProto.DOUBLE)
_WIDE = (*_REALS, TensorProto.INT32, TensorProto.INT64)
"""Types that hold every feature as it is."""


class Ensemble(NamedTuple):
    """The ensemble's operator, its attributes with tensors as lists, and the columns that go in."""

    operator: str
    attributes: dict[str, Any]
    columns: int


def ensemble_of(model: Any) -> Ensemble:
    """The ensemble of a model; refuses a graph in which it is not alone."""
    graph = model.graph
    for node in graph.node:
        if not _is_ensemble(node) and node.op_type not in _PASSING:
            beside = ", ".join(_PASSING)
            raise InputError(
                f"graph must be one tree ensemble beside {beside}, but has {_place(node)} ({node.op_type})"
            )
    found = [node for node in graph.node if _is_ensemble(node)]
    if len(found) != 1:
        raise InputError(f"graph must hold one tree ensemble, not {len(found)}")
    (node,) = found
    attributes = {attribute.name: _value(attribute, node) for attribute in node.attribute}
    _check_input(graph, node)
    _check_answer(graph, node)
    return Ensemble(node.op_type, attributes, _columns(graph))


def _is_ensemble(node: NodeProto) -> bool:
    return node.domain == _ML_DOMAIN and node.op_type in ENSEMBLES


def _place(node: NodeProto) -> str:
    return f"node {node.name or ', '.join(node.output)!r}"


def _value(attribute: Any, node: NodeProto) -> Any:
    if attribute.type == attribute.TENSOR:
        if attribute.t.data_location == TensorProto.EXTERNAL:
            raise InputError(f"{_place(node)}: {attribute.name} must be in the file itself, not in another")
        return numpy_helper.to_array(attribute.t).tolist()
    value = helper.get_attribute_value(attribute)
    if isinstance(value, list):
        return [_text(entry) for entry in value]
    return _text(value)


def _text(value: Any) -> Any:
    return value.decode("utf-8") if isinstance(value, bytes) else value


def _check_input(graph: Any, ensemble: NodeProto) -> None:
    makers = {output: node for node in graph.node for output in node.output}
    name = ensemble.input[0]
    while name in makers:
        node = makers[name]
        if node.op_type == "Cast" and _value(node.attribute[0], node) not in _WIDE:
            raise InputError(f"{_place(node)}: must not cast the features to a type that cannot hold them")
        name = node.input[0]
    if len(graph.input) != 1 or name != graph.input[0].name:
        raise InputError(f"graph must have one input, which goes into the ensemble, not {len(graph.input)}")


def _check_answer(graph: Any, ensemble: NodeProto) -> None:
    """The label of a classifier, or the score of a regressor, leaves the graph, and as what it is."""
    ends = {output.name for output in graph.output}
    ahead = [ensemble.output[0]]
    seen = set(ahead)
    while ahead:
        name = ahead.pop()
        for node in _readers(graph, name):
            is_cast = node.op_type == "Cast" and ensemble.op_type != ENSEMBLES[0]
            if is_cast and _value(node.attribute[0], node) not in _REALS:
                raise InputError(f"{_place(node)}: must not cast the score to a type that cannot hold it")
            ahead += [output for output in node.output if output not in seen]
            seen.update(node.output)
    if not seen & ends:
        raise InputError(f"{_place(ensemble)}: its first output must leave the graph")


def _readers(graph: Any, name: str) -> Iterator[NodeProto]:
    return (node for node in graph.node if name in node.input)


def _columns(graph: Any) -> int:
    """The last dimension of the input."""
    dimensions = graph.input[0].type.tensor_type.shape.dim
    if len(dimensions) != 2 or dimensions[1].dim_value < 1:
        raise InputError("graph must have an input of shape (rows, columns) with the number of columns in it")
    return dimensions[1].dim_value
