"""Rows of each replicate's own: drawn per repeat and seed, the same for every arm, trained in one population."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, r2_score
from sklearn.preprocessing import StandardScaler
from small_tasks import marked
from training_runs import same

from cooldown.objectives import Outcome, TrainConfig, tasks, train
from cooldown.objectives.data.arrays import ArrayTask
from cooldown.objectives.data.splits import split
from cooldown.objectives.errors import InputError

SEEDS = [11, 12, 13]


def config(**changes: object) -> TrainConfig:
    return TrainConfig.from_json({"optimizer": {"name": "adam", "learning_rate": 0.02}, "epochs": 4, **changes})


CONFIGS = [
    config(),
    config(optimizer={"name": "adam", "learning_rate": 0.1}),
    config(batch_norm=True),
    config(dropout=0.3),
    config(curriculum="easy_to_hard"),
    config(early_stopping=1, epochs=9),
    config(schedule={"name": "plateau", "patience": 1}),
]


@pytest.fixture(scope="module")
def gaps() -> ArrayTask:
    """A task with rare categories and few missing cells, so that most splits have columns that others have not."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 3))
    X[rng.random((90, 3)) < 0.03] = np.nan
    X[:, 2] = rng.choice(30, 90)
    y = (np.nan_to_num(X[:, 0]) + rng.normal(size=90) > 0).astype(int)
    return ArrayTask("gaps", "classification", lambda: (X, y), hidden=(5,), categorical=(2,))


# --- which rows


@settings(max_examples=40)
@given(n=st.integers(10, 200), seed=st.integers(0, 2**40), repeat=st.integers(0, 40), replicate=st.integers(0, 2**31))
def test_every_row_is_in_exactly_one_part(n, seed, repeat, replicate):
    rows = split(n, None, seed, repeat, replicate)
    assert sorted([*rows.train, *rows.validation, *rows.test]) == list(range(n))
    assert rows.rest.tolist() == sorted([*rows.train, *rows.validation])
    assert len(rows.test) == -(-n // 5)
    assert len(rows.validation) == -(-len(rows.rest) // 4)


def test_test_rows_are_drawn_for_each_repeat_and_validation_rows_for_each_replicate():
    labels = np.repeat([0, 1], [75, 25])
    rows = {(repeat, seed): split(100, labels, 3, repeat, seed) for repeat in range(3) for seed in SEEDS}
    for repeat in range(3):
        assert len({tuple(rows[repeat, seed].test) for seed in SEEDS}) == 1, "one test set for all seeds of a repeat"
        assert len({tuple(rows[repeat, seed].validation) for seed in SEEDS}) == 3
    assert len({tuple(rows[repeat, 11].test) for repeat in range(3)}) == 3
    assert len({tuple(split(100, labels, seed, 0, 11).test) for seed in range(3)}) == 3
    for each in rows.values():
        assert [labels[part].mean() for part in each] == [0.25] * 3, "stratified"
    again = split(100, labels, 3, 2, 12)
    assert all(np.array_equal(*parts) for parts in zip(again, rows[2, 12], strict=True))


@pytest.mark.parametrize("watching", [False, True])
def test_an_evaluation_measures_the_test_rows_that_no_search_has(watching):
    task = marked()
    test = task.split(3, 1, 11).test
    for problem in task.evaluation_problems(3, 1, SEEDS, watching=watching):
        first = problem.model.X[:, 0]
        assert first[problem.held_out].tolist() == test.tolist()
        assert len(problem.train) == (60 if watching else 80)
    for problem in task.search_problems(3, 1, SEEDS):
        everything = set(problem.model.X[:, 0])
        assert everything.isdisjoint(test)
        assert len(everything) == 80


def test_a_run_that_watches_has_rows_of_its_own_to_watch():
    task = marked()
    problems = task.evaluation_problems(3, 1, SEEDS, watching=True)
    assert len({problem.model for problem in problems}) == 1
    for seed, problem in zip(SEEDS, problems, strict=True):
        first, rows = problem.model.X[:, 0], task.split(3, 1, seed)
        assert first[problem.train].tolist() == rows.train.tolist()
        assert first[problem.monitor].tolist() == rows.validation.tolist()
        assert problem.reacting.train.tolist() == problem.train.tolist(), "whether or not a config reacts"


def test_a_users_model_has_index_sets():
    labels = np.repeat([0, 1], [40, 10])

    class Flat:
        size = 2

        def init(self, rng):
            return rng.normal(size=2)

        def loss_and_gradient(self, theta, indices):
            return np.square(theta).sum(axis=1), 2 * theta

    task = tasks.from_model(Flat(), n_samples=50, name="flat", labels=labels, uninformed_loss=9.0)
    for seed, problem in zip(SEEDS, task.search_problems(1, 2, SEEDS), strict=True):
        rows = task.split(1, 2, seed)
        assert (problem.train.tolist(), problem.held_out.tolist()) == (rows.train.tolist(), rows.validation.tolist())
    for problem in task.evaluation_problems(1, 2, SEEDS, watching=True):
        assert problem.held_out.tolist() == rows.test.tolist()


# --- one population


@pytest.mark.parametrize("kind", ["digits", "gaps", "diabetes"])
def test_replicates_with_other_rows_train_together_as_they_do_alone(kind, gaps):
    task = gaps if kind == "gaps" else tasks.get(kind)
    problems = task.search_problems(0, 1, SEEDS)
    assert len({problem.model for problem in problems}) == 1
    together = train(problems, CONFIGS, SEEDS)
    for j, seed in enumerate(SEEDS):
        (alone,) = task.search_problems(0, 1, [seed])
        if kind != "gaps":
            assert np.array_equal(alone.model.X[alone.train], problems[j].model.X[problems[j].train])
        for i, each in enumerate(CONFIGS):
            ((curve,),) = train([alone], [each], [seed])
            assert same(curve, together[i][j])


def test_columns_are_those_of_the_repeats_rows_and_numbers_those_of_the_training_rows(gaps):
    X = gaps.data[0]
    problems = gaps.search_problems(0, 0, range(5))
    rest = gaps.split(0, 0, 0).rest
    widths = {problem.model.X.shape[1] for problem in problems}
    assert widths == {gaps.preprocessor().fit(X[rest]).transform(X[rest]).shape[1]}
    for seed, problem in enumerate(problems):
        rows = gaps.split(0, 0, seed)
        imputer = SimpleImputer(strategy="median").fit(X[rows.train][:, :2])
        scaler = StandardScaler().fit(imputer.transform(X[rows.train][:, :2]))
        for part, of_problem in ((rows.train, problem.train), (rows.validation, problem.held_out)):
            expected = scaler.transform(imputer.transform(X[part][:, :2]))
            np.testing.assert_allclose(problem.model.X[of_problem, :2], expected, atol=1e-12)


def test_evaluations_that_watch_train_together_as_they_do_alone():
    task = tasks.get("iris")
    problems = task.evaluation_problems(0, 1, SEEDS, watching=True)
    together = train(problems, CONFIGS, SEEDS, every_epoch=False)
    for i, each in enumerate(CONFIGS):
        for j, seed in enumerate(SEEDS):
            ((curve,),) = train(
                task.evaluation_problems(0, 1, [seed], watching=True), [each], [seed], every_epoch=False
            )
            assert same(curve, together[i][j])
            assert curve.gradient_evaluations <= (90 * each.epochs if each.curriculum == "none" else 10_000)


def test_pruning_takes_the_mean_over_replicates_with_rows_of_their_own():
    task = tasks.get("iris")
    problems = task.search_problems(0, 0, SEEDS)
    chosen = [config(epochs=6), config(optimizer={"name": "adam", "learning_rate": 1e-6}, epochs=6)]
    free = train(problems, chosen, SEEDS)
    limit = np.mean([curve.held_out_loss[0] for curve in free[0]]) + 0.01
    pruned = train(problems, chosen, SEEDS, limits=np.full((2, 6), limit))
    assert {curve.outcome for curve in pruned[0]} == {Outcome.COMPLETED}
    assert {curve.outcome for curve in pruned[1]} == {Outcome.PRUNED}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda problems: problems[:2], "one Problem per seed, got 2 for 3"),
        (lambda problems: [*problems[:2], "digits"], "must be a Task"),
        (lambda _: [], "one Problem per seed, got 0 for 3"),
    ],
)
def test_a_list_of_problems_that_does_not_fit_the_seeds(given, message):
    with pytest.raises(InputError, match=message):
        train(given(tasks.get("iris").search_problems(0, 0, SEEDS)), [config()], SEEDS)


def test_limits_need_one_model():
    problems = [tasks.get("iris").search_problem(0, repeat) for repeat in range(2)]
    with pytest.raises(InputError, match="on one model"):
        train(problems, [config()], [0, 1], limits=np.full((1, 4), 1.0))
    assert len(train(problems, [config()], [0, 1])[0]) == 2, "without limits they are trained one by one"


# --- the uninformed predictor's score


def test_a_diverged_run_has_the_score_of_the_uninformed_predictor():
    for name in ("wine", "diabetes"):
        task = tasks.get(name)
        problem = task.search_problem(0, 1)
        y, train_rows, held_out = problem.model.y, problem.train, problem.held_out
        if name == "wine":
            expected = accuracy_score(y[held_out], np.full(len(held_out), np.bincount(y[train_rows]).argmax()))
        else:
            expected = r2_score(y[held_out], np.broadcast_to(y[train_rows].mean(axis=0), y[held_out].shape))
        assert problem.uninformed_score == pytest.approx(expected)
        ((curve,),) = train(problem, [config(optimizer={"name": "sgd", "learning_rate": 1e30})], [0])
        assert curve.outcome is Outcome.DIVERGED
        assert curve.final_score == problem.uninformed_score
