"""Strategies: each alone and among others, what it changes and costs; and the order of the data."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategy_runs import ROWS, config, problem

from cooldown.objectives import Outcome, Problem, train
from cooldown.objectives.conformance.runs import same
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.random_streams import generator
from cooldown.objectives.strategies import STRATEGIES
from cooldown.objectives.training import data_order
from cooldown.objectives.training.assembly import easiest_first
from cooldown.objectives.training.data_order import MOST_KEPT, RUNS_KEPT, DataOrder, by_difficulty, kept_order
from cooldown.objectives.training.engine import fit

EACH = {
    "shuffle": {"shuffle": False},
    "easy_to_hard": {"curriculum": "easy_to_hard"},
    "mixed": {"curriculum": "mixed"},
    "early_stopping": {"early_stopping": 1},
    "gradient_noise": {"gradient_noise": 0.3},
    "gradient_noise_decay": {"gradient_noise": 0.3, "gradient_noise_decay": 0.9},
    "dropout": {"dropout": 0.4},
    "batch_norm": {"batch_norm": True},
    "clip_norm": {"clip_norm": 0.1},
    "l2": {"l2": 0.1},
    "weight_decay": {"weight_decay": 0.3},
    "he": {"initialization": "he"},
    "glorot": {"initialization": "glorot"},
    "poor": {"initialization": "poor"},
    "large": {"initialization": "large"},
    "zero": {"initialization": "zero"},
    "normal_0.1": {"initialization": "normal_0.1"},
    "ema": {"averaging": "ema"},
    "averaging_decay": {"averaging": "ema", "averaging_decay": 0.5},
    "swa": {"averaging": "swa"},
    "averaging_share": {"averaging": "swa", "averaging_share": 1.0},
    "sam": {"sam": 0.1},
    "plateau": {"schedule": {"name": "plateau", "patience": 1}},
    "batch_growth": {"schedule": {"name": "batch_growth", "every": 2, "gamma": 0.5}},
    "all": {
        "curriculum": "mixed",
        "shuffle": False,
        "early_stopping": 4,
        "gradient_noise": 0.1,
        "dropout": 0.2,
        "batch_norm": True,
        "clip_norm": 0.5,
        "weight_decay": 0.1,
        "initialization": "poor",
        "averaging": "ema",
        "sam": 0.05,
        "schedule": {"name": "plateau", "patience": 1},
    },
}
WILD = {"optimizer": {"name": "momentum", "learning_rate": 1e30}}


def test_every_strategy_is_among_the_cases():
    assert {name for fields in EACH.values() for name in fields} - {"schedule"} == set(STRATEGIES)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_together_or_alone_gives_the_same_bits(dtype):
    """Beside those that use other strategies, and one that diverges."""
    configs = [config(), *[config(**fields) for fields in EACH.values()], config(**WILD), config(**WILD, dropout=0.4)]
    seeds = [0, 7]
    together = train(problem(), configs, seeds, dtype=dtype)
    outcomes = [curve.outcome for row in together[-2:] for curve in row]
    assert Outcome.DIVERGED in outcomes
    for (i, one), (j, seed) in itertools.product(enumerate(configs), enumerate(seeds)):
        ((alone,),) = train(problem(), [one], [seed], dtype=dtype)
        assert same(together[i][j], alone), one


@pytest.mark.parametrize("name", EACH)
def test_each_changes_something_and_costs_what_it_says(name):
    ((plain,), (changed,)) = train(problem(), [config(), config(**EACH[name])], [0])
    assert not same(plain, changed)
    gradients = 2 if "sam" in EACH[name] else 1
    if changed.outcome is Outcome.COMPLETED and "curriculum" not in EACH[name]:
        assert changed.gradient_evaluations == gradients * 6 * ROWS
    if "curriculum" in EACH[name]:
        # The reference model: ten epochs, and one look at each row.
        assert changed.gradient_evaluations == (gradients * len(changed.train_loss) + 10 + 1) * ROWS


# Order of the data


@given(
    st.integers(1, 80),
    st.integers(1, 12),
    st.booleans(),
    st.sampled_from(["none", "easy_to_hard", "mixed"]),
    st.integers(0, 9),
)
def test_an_epoch_has_as_many_rows_as_there_are(n, epochs, shuffle, curriculum, seed):
    rows = 1000 + np.arange(n)
    order = DataOrder(rows, generator(seed, "data order"), epochs, shuffle, curriculum)
    for epoch in range(epochs):
        seen = order.epoch(epoch)
        assert len(seen) == n
        assert set(seen) <= set(rows)
        whole = curriculum == "none" or 2 * epoch >= epochs
        assert not whole or sorted(seen) == rows.tolist()


def test_a_curriculum_begins_with_the_easiest_fifth_and_has_all_rows_at_half_of_the_run():
    rows = np.arange(100)
    strict = DataOrder(rows, generator(0, "data order"), 10, True, "easy_to_hard")
    hardest = [strict.epoch(epoch).max() for epoch in range(10)]
    assert hardest == [19, 35, 51, 67, 83, 99, 99, 99, 99, 99]
    mixed = DataOrder(rows, generator(0, "data order"), 10, True, "mixed")
    first = mixed.epoch(0)
    assert 50 <= (first < 20).sum() < 75, "half from the easiest fifth, the rest from all"
    assert first.max() > 80


@pytest.mark.parametrize("shuffle", [True, False])
def test_a_mixed_curriculum_has_hard_rows_from_the_start(shuffle):
    rows = np.arange(100)
    order = DataOrder(rows, generator(0, "data order"), 20, shuffle, "mixed")
    first, second = order.epoch(0), order.epoch(1)
    assert (first >= 50).sum() > 15
    assert len({*first, *second}) > 60, "half of each epoch is drawn from all rows, and not the same half"


def test_without_shuffling_rows_come_as_they_are():
    rows = np.array([5, 3, 9])
    order = DataOrder(rows, generator(0, "data order"), 2, False, "none")
    assert order.epoch(0).tolist() == order.epoch(1).tolist() == [5, 3, 9]
    assert by_difficulty(rows, np.array([2.0, 1.0, 2.0])).tolist() == [3, 5, 9]


def test_an_order_that_is_kept_is_the_one_that_would_be_drawn():
    rows = np.array([5, 3, 9, 4, 8], np.int32)
    for seed in (0, 1):
        order, kept = DataOrder(rows, generator(seed, "data order"), 3, True, "none"), kept_order(rows, seed, 3)
        assert [kept[epoch].tolist() for epoch in range(3)] == [order.epoch(epoch).tolist() for epoch in range(3)]
    assert kept_order(rows, 1, 3) is kept
    with pytest.raises(ValueError, match="read-only"):
        kept[0, 0] = 1
    for seed in range(2, 2 + RUNS_KEPT):
        kept_order(rows, seed, 3)
    assert kept_order(rows, 1, 3) is not kept, "no more than so many are kept"
    assert kept_order(np.arange(MOST_KEPT // 2 + 1), 0, 2) is None


def test_runs_of_the_same_seeds_draw_their_order_once(monkeypatch):
    drawn = []
    monkeypatch.setattr(data_order, "order_stream", lambda seed: drawn.append(seed) or generator(seed, "data order"))
    data_order._shuffled.cache_clear()
    curves = [train(problem(), [config(**each)], [3, 4])[0] for each in ({}, {"dropout": 0.3}, {"shuffle": False})]
    assert drawn == [3, 4]
    for kept, of_fit in zip(curves[0], fit(problem(), config(), [3, 4]).curves, strict=True):
        assert kept.train_loss.tolist() == of_fit.train_loss.tolist(), "a fit draws as it goes on"
    assert drawn == [3, 4]


def test_easy_rows_are_those_that_the_reference_model_is_right_about():
    """Rows with a wrong label are hard."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 2))
    y = (X[:, 0] > 0).astype(np.int64)
    wrong = np.arange(0, 100, 10)
    y[wrong] = 1 - y[wrong]
    task = Problem(MLP(X, y, (8,), 2, "cross_entropy"), np.arange(100), np.arange(100, 120), 0.7)
    order, paid = easiest_first(task)
    assert sorted(order) == list(range(100))
    assert paid == 11 * 100
    assert np.isin(wrong, order[-40:]).mean() >= 0.8
    assert easiest_first(task)[0] is order, "found once for a problem"
