"""A program that has saved its network predicts, elsewhere, what our own preprocessing and network predict with its
weights: to 1e-6, for missing cells, categories and booleans.
"""

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import parity
import pytest
from covering import in_short
from numpy.typing import NDArray
from saved_programs import M, predict_here, predictions, read_as, run_main, run_with
from scipy.special import softmax

from cooldown.objectives import tasks
from cooldown.objectives.models.mlp import MLP
from cooldown.storage import ExperimentRecord

# Of Keras's own tensors.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


LayerValues = dict[str, NDArray[Any]]


def in_torch(path: Path, _text: str) -> list[LayerValues]:
    import torch

    saved = torch.load(path, weights_only=True)["weights"]
    layers: list[LayerValues] = []
    for name, value in saved.items():
        array = value.numpy()
        kind = name.partition(".")[2]
        if kind == "weight" and array.ndim == 2:
            layers.append({"weights": array.T})
        elif kind != "num_batches_tracked":
            names = {"weight": "scales", "bias": "biases", "running_mean": "means", "running_var": "variances"}
            layers[-1][names[kind]] = array
    return layers


def in_optax(path: Path, _text: str) -> list[LayerValues]:
    with np.load(path) as saved:
        arrays = [saved[f"arr_{i}"] for i in range(len(saved.files) - 1)]
    if len(arrays) == 4:
        return [dict(zip(("biases", "weights"), pair, strict=True)) for pair in (arrays[:2], arrays[2:])]
    biases, scales, weights, *last, means, variances = arrays
    hidden = {"biases": biases, "scales": scales, "weights": weights, "means": means, "variances": variances}
    return [hidden, dict(zip(("biases", "weights"), last, strict=True))]


def in_keras(path: Path, _text: str) -> list[LayerValues]:
    import keras  # type: ignore[import-untyped]

    weights, *others, last, last_biases = keras.saving.load_model(path).get_weights()
    names = ("scales", "biases", "means", "variances") if len(others) == 4 else ("biases",)
    hidden = {"weights": weights, **dict(zip(names, others, strict=True))}
    return [hidden, {"weights": last, "biases": last_biases}]


def in_sklearn(path: Path, text: str) -> list[LayerValues]:
    import joblib  # type: ignore[import-untyped]

    program = parity.module(text)
    with pytest.MonkeyPatch.context() as patch:
        # It was saved by a script, in which its classes are.
        patch.setitem(sys.modules, "__main__", program)
        network = joblib.load(path)[-1]
    if hasattr(network, "coefs_"):
        both = zip(network.coefs_, network.intercepts_, strict=True)
        return [{"weights": weights, "biases": biases} for weights, biases in both]
    layers, scales = program.layers_of(network.theta_, network.widths_)
    [(means, variances)] = network.statistics_
    named = [{"weights": weights, "biases": biases} for weights, biases in layers]
    return [{**named[0], "scales": scales[0], "means": means, "variances": variances}, named[1]]


SAVED = {"torch": in_torch, "optax": in_optax, "keras": in_keras, "sklearn": in_sklearn}


def expected(name: str, target: str, record: ExperimentRecord, folder: Path, layers: list[LayerValues]) -> Any:
    """What our own preprocessing and network predict for the new rows: probabilities and labels, or targets.

    The rows are read, as the task's own test rows, together with those of training.
    """
    paths, read = (folder / f"{name}.csv", folder / f"new_{name}.csv"), read_as(name, target)
    study = record.studies[0]
    task = tasks.from_table(paths[0], target=target, **read)
    rows = task.split(0, study.repeat, study.evaluations[0].seed).rest
    tested = tasks.from_table(paths[0], target=target, test=without_note(paths[1]), **read)
    X, y = tested.data
    features = tested.preprocessor().fit(X[rows]).transform(X[-M:])
    assert np.isnan(X[-M:]).any()
    classifies = task.kind == "classification"
    n_outputs = len(task.labels) if classifies else 1
    loss = "cross_entropy" if classifies else "squared_error"
    model: Any = MLP(features, np.zeros(M), task.hidden, n_outputs, loss, task.activation, "scales" in layers[0])  # type: ignore[arg-type]
    [outputs] = model.predict(parameters_of(model, layers), features)
    if classifies:
        return SimpleNamespace(probabilities=softmax(outputs, axis=1), labels=task.labels)
    return outputs * y[rows].std() + y[rows].mean()


def parameters_of(model: Any, layers: list[LayerValues]) -> NDArray[np.float64]:
    """(1, size) the parameters of our network that has the weights of a program's."""
    theta = np.zeros((1, model.size))
    for layer, values in zip(model.layers, layers, strict=True):
        layer.weights(theta)[0][:] = values["weights"]
        theta[0, layer.bias : layer.end] = values["biases"]
    for norm, values in zip(filter(None, model.architecture.norms), layers, strict=False):
        theta[0, norm.scale : norm.scale + norm.width] = values["scales"]
        statistics = np.concatenate([values["means"], values["variances"]])
        theta[0, norm.statistics : norm.statistics + 2 * norm.width] = statistics
    return theta


def without_note(path: Path) -> Path:
    """New rows with the columns of training only, as a test set has them."""
    plain = path.with_name(f"test_{path.name}")
    plain.write_text("\n".join(line.rpartition(";")[0] for line in path.read_text().splitlines()))
    return plain


ALONE = ("keras", "adam", "houses", "class", {"batch_norm": True})
"""Keras finds classes of a program's own by their names, which a process remembers."""

SHORT: list[tuple[Any, ...]] = [
    ("torch", "adam", "houses", "class", {"batch_norm": True, "dropout": 0.1}),
    ("optax", "momentum", "rich", "price", {}),
    ("sklearn", "momentum", "houses", "price", {}),
    ("sklearn", "adam", "rich", "class", {"batch_norm": True}),
]
CASES = [
    *SHORT,
    ("torch", "adam", "rich", "price", {}),
    ("optax", "adam", "houses", "class", {"batch_norm": True}),
    ("keras", "momentum", "rich", "price", {}),
]


def run_alone(path: Path, *arguments: str) -> None:
    """A program run as a script, in a process of its own."""
    done = subprocess.run([sys.executable, path.name, *arguments], capture_output=True, text=True, cwd=path.parent)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("run", "format", "optimizer", "name", "target", "strategies"),
    [
        pytest.param(run_alone, *ALONE, marks=pytest.mark.processes),
        *in_short([(run_main, *case) for case in CASES], [(run_main, *case) for case in SHORT]),
    ],
)
def test_a_saved_program_predicts_what_our_own_network_predicts(
    run: Callable[..., None],
    format: str,
    optimizer: str,
    name: str,
    target: str,
    strategies: dict[str, Any],
    trained: Callable[[str, str], tuple[ExperimentRecord, Path]],
    tmp_path: Path,
) -> None:
    if find_spec(format) is None:
        pytest.skip(f"{format} is not installed")
    record, folder = trained(name, target)
    config = parity.config(optimizer, strategies={**strategies, "epochs": 4})
    text = str(parity.written(record, config, format).content)
    parity.assert_clean(text, tmp_path)
    path, saved, rows = tmp_path / "script.py", tmp_path / "model.keras", folder / f"new_{name}.csv"
    path.write_text(text, encoding="utf-8")
    run_main(path, "--save", str(saved))
    # It needs no row of training to predict.
    alone = tmp_path / "elsewhere"
    alone.mkdir()
    path.rename(alone / "script.py").write_text(text.replace(str(folder), "/nowhere"), encoding="utf-8")
    run(alone / "script.py", "predict", str(saved), str(rows), "-o", str(alone / "predictions.csv"))
    header, cells = predictions((alone / "predictions.csv").read_text())
    ours = expected(name, target, record, folder, SAVED[format](saved, text))
    if target == "class":
        assert header == ["prediction", *(f"probability_{label}" for label in ours.labels)]
        np.testing.assert_allclose(cells[:, 1:].astype(float), ours.probabilities, rtol=0, atol=1e-6)
        assert cells[:, 0].tolist() == [ours.labels[place] for place in ours.probabilities.argmax(axis=1)]
        assert len(set(cells[:, 1])) > M / 2
    else:
        assert header == ["prediction"]
        np.testing.assert_allclose(cells.astype(float), ours, rtol=1e-6)
        assert len(set(cells[:, 0])) > M / 2


@pytest.mark.parametrize(
    ("format", "optimizer", "name", "target", "strategies"), in_short([ALONE, *CASES], [ALONE, *SHORT])
)
def test_trained_on_all_rows_it_predicts_what_fit_best_predicts(
    format: str,
    optimizer: str,
    name: str,
    target: str,
    strategies: dict[str, Any],
    trained: Callable[[str, str], tuple[ExperimentRecord, Path]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the same weights: the two draw initial ones and orders of rows of their own. All else is the same, from the
    cells of the new rows to labels and units.
    """
    if find_spec(format) is None:
        pytest.skip(f"{format} is not installed")
    record, folder = trained(name, target)
    config = parity.config(optimizer, strategies={**strategies, "epochs": 2})
    text = str(parity.written(record, config, format).content)
    program, saved = parity.module(text), tmp_path / "model.keras"
    monkeypatch.setitem(sys.modules, "exported", program)
    run_with(program, "--all-rows", "--save", saved)
    assert "test loss" not in capsys.readouterr().out
    path = folder / f"new_{name}.csv"
    _, cells = predictions(predict_here(program, capsys, saved, path))
    pipeline = tasks.from_table(folder / f"{name}.csv", target=target, **read_as(name, target)).fitted(config)
    network, rows = pipeline[-1], pd.read_csv(path, sep=";", dtype=str)
    network._theta = parameters_of(network._predictor, SAVED[format](saved, text))
    if target == "class":
        np.testing.assert_allclose(cells[:, 1:].astype(float), pipeline.predict_proba(rows), rtol=0, atol=1e-6)
        assert cells[:, 0].tolist() == pipeline.predict(rows).tolist()
    else:
        np.testing.assert_allclose(cells[:, 0].astype(float), pipeline.predict(rows), rtol=1e-6)
