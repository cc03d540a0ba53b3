"""Experiments on sparse rows: searched, resumed, taken home, and refused where a format has no words for them."""

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from search_runs import TINY

from cooldown import compare
from cooldown.objectives import tasks
from cooldown.objectives.errors import InputError
from cooldown.search.claims.limits import of_sparse
from cooldown.search.parallel.data import rows_of_task
from cooldown.storage import Status

N, WORDS = 100, 400


def sparse_task() -> Any:
    rng = np.random.default_rng(0)
    y = np.arange(N) % 2
    filled = np.column_stack([y, rng.integers(2, WORDS, (N, 8))])
    X = csr_array((np.ones(filled.size), filled.ravel(), np.arange(0, filled.size + 1, 9)), (N, WORDS))
    return tasks.from_arrays(X, y, name="words")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("ledger")
    settings = {**TINY, "task": sparse_task(), "arms": ("adagrad", "adam"), "repeats": 1, "epochs": 6}
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


def test_claims_and_parallel_runs_take_sparse_rows() -> None:
    task = sparse_task()
    assert of_sparse(task) == ""
    assert rows_of_task(task).features == WORDS
