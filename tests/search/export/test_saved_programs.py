"""A program that has saved its network predicts, elsewhere, what our own preprocessing and network predict with its
weights: to 1e-6, for missing cells, categories and booleans.
"""

import csv
import io
import runpy
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import parity
import pytest
from numpy.typing import NDArray
from scipy.special import softmax
from search_runs import run_in_threads, spec

from cooldown.objectives import tasks
from cooldown.objectives.models.mlp import MLP
from cooldown.storage import ExperimentRecord

# Of Keras's own tensors.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

N, M = 90, 30


@pytest.fixture(autouse=True)
def keras_on_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras's default back end is one that we do not install."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")


RICH = {"dates": ["day"], "categories": ["code"], "missing": ["elsewhere"]}
"""What has to be said of the table that pandas does not read of itself."""


def houses(n: int, seed: int) -> pd.DataFrame:
    """Missing numbers and labels, a rare town, booleans, labels of which some are all digits."""
    rng = np.random.default_rng(seed)
    size, garden = rng.normal(100, 20, n), rng.random(n) < 0.5
    table = pd.DataFrame(
        {
            "size": np.where(rng.random(n) < 0.1, np.nan, size),
            "town": rng.choice(["north", "south", "east"], n),
            "garden": np.where(rng.random(n) < 0.1, None, garden),
            "rooms": rng.integers(0, 5, n),
            "code": rng.choice(["07", "w", "x", "y"], n),
            "price": size + 30 * garden + rng.normal(0, 10, n),
            "class": np.where(garden, np.where(size > 100, "a", "b"), "c"),
        }
    )
    table.loc[[3, 5], "town"] = ["nowhere else", None]
    table.loc[:1, "code"] = "07"
    return table


def rich(n: int, seed: int) -> pd.DataFrame:
    """The same with decimal commas, dates, and a mark of the user's own."""
    table = houses(n, seed)
    rng = np.random.default_rng(seed)
    table["size"] = ["?" if size != size else f"{size:.2f} m".replace(".", ",") for size in table["size"]]
    table["garden"] = table["garden"].map({True: "true", False: "FALSE"})
    table.loc[7, "town"] = "elsewhere"
    day = pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D")
    return table.assign(day=day.strftime("%d.%m.%Y"))


def new(table: pd.DataFrame) -> pd.DataFrame:
    """In another order, with a town that no training row has, and another column."""
    table.loc[2, "town"] = "in between"
    return table[sorted(table.columns)].assign(note="not a feature")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], tuple[ExperimentRecord, Path]]:
    """A record of an experiment on a table, by its name and its target, and the folder of the table and of new rows."""
    folder = tmp_path_factory.mktemp("tables")
    records: dict[tuple[str, str], ExperimentRecord] = {}
    for make in (houses, rich):
        make(N, 0).to_csv(folder / f"{make.__name__}.csv", index=False, sep=";")
        new(make(M, 1)).to_csv(folder / f"new_{make.__name__}.csv", index=False, sep=";")

    def record(name: str, target: str) -> tuple[ExperimentRecord, Path]:
        if (name, target) not in records:
            ledger = f"sqlite:///{folder / f'{name}_{target}.db'}"
            given: dict[str, Any] = spec(task=str(folder / f"{name}.csv"), target=target, **read_as(name, target))
            records[name, target] = run_in_threads(ledger, given, name=name)
        return records[name, target], folder

    return record


def read_as(name: str, target: str) -> dict[str, Any]:
    """How a table is read: without the other target."""
    return {"drop": [{"price": "class", "class": "price"}[target]], **(RICH if name == "rich" else {})}


def run_main(path: Path, *arguments: str) -> None:
    """A program run as a script, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(path), *arguments])
        runpy.run_path(str(path), run_name="__main__")


def predictions(text: str) -> tuple[list[str], NDArray[Any]]:
    """The header and the cells of predictions."""
    header, *lines = csv.reader(io.StringIO(text))
    return header, np.array(lines)


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


CASES = [
    ("torch", "adam", "houses", "class", {"batch_norm": True, "dropout": 0.1}),
    ("optax", "momentum", "rich", "price", {}),
    ("keras", "adam", "houses", "class", {"batch_norm": True}),
    ("sklearn", "momentum", "houses", "price", {}),
    pytest.param("torch", "adam", "rich", "price", {}, marks=pytest.mark.full),
    pytest.param("optax", "adam", "houses", "class", {"batch_norm": True}, marks=pytest.mark.full),
    pytest.param("keras", "momentum", "rich", "price", {}, marks=pytest.mark.full),
    ("sklearn", "adam", "rich", "class", {"batch_norm": True}),
]


@pytest.mark.processes
@pytest.mark.parametrize(("format", "optimizer", "name", "target", "strategies"), CASES)
def test_a_saved_program_predicts_what_our_own_network_predicts(
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
    command = [sys.executable, "script.py", "predict", str(saved), str(rows), "-o", "predictions.csv"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=alone)
    assert done.returncode == 0, done.stderr
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


@pytest.mark.parametrize(("format", "optimizer", "name", "target", "strategies"), CASES)
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


def run_with(program: ModuleType, *arguments: Any) -> None:
    """A program with the arguments of a command line, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["script.py", *map(str, arguments)])
        program.main()


def predict_here(program: ModuleType, capsys: pytest.CaptureFixture[str], saved: Path, rows: Path) -> str:
    """What a program prints when it predicts in this process."""
    capsys.readouterr()
    run_with(program, "predict", saved, rows)
    return capsys.readouterr().out


@pytest.fixture
def of_table(
    trained: Callable[[str, str], tuple[ExperimentRecord, Path]], tmp_path: Path
) -> tuple[ModuleType, Path, pd.DataFrame]:
    """A program for a table, what it has saved, and new rows, all cells as their texts."""
    pytest.importorskip("optax")
    record, folder = trained("houses", "class")
    config = parity.config("adam", strategies={"epochs": 1})
    program = parity.module(str(parity.written(record, config, "optax").content))
    run_with(program, "--save", tmp_path / "model.npz")
    rows = pd.read_csv(folder / "new_houses.csv", sep=";", dtype=str, keep_default_na=False)
    return program, tmp_path / "model.npz", rows


def test_a_prediction_does_not_depend_on_the_other_rows(
    of_table: tuple[ModuleType, Path, pd.DataFrame], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A code that is all digits is a label also where all codes are, and a boolean where one is missing or spelled in
    another way.
    """
    program, saved, rows = of_table
    path = tmp_path / "rows.csv"

    def predicted(some: pd.DataFrame) -> list[str]:
        some.to_csv(path, index=False, sep=";")
        return predict_here(program, capsys, saved, path).splitlines()[1:]

    whole = predicted(rows)
    assert set(rows["code"][:2]) == {"07"}
    assert predicted(rows[:2]) == whole[:2]
    assert predicted(rows.assign(code=" " + rows["code"])) == whole
    assert predicted(rows.assign(code="7"))[:2] != whole[:2]
    assert predicted(rows.assign(garden=rows["garden"].str.lower())) == whole
    known = rows[rows["garden"] != ""]
    assert predicted(known) == [line for line, garden in zip(whole, rows["garden"], strict=True) if garden]


def test_rows_that_are_none(
    of_table: tuple[ModuleType, Path, pd.DataFrame], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One message each, and no prediction from half of them."""
    program, saved, rows = of_table
    path = tmp_path / "rows.csv"

    def refused(some: pd.DataFrame | str, file: Path = saved) -> str:
        path.write_text(some if isinstance(some, str) else some.to_csv(index=False, sep=";"), encoding="utf-8")
        with pytest.raises(SystemExit) as raised:
            predict_here(program, capsys, file, path)
        return str(raised.value)

    assert refused(rows.drop(columns=["rooms", "code"])) == f"{path}: lacks the columns rooms, code"
    assert "the column 'rooms' should have finite numbers, got many" in refused(rows.assign(rooms="many"))
    assert "the column 'rooms' should have finite numbers, got inf" in refused(rows.assign(rooms="inf"))
    assert refused(rows[:0]) == f"{path}: has no rows"
    assert refused("").startswith(f"{path}: ")
    assert "nothing.npz: has no network of this program (FileNotFoundError" in refused(rows, tmp_path / "nothing.npz")
    other = tmp_path / "other.npz"
    np.savez(other, X=np.zeros(3))
    assert "other.npz: has no network of this program (KeyError" in refused(rows, other)


@pytest.mark.parametrize("format", ["sklearn", "keras"])
def test_a_file_that_cannot_be_written_is_refused_before_training(
    format: str, iris_record: ExperimentRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if format == "keras":
        pytest.importorskip("keras")
    program = parity.module(str(parity.written(iris_record, parity.config("adam"), format).content))
    for name in ("nowhere/model.keras", *(["model.npz"] if format == "keras" else [])):
        with pytest.raises(SystemExit) as raised:
            run_with(program, "--save", tmp_path / name)
        assert raised.value.code == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert ("its folder does not exist" if "/" in name else "should end in .keras") in told.err


def test_a_program_for_arrays_takes_their_columns_in_order(
    iris_record: ExperimentRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers and labels of the user's own; a cell that is missing is taken as the median."""
    text = str(parity.written(iris_record, parity.config("momentum"), "sklearn").content)
    program = parity.module(text)
    monkeypatch.setitem(sys.modules, "exported", program)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(91, 2))
    np.savez(tmp_path / "data.npz", X=X, y=np.array([2.0, 7.0, 10.0])[(X > 0).sum(axis=1)])
    saved, path = tmp_path / "model.joblib", tmp_path / "rows.csv"
    run_with(program, tmp_path / "data.npz", "--save", saved)
    (training, _), _ = program.split(*program.load_arrays(tmp_path / "data.npz"))
    path.write_text(f'\ufefffirst,"second, too"\n0.5,\n0.5,{np.median(training[:, 1])}\n-3,-3\n\n', encoding="utf-8")
    header, cells = predictions(predict_here(program, capsys, saved, path))
    assert header == ["prediction", "probability_2", "probability_7", "probability_10"]
    assert cells[0].tolist() == cells[1].tolist()
    assert cells[2, 0] == "2"
    for rows, message in (
        ("a,b\n1\n", "should have a line of names, then rows of 2 columns"),
        ("", "should have a line of names, then rows of 2 columns"),
        ("a,b\n", "should have a line of names, then rows of 2 columns"),
        ("a,b\n1,x\n", "could not convert string to float: 'x'"),
        ("a,b\n1,inf\n", "should have finite numbers"),
    ):
        path.write_text(rows)
        with pytest.raises(SystemExit, match=message):
            predict_here(program, capsys, saved, path)
