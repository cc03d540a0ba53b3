"""Data sets and loaders of PyTorch as the rows of a task, and tasks in experiments."""

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset  # noqa: E402
from torch_modules import FLAT, LABELS, ROWS, perceptron  # noqa: E402

from cooldown import TrainConfig, compare, tasks, train  # noqa: E402
from cooldown.objectives.errors import InputError  # noqa: E402
from cooldown.storage.fingerprint import arm_fingerprints  # noqa: E402
from cooldown.testing import task_checks  # noqa: E402

CONFIG = TrainConfig.from_json({"optimizer": {"name": "adam", "learning_rate": 0.05}, "batch_size": 8, "epochs": 2})


class Augmented(Dataset[Any]):
    """Rows with a transform that draws. noise: its deviation."""

    def __init__(self, noise: float = 0.0, rows: slice = slice(None)) -> None:
        self.X, self.y, self.noise = torch.tensor(FLAT[rows], dtype=torch.float32), LABELS[rows], noise

    def __len__(self) -> int:
        return len(self.X)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.X[index] + self.noise * torch.randn(4), int(self.y[index])


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter(Augmented()[i] for i in range(ROWS))


def curve_of(train_rows: Any = None, seeds: tuple[int, ...] = (0,), **options: Any) -> Any:
    task = tasks.from_torch(perceptron, train=train_rows, device="cpu", **options)
    return train(task, [CONFIG], list(seeds))[0][-1]


@pytest.mark.parametrize(
    "rows",
    [
        Augmented(),
        DataLoader(Augmented(), batch_size=7, shuffle=True),
        DataLoader(Stream(), batch_size=7),
        TensorDataset(torch.tensor(FLAT, dtype=torch.float32), torch.tensor(LABELS)),
        (FLAT.tolist(), torch.tensor(LABELS)),
        [(torch.tensor(FLAT[:15]), LABELS[:15]), (torch.tensor(FLAT[15:]), LABELS[15:])],
    ],
    ids=["by index", "loader by index", "loader of a stream", "tensors", "pair", "batches"],
)
def test_rows_in_any_form_are_the_same_rows(rows: Any) -> None:
    if isinstance(rows, list):
        rows = iter(rows)
    curve = curve_of(rows)
    [[expected]] = train(tasks.from_torch(perceptron, FLAT.astype(np.float32), LABELS, device="cpu"), [CONFIG], [0])
    np.testing.assert_allclose(curve.train_loss, expected.train_loss, rtol=1e-6)
    np.testing.assert_allclose(curve.held_out_loss, expected.held_out_loss, rtol=1e-6)


def test_words_are_numbered_in_order() -> None:
    words = np.array(["ant", "bee", "cat"])[LABELS]
    task = tasks.from_torch(perceptron, FLAT, words, device="cpu")
    np.testing.assert_array_equal(task.labels, LABELS)


def test_a_random_transform_draws_from_the_replicates_stream() -> None:
    alone, beside = curve_of(Augmented(0.5)), curve_of(Augmented(0.5), (1, 0))
    np.testing.assert_array_equal(alone.train_loss, beside.train_loss)
    assert alone.train_loss.tolist() != curve_of(Augmented(0.4)).train_loss.tolist()
    for check in task_checks(tasks.from_torch(perceptron, train=Augmented(0.5), device="cpu")):
        if "learns" not in check.name:
            check.run()


def test_batches_are_made_by_the_loaders_own_function() -> None:
    def doubled(items: Any) -> Any:
        return torch.stack([2 * x for x, _ in items]), torch.tensor([label for _, label in items])

    curve = curve_of(DataLoader(Augmented(), collate_fn=doubled))
    [[expected]] = train(tasks.from_torch(perceptron, 2 * FLAT, LABELS, device="cpu"), [CONFIG], [0])
    np.testing.assert_allclose(curve.train_loss, expected.train_loss, rtol=1e-5)


def test_validation_and_test_rows_may_be_ones_own() -> None:
    parts = {
        "train": Augmented(0.1, slice(24)),
        "validation": Augmented(0.0, slice(24, 32)),
        "test": (FLAT[32:].astype(np.float32), LABELS[32:]),
    }
    task = tasks.from_torch(perceptron, device="cpu", **parts)
    (search,), (evaluation,) = task.search_problems(5, 2, [9]), task.evaluation_problems(5, 2, [9])
    assert (search.train.tolist(), search.held_out.tolist()) == (list(range(24)), list(range(24, 32)))
    assert (evaluation.train.tolist(), evaluation.held_out.tolist()) == (list(range(32)), list(range(32, 40)))
    assert np.isfinite(train(evaluation, [CONFIG], [0])[0][0].final_loss)


def test_with_own_validation_rows_the_test_rows_are_drawn_from_the_others() -> None:
    task = tasks.from_torch(perceptron, FLAT[:30], LABELS[:30], validation=(FLAT[30:], LABELS[30:]), device="cpu")
    (search,), (evaluation,) = task.search_problems(5, 2, [9]), task.evaluation_problems(5, 2, [9])
    assert search.held_out.tolist() == list(range(30, 40))
    assert sorted([*search.train, *evaluation.held_out]) == list(range(30))
    assert len(evaluation.held_out) == 6


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (3, "must be a pair .X, y., a data set or a loader.*got int"),
        ([torch.ones(3)] * 3, "an item must be a pair, input and target, got Tensor"),
        (iter([]), "has no rows"),
        (TensorDataset(torch.ones(20, 4)), "an item must be a pair"),
        ((FLAT[:1], LABELS[:1]), "at least 2 rows"),
    ],
)
def test_what_are_no_rows_is_refused(rows: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        tasks.from_torch(perceptron, train=rows, device="cpu")


SMALL = {"trials": 4, "seeds": 1, "repeats": 2, "epochs": 2, "finalists": 1, "finalist_seeds": 1, "confirm_seeds": 1}


def test_an_arms_results_do_not_depend_on_workers_and_other_arms() -> None:
    task = tasks.from_torch(perceptron, FLAT, LABELS, name="own", device="cpu")
    first = compare(task, arms=["sgd", "adam"], workers=2, **SMALL)
    again = compare(task, arms=["adam", "sgd", "nag"], workers=1, **SMALL)
    assert first.answer.sentence
    beside = arm_fingerprints(again.view.record.studies)
    for arm, fingerprint in arm_fingerprints(first.view.record.studies).items():
        assert beside[arm] == fingerprint


def test_without_torch_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("cooldown.objectives.frameworks.torch")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InputError, match=r"tasks\.from_torch needs torch.*: pip install torch"):
        tasks.from_torch(perceptron, FLAT, LABELS)
