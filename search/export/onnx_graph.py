"""A fitted pipeline as an ONNX graph: imputation, indicators, scaling, one-hot columns, network and answer.

Inputs: of a table one for each column, [rows, 1], called like it: doubles with NaN for a missing cell, or strings with
"" for one, booleans as "True" and "False"; of arrays one matrix of doubles, "X". Outputs: "label" [rows] and
"probabilities" [rows, K] in the order of the classes, or "prediction" [rows] or [rows, K]. All numbers are doubles, as
in the pipeline.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline

from cooldown.objectives.data.fitted import FEATURES, NETWORK, READ
from cooldown.objectives.data.reading.columns import CategoryColumn, DateColumn
from cooldown.objectives.data.reading.summary import ReadColumn
from cooldown.objectives.errors import InputError
from cooldown.objectives.tasks import ArrayTask, Task

ML = "ai.onnx.ml"
OPSETS = {"": 17, ML: 3}
"""The versions of the operators: of 2022, so that older runtimes have them."""

IR_VERSION = 8
"""The version of the file's format that came with them."""

MATRIX = "X"
OUTPUTS = ("label", "probabilities", "prediction")


def refuse_inexpressible(task: Task) -> None:
    """InputError for a task whose pipeline no graph can express; known before anything is trained."""
    if not isinstance(task, ArrayTask):
        return
    if task.is_sparse:
        raise InputError(
            f"onnx: the rows of task {task.name!r} are sparse, which the graph cannot read; use -o model.joblib"
        )
    features = [column for column in task.columns if column.role == "feature"]
    for column in features:
        if isinstance(column.column, DateColumn):
            raise InputError(
                f"onnx: column {column.name!r} holds dates, which the graph cannot read; use -o model.joblib"
            )
        if column.name in OUTPUTS:
            raise InputError(f"onnx: column {column.name!r} has the name of an output; use -o model.joblib")
    if task.categorical and not features:
        raise InputError(
            f"onnx: the categories of task {task.name!r} are codes in a matrix, not columns; use -o model.joblib"
        )


def graph_of(pipeline: Pipeline) -> ModelProto:
    """The graph of a pipeline of `ArrayTask.fitted`, for a task that `refuse_inexpressible` does not refuse."""
    steps = pipeline.named_steps
    columns = steps[READ].features if READ in steps else []
    graph = _Graph({column.name for column in columns})
    numbers, one_hot = _features(graph, steps[FEATURES], columns)
    network, log = steps[NETWORK], False
    if isinstance(network, TransformedTargetRegressor):
        network, log = network.regressor_, True
    outputs = _network(graph, graph.joined([*numbers, *one_hot], axis=1), network)
    if hasattr(network, "classes_"):
        _classes(graph, outputs, network.classes_)
    else:
        _number(graph, outputs, network.layers_[-1][1].shape[-1], log)
    return graph.model()


class _Graph:
    """A graph that grows node by node. taken: names of its inputs, which no other value may have."""

    def __init__(self, taken: Collection[str]) -> None:
        self._taken = {*taken, *OUTPUTS, MATRIX}
        self._count = 0
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []
        self._inputs: list[ValueInfoProto] = []
        self._outputs: list[ValueInfoProto] = []

    def input(self, name: str, kind: int, width: int) -> str:
        """An input [rows, width]."""
        self._inputs.append(helper.make_tensor_value_info(name, kind, ["rows", width]))
        return name

    def output(self, name: str, kind: int, shape: list[Any]) -> None:
        """Make the value called `name` an output."""
        self._outputs.append(helper.make_tensor_value_info(name, kind, shape))

    def constant(self, values: NDArray[Any]) -> str:
        """The name of a constant."""
        name = self._new_name()
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(self, operator: str, *inputs: str, name: str | None = None, domain: str = "", **attributes: Any) -> str:
        """The name of the value that an operator makes of others."""
        name = name or self._new_name()
        self._nodes.append(helper.make_node(operator, [*inputs], [name], domain=domain, **attributes))
        return name

    def joined(self, parts: list[str], axis: int) -> str:
        """Several values side by side."""
        return parts[0] if len(parts) == 1 else self.add("Concat", *parts, axis=axis)

    def model(self) -> ModelProto:
        """The graph as a model."""
        graph: GraphProto = helper.make_graph(
            self._nodes, "cooldown", self._inputs, self._outputs, initializer=self._constants
        )
        opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="cooldown")

    def _new_name(self) -> str:
        while (name := f"value_{self._count}") in self._taken:
            self._count += 1
        self._count += 1
        return name


def _features(graph: _Graph, preprocessor: Any, columns: list[ReadColumn]) -> tuple[list[str], list[str]]:
    """The features of numbers and of categories, as values [rows, …]."""
    fitted = {name: (step, list(places)) for name, step, places in preprocessor.transformers_}
    numbers, places = fitted["numbers"]
    inputs = [graph.input(*_input(column), 1) for column in columns]
    of_place = {column.places[0]: at for at, column in enumerate(columns)}
    made: list[str] = []
    if places:
        if columns:
            matrix = graph.joined([inputs[of_place[place]] for place in places], axis=1)
        else:
            matrix = graph.input(MATRIX, TensorProto.DOUBLE, len(places))
        made = _numbers(graph, matrix, *(step for _, step in numbers.steps))
    encoder, coded = fitted["categories"]
    return made, [
        _one_hot(graph, inputs[of_place[place]], columns[of_place[place]], encoder, at)
        for at, place in enumerate(coded)
    ]


def _input(column: ReadColumn) -> tuple[str, int]:
    """Name and type of a column's input."""
    return column.name, TensorProto.STRING if isinstance(column.column, CategoryColumn) else TensorProto.DOUBLE


def _numbers(graph: _Graph, matrix: str, imputer: Any, scaler: Any) -> list[str]:
    """Numbers [rows, n] with medians for missing ones and indicators of these, scaled."""
    missing = graph.add("IsNaN", matrix)
    made = graph.add("Where", missing, graph.constant(imputer.statistics_[None]), matrix)
    if len(marked := imputer.indicator_.features_):
        which = graph.add("Gather", missing, graph.constant(marked.astype(np.int64)), axis=1)
        made = graph.joined([made, graph.add("Cast", which, to=TensorProto.DOUBLE)], axis=1)
    # Of a task whose numbers are not scaled this step is the text "passthrough".
    if hasattr(scaler, "scale_"):
        centred = graph.add("Sub", made, graph.constant(scaler.mean_[None]))
        made = graph.add("Div", centred, graph.constant(scaler.scale_[None]))
    return [made]


def _one_hot(graph: _Graph, cells: str, column: ReadColumn, encoder: Any, at: int) -> str:
    """The one-hot columns [rows, w] of a column of labels: that of the encoder's place `at`.

    The encoder itself says what each label becomes, one that is missing, and one that is not known.
    """
    known, read = len(column.labels), column.column
    assert isinstance(read, CategoryColumn)
    probe = np.zeros((known + 2, len(encoder.categories_)))
    probe[:, at] = [*range(known), np.nan, known]
    names = encoder.get_feature_names_out([str(place) for place in range(probe.shape[1])])
    mine = [name.partition("_")[0] == str(at) for name in names]
    rows = graph.constant(np.asarray(encoder.transform(probe), np.float64)[:, mine])
    keys = {label: code for code, label in enumerate(column.labels)}
    if read.booleans:
        keys |= {spelled: code for text, code in keys.items() for spelled in (text.lower(), text.upper(), text)}
    keys |= dict.fromkeys(("", *read.missing), known)
    codes = graph.add(
        "LabelEncoder",
        graph.add("Squeeze", cells, graph.constant(np.array([1]))),
        domain=ML,
        keys_strings=list(keys),
        values_int64s=list(keys.values()),
        default_int64=known + 1,
    )
    return graph.add("Gather", rows, codes, axis=0)


def _network(graph: _Graph, features: str, network: Any) -> str:
    """The outputs [members, rows, K] of the trained networks."""
    *hidden, last = network.layers_
    values = features
    for layer in hidden:
        values = graph.add({"relu": "Relu", "tanh": "Tanh"}[network.activation], _linear(graph, values, *layer))
    return _linear(graph, values, *last)


def _linear(graph: _Graph, values: str, weights: NDArray[np.float64], biases: NDArray[np.float64]) -> str:
    return graph.add("Add", graph.add("MatMul", values, graph.constant(weights)), graph.constant(biases))


def _classes(graph: _Graph, outputs: str, classes: NDArray[Any]) -> None:
    """Labels and probabilities, which are the mean over the members."""
    each = graph.add("Softmax", outputs, axis=-1)
    probabilities = graph.add("ReduceMean", each, name="probabilities", axes=[0], keepdims=0)
    best = graph.add("ArgMax", probabilities, axis=1, keepdims=0)
    labels = classes.astype(object) if classes.dtype.kind == "U" else classes
    graph.add("Gather", graph.constant(labels), best, name="label")
    graph.output("label", helper.np_dtype_to_tensor_dtype(labels.dtype), ["rows"])
    graph.output("probabilities", TensorProto.DOUBLE, ["rows", len(classes)])


def _number(graph: _Graph, outputs: str, width: int, log: bool) -> None:
    """The mean over the members of `width` numbers a row. log: whether it is that of the logarithms."""
    values = graph.add("ReduceMean", outputs, axes=[0], keepdims=0)
    if width == 1:
        values = graph.add("Squeeze", values, graph.constant(np.array([1])))
    graph.add("Exp" if log else "Identity", values, name="prediction")
    graph.output("prediction", TensorProto.DOUBLE, ["rows"] if width == 1 else ["rows", width])
