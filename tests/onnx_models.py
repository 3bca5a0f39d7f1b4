"""ONNX models written out by hand, attribute by attribute, and onnxruntime's answers."""

import numpy as np
import onnx
from onnx import TensorProto, helper

from hdl.tree import Leaf

__all__ = ["answers", "graph_of", "model_of", "stump_attributes", "stump_model"]

ML_VERSION = 3


def stump_attributes(classes=True, **changes):
    """One test of feature 0 at 5 with the weights 0.4 below and 0.6 above; two labels, or one target."""
    prefix = "class" if classes else "target"
    weights = {"treeids": [0, 0], "nodeids": [1, 2], "ids": [0, 0], "weights": [0.4, 0.6]}
    attributes = {
        "nodes_treeids": [0, 0, 0],
        "nodes_nodeids": [0, 1, 2],
        "nodes_featureids": [0, 0, 0],
        "nodes_values": [5.0, 0.0, 0.0],
        "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"],
        "nodes_truenodeids": [1, 0, 0],
        "nodes_falsenodeids": [2, 0, 0],
        **{f"{prefix}_{field}": values for field, values in weights.items()},
        **({"classlabels_int64s": [0, 1]} if classes else {"n_targets": 1}),
        **changes,
    }
    return {name: value for name, value in attributes.items() if value is not None}


def stump_model(classes=True, nodes_behind=(), nodes_before=(), **changes):
    """The stump as a model of four columns."""
    operator = "TreeEnsembleClassifier" if classes else "TreeEnsembleRegressor"
    source = nodes_before[-1].output[0] if nodes_before else "x"
    outputs = ["label", "scores"] if classes else ["score"]
    attributes = stump_attributes(classes, **changes)
    ensemble = helper.make_node(operator, [source], outputs, name="trees", domain="ai.onnx.ml", **attributes)
    kind = TensorProto.INT64 if classes else TensorProto.FLOAT
    output = nodes_behind[-1].output[0] if nodes_behind else outputs[0]
    return graph_of([*nodes_before, ensemble, *nodes_behind], output, kind)


def model_of(forest) -> onnx.ModelProto:
    """The trees of a forest as they are: a regressor of its score, or a classifier of its classes 0, 1, …"""
    operator, prefix = ("TreeEnsembleClassifier", "class") if forest.classes else ("TreeEnsembleRegressor", "target")
    nodes, weights = [], []
    for number, tree in enumerate(forest.trees):
        for at, node in enumerate(tree.nodes):
            if isinstance(node, Leaf):
                nodes.append((number, at, 0, 0.0, "LEAF", 0, 0))
                weights.append((number, at, tree.class_index, float(tree.weight * node.value)))
            elif number % 2:
                nodes.append((number, at, node.feature, float(node.threshold), "BRANCH_LEQ", node.left, node.right))
            else:
                nodes.append((number, at, node.feature, node.threshold + 1.0, "BRANCH_LT", node.left, node.right))
    fields = ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids")
    attributes = {f"nodes_{name}": list(values) for name, values in zip(fields, zip(*nodes, strict=True), strict=True)}
    fields = ("treeids", "nodeids", "ids", "weights")
    table = zip(fields, zip(*weights, strict=True), strict=True)
    attributes |= {f"{prefix}_{name}": list(values) for name, values in table}
    attributes |= {"classlabels_int64s": list(range(len(forest.classes)))} if forest.classes else {"n_targets": 1}
    outputs = ["label", "scores"] if forest.classes else ["score"]
    node = helper.make_node(operator, ["x"], outputs, domain="ai.onnx.ml", **attributes)
    kind = TensorProto.INT64 if forest.classes else TensorProto.FLOAT
    return graph_of([node], outputs[0], kind, columns=len(forest.columns))


def graph_of(nodes, output, kind, columns=4, version=ML_VERSION):
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, columns])],
        [helper.make_tensor_value_info(output, kind, None)],
    )
    opsets = [helper.make_opsetid("ai.onnx.ml", version), helper.make_opsetid("", 21)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def answers(model: onnx.ModelProto, rows: np.ndarray) -> np.ndarray:
    """The first output of onnxruntime, one value a row."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (source,) = session.get_inputs()
    kind = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(double)": np.float64}[source.type]
    found = session.run([session.get_outputs()[0].name], {source.name: rows.astype(kind)})[0]
    return np.asarray(found).reshape(len(rows))
