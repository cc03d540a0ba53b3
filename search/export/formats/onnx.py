"""ONNX: the same model as a graph for other languages and runtimes, without Cooldown, Python or pickles."""

import json

from cooldown.objectives.errors import InputError
from cooldown.search.export.format import Chosen, Exported, ModelFormat


def write(chosen: Chosen, n_seeds: int) -> Exported:
    """The graph (onnx_graph.py) with what it is in its metadata; InputError for what it cannot express."""
    try:
        from onnx.helper import set_model_props

        from cooldown.search.export.onnx_graph import graph_of, refuse_inexpressible
    except ImportError:
        raise InputError("ONNX files need the package onnx: pip install 'cooldown[onnx]'") from None
    from cooldown.search.export.model import about, trained

    refuse_inexpressible(chosen.task)
    model, remarks = trained(chosen, n_seeds)
    graph = graph_of(model)
    set_model_props(graph, {"cooldown": json.dumps(about(chosen, model, n_seeds))})
    return Exported(graph.SerializeToString(), remarks)


onnx = ModelFormat("onnx", ".onnx", "the same model as an ONNX graph, for other languages and runtimes", write)
