"""Experiments on sparse rows: searched, resumed, taken home, and refused where a format has no words for them."""

from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from search_runs import TINY

from cooldown import compare
from cooldown.objectives import TrainConfig, tasks
from cooldown.objectives.errors import InputError
from cooldown.search.claims.limits import of_sparse
from cooldown.search.evidence.generalization import generalization
from cooldown.search.experiments.predicting import predict
from cooldown.search.parallel.data import rows_of_task
from cooldown.storage import Status

N, WORDS = 100, 400


def rows() -> Any:
    rng = np.random.default_rng(0)
    y = np.arange(N) % 2
    filled = np.column_stack([y, rng.integers(2, WORDS, (N, 8))])
    X = csr_array((np.ones(filled.size), filled.ravel(), np.arange(0, filled.size + 1, 9)), (N, WORDS))
    X.sum_duplicates()
    return X, y


def sparse_task() -> Any:
    return tasks.from_arrays(*rows(), name="words")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("ledger")
    X, y = rows()
    cells = [" ".join(f"{j}:{X[i, j]:g}" for j in X[[i]].indices) for i in range(N)]
    (file := folder / "words.svm").write_text("".join(f"{y[i]} {cells[i]}\n" for i in range(N)))
    settings = {**TINY, "task": str(file), "arms": ("adagrad", "adam"), "repeats": 1, "epochs": 6}
    return compare(**settings, db=f"sqlite:///{folder}/cooldown.db", name="words", workers=1)


def test_an_experiment_on_sparse_rows_is_done(result: Any) -> None:
    assert result.status is Status.DONE
    assert [reference.name for reference in result.record.references[0]] == ["no model", "logistic regression"]


def test_its_model_is_taken_home(result: Any) -> None:
    model, (X, y) = result.fit_best(), sparse_task().data
    assert (model.predict(X) == y).mean() > 0.7
    assert np.allclose(model.predict_proba(X), model.predict_proba(X.toarray()))


@pytest.mark.parametrize(
    ("format", "message"), [("onnx", "the rows of task 'words' are sparse"), ("torch", "sparse rows")]
)
def test_formats_that_cannot_express_sparse_rows_say_so(result: Any, format: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        result.export(format)


def test_its_winners_are_probed(result: Any) -> None:
    for arm in generalization(result.view):
        (probes,) = arm.known
        measured = {name: value for name, value in probes.to_json().items() if name != "ablation"}
        assert all(value is not None for value in measured.values())
        assert probes.sharpness > 0
        assert len(probes.ablation) == 33


def test_its_exported_model_predicts_rows_of_a_file(result: Any, tmp_path: Path, run_here: Any) -> None:
    (file := tmp_path / "model.joblib").write_bytes(result.export("joblib"))
    (new := tmp_path / "new.svm").write_text("1 1:1 8000:4\n0 0:1\n1 1:1 8:1\n")
    code, out, err = run_here("predict", str(file), str(new))
    assert code == 0, err
    found = pd.read_csv(StringIO(out))
    model = result.fit_best()
    X = csr_array(([1.0, 1.0, 1.0, 1.0], ([0, 1, 2, 2], [1, 0, 1, 8])), (3, model.n_features_in_))
    assert np.array_equal(found["prediction"], model.predict(X))
    assert np.allclose(found.iloc[:, 1:], model.predict_proba(X))
    assert f"knows the columns up to index {model.n_features_in_ - 1}; cells of others are ignored" in err
    assert f"Accuracy on these rows: {np.mean(found['prediction'] == [1, 0, 1]):.4g}" in err


def test_a_model_of_dense_rows_refuses_such_a_file(tmp_path: Path) -> None:
    (new := tmp_path / "new.svm").write_text("1 1:1\n")
    dense: Any = SimpleNamespace(load=lambda: tasks.get("iris").fitted(TrainConfig(optimizer="adam", epochs=1)))
    with pytest.raises(
        InputError, match=r"new\.svm': is a svmlight file, but the model was not trained on sparse rows"
    ):
        predict(dense, new)


def test_claims_and_parallel_runs_take_sparse_rows() -> None:
    task = sparse_task()
    assert of_sparse(task) == ""
    assert rows_of_task(task).features == WORDS
