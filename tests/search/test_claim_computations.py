"""Claims whose numbers are computed from a task's rows: against closed forms, and on rows where they do not hold."""

from typing import Any

import numpy as np
import pytest

from cooldown import compare, tasks
from cooldown.objectives.random_streams import generator
from cooldown.search.claims import networks, survey
from cooldown.search.claims.survey import (
    c07_variance,
    c09_adagrad,
    c17_hogwild,
    r01_random_labels,
    r02_single_directions,
)
from cooldown.search.parallel.data import rows_of_task
from cooldown.search.statistics.claims import findings, whole


def words(parts: Any) -> list[str]:
    return [finding.word for finding in findings(parts)]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "EPOCHS", {"small": 120})
    monkeypatch.setattr(networks, "MOST_ROWS", 60)


def test_c7_on_a_real_task() -> None:
    assert words(c07_variance.computed(tasks.get("iris"), "small")) == ["supported"]


def test_c7_is_contradicted_where_the_variance_does_not_fall(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(c07_variance, "slope", lambda task, repeat: -0.5 + repeat / 1000)
    assert words(c07_variance.computed(None, "small")) == ["contradicted"]
    monkeypatch.setattr(c07_variance, "slope", lambda task, repeat: -1.1 + (repeat % 2) / 100)
    assert words(c07_variance.computed(None, "small")) == ["open"]


def test_c9_rates_of_words() -> None:
    assert words(c09_adagrad.computed(tasks.get("sparse_text"), "small")) == ["supported", "supported"]


def test_c9_sums_squared_gradients() -> None:
    """With one feature and one batch a pass, all gradients are worked out by hand."""
    X, y = np.array([[1.0], [1.0]] * 8), np.array([0, 1] * 8)
    assert c09_adagrad.squares(X, y, generator(0, "test")) == pytest.approx(np.zeros((5, 1)))
    y = np.zeros(16, np.int64)
    y[:4] = 1
    first = c09_adagrad.squares(X, y, generator(0, "test"))[0]
    # At zero both classes have probability 1/2, and a quarter of the rows is of class 1: the slopes are ∓1/4.
    assert first == pytest.approx([0.25**2])


@pytest.mark.usefixtures("quick")
def test_random_labels_are_fitted_and_not_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    found = r01_random_labels.computed(tasks.get("digits"), "small")
    assert words(found)[0] == "supported"
    assert np.abs(found[1].x).max() < 0.15
    # With the task's own labels, the same network does not guess.
    monkeypatch.setattr(tasks.ArrayTask, "with_random_labels", lambda self, share: self)
    assert words(r01_random_labels.computed(tasks.get("digits"), "small")) == ["supported", "contradicted"]


@pytest.mark.usefixtures("quick")
def test_single_directions() -> None:
    claim: Any = survey.get("single-directions")
    parts = claim.computed(tasks.get("digits"), "small")
    assert words(parts)[0] == "supported"
    assert all(np.abs(part.x).max() < 1 for part in parts)


@pytest.mark.parametrize(
    ("random", "normalized", "dropped", "word"),
    [
        ((0.3, 0.2, 0.6), (0.6, 0.7, 0.4), (0.5, 0.5, 0.5), "supported"),
        ((0.7, 0.2, 0.6), (0.4, 0.7, 0.6), (0.5, 0.6, 0.5), "contradicted"),
        ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5), (0.5, 0.55, 0.5), "open"),
    ],
)
def test_single_directions_on_planted_networks(
    monkeypatch: pytest.MonkeyPatch, random: Any, normalized: Any, dropped: Any, word: str
) -> None:
    """Planted are of each network the area, the accuracy beyond the share of dropout, and the selectivity."""
    draw = np.random.default_rng(0)

    class Task:
        def __init__(self, planted: Any) -> None:
            self.planted = planted

        def with_random_labels(self, share: float) -> "Task":
            return Task(random)

    def trained(task: Task, *_: Any, batch_norm: bool = False, dropout: float = 0) -> Any:
        return normalized if batch_norm else dropped if dropout else task.planted

    def reliance(planted: Any, repeat: int) -> Any:
        return r02_single_directions.Reliance(*(np.array(planted) + draw.normal(0, 0.01, 3)))

    monkeypatch.setattr(r02_single_directions, "trained", trained)
    monkeypatch.setattr(r02_single_directions, "reliance", reliance)
    task: Any = Task((0.5, 0.5, 0.5))
    assert words(r02_single_directions.computed(task, "small")) == [word] * 4


def test_c17_measures_speed_up_per_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([(3.0, 0.5), (3.3, 0.5), (2.9, 0.5), (3.1, 0.5), (3.0, 0.5)] * 2)
    monkeypatch.setattr(c17_hogwild, "_round", lambda rows, threads, seed: next(times))
    monkeypatch.setattr(c17_hogwild, "default_workers", lambda: 3)
    fast = c17_hogwild.computed(tasks.get("sparse_text"), "small")
    assert words(fast) == ["supported", "supported"]
    monkeypatch.setattr(c17_hogwild, "default_workers", lambda: 16)
    assert whole(findings(c17_hogwild.computed(tasks.get("sparse_text"), "small"))).word == "contradicted"
    assert survey.get("C17").kind == "measured"


def test_c17_for_real() -> None:
    speed_up, loss_ratio = c17_hogwild._round(rows_of_task(tasks.get("iris")), 2, 0)
    assert speed_up > 0
    assert loss_ratio == pytest.approx(1, abs=0.5)


def test_c6_measures_the_sharpness_of_the_winners(tmp_path: Any) -> None:
    from cooldown.search.claims.survey.c06_large_batches import ARMS, log_sharpness
    from cooldown.search.evidence.generalization import generalization

    small = {
        "trials": 1,
        "repeats": 2,
        "epochs": 1,
        "seeds": 1,
        "finalists": 1,
        "finalist_seeds": 1,
        "confirm_seeds": 1,
    }
    view = compare("iris", arms=ARMS[2:], db=tmp_path / "it.db", workers=1, **small).view
    measured = log_sharpness(view)
    for of_arm in generalization(view):
        expected = [probes.sharpness for _, probes in sorted(of_arm.repeats.items()) if probes]
        assert np.exp(measured[of_arm.arm]) == pytest.approx(expected, rel=1e-12)
