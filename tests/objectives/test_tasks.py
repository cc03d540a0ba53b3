"""Tasks: what a run may see, how it is scaled, what the uninformed predictor scores, their names."""

import subprocess
import sys
from pathlib import Path

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import log_loss, mean_squared_error, r2_score
from sklearn.preprocessing import StandardScaler

from cooldown.objectives import TrainConfig, tasks, train
from cooldown.objectives.data.splits import split
from cooldown.objectives.errors import InputError
from cooldown.objectives.problem import Problem

ROOT = Path(__file__).parents[2]
EXPECTED = {
    "autoencoder_digits": (1797, 64, 0),
    "breast_cancer": (569, 30, 2),
    "deep_narrow": (1797, 64, 10),
    "diabetes": (442, 10, 0),
    "digits": (1797, 64, 10),
    "iris": (150, 4, 3),
    "sparse_text": (1200, 400, 4),
    "two_moons": (600, 2, 2),
    "wine": (178, 13, 3),
}
# Tested in test_fetched_tasks.py and test_quadratic.py.
DOWNLOADED, WITHOUT_DATA = {"california_housing", "covertype"}, {"quadratic"}


def marked(n=100, kind="classification", **options):
    """A task whose single feature, unscaled, is the row's number: what a problem holds can be read off it."""
    X = np.arange(n, dtype=float)[:, None]
    y = np.repeat(["a", "b"], [3 * n // 4, n - 3 * n // 4]) if kind == "classification" else X[:, 0] ** 2
    task = tasks.from_arrays(X, y, name="marked", kind=kind, **options)
    return tasks.ArrayTask("marked", kind, task.load, standardize=False)


def rows(problem: Problem, part: str) -> list[int]:
    indices = problem.train if part == "train" else problem.held_out
    return problem.model.X[indices, 0].astype(int).tolist()


class Quadratic:
    """½‖θ − x‖² averaged over a batch of points x."""

    def __init__(self, points):
        self.points = points

    @property
    def size(self):
        return self.points.shape[1]

    def init(self, rng):
        return rng.normal(size=self.size)

    def loss_and_gradient(self, theta, indices):
        difference = theta[:, None, :] - self.points[indices]
        return 0.5 * np.square(difference).sum(axis=2).mean(axis=1), difference.mean(axis=1)


# --- splits


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_a_search_never_holds_the_test_rows(kind):
    task = marked(kind=kind)
    test = set(rows(task.evaluation_problem(3), "held_out"))
    seen = set(rows(task.evaluation_problem(3), "train"))
    assert len(test) == 20
    assert test | seen == set(range(100))
    for repeat in range(3):
        problem = task.search_problem(3, repeat)
        assert len(problem.model.X) == len(problem.model.y) == 80
        assert set(problem.model.X[:, 0].astype(int)) == seen
        assert problem.train.tolist() == list(range(60))
        assert problem.held_out.tolist() == list(range(60, 80))
        assert set(rows(problem, "train")).isdisjoint(rows(problem, "held_out"))


def test_validation_rows_change_with_the_repeat_and_test_rows_with_the_seed():
    task = marked()
    first, again = task.search_problem(0, 0), task.search_problem(0, 0)
    assert rows(first, "held_out") == rows(again, "held_out")
    assert rows(first, "held_out") != rows(task.search_problem(0, 1), "held_out")
    assert rows(task.evaluation_problem(0), "held_out") != rows(task.evaluation_problem(1), "held_out")


def test_splits_are_stratified():
    problem = marked().search_problem(0, 0)
    assert np.bincount(problem.model.y[problem.train]).tolist() == [45, 15]
    assert np.bincount(problem.model.y[problem.held_out]).tolist() == [15, 5]
    evaluation = marked().evaluation_problem(0)
    assert np.bincount(evaluation.model.y[evaluation.held_out]).tolist() == [15, 5]


@settings(max_examples=60)
@given(
    counts=st.lists(st.integers(5, 40), min_size=2, max_size=12),
    seed=st.integers(0, 2**31),
    repeat=st.integers(0, 9),
)
def test_five_rows_of_a_class_suffice_for_any_split(counts, seed, repeat):
    labels = np.repeat(np.arange(len(counts)), counts)
    train, validation, test = split(len(labels), labels, seed, repeat)
    assert sorted([*train, *validation, *test]) == list(range(len(labels)))
    assert len(np.unique(labels[train])) == len(counts)
    rest, watched, same = split(len(labels), labels, seed)
    assert np.array_equal(test, same)
    assert sorted([*train, *validation]) == rest.tolist()
    assert np.array_equal(watched, split(len(labels), labels, seed, 0)[1]), "what a run that reacts may watch"


# --- scaling and the uninformed predictor


@pytest.mark.parametrize("problem", ["search", "evaluation"])
def test_scaling_is_fitted_on_the_training_rows_only(problem):
    X = np.random.default_rng(0).lognormal(size=(60, 3)) * [1, 10, 100]
    y = X @ [1.0, -1.0, 0.5]
    task = tasks.from_arrays(X, y, kind="regression")
    got = task.search_problem(1, 2) if problem == "search" else task.evaluation_problem(1)
    train, validation, test = split(60, None, 1, 2) if problem == "search" else split(60, None, 1)
    held_out = validation if problem == "search" else test
    scaler, target = StandardScaler().fit(X[train]), StandardScaler().fit(y[train, None])
    np.testing.assert_allclose(got.model.X[got.train], scaler.transform(X[train]), atol=1e-12)
    np.testing.assert_allclose(got.model.X[got.held_out], scaler.transform(X[held_out]), atol=1e-12)
    np.testing.assert_allclose(got.model.y[got.held_out], target.transform(y[held_out, None]), atol=1e-12)


@pytest.fixture
def three_targets():
    """A task of three targets of very different variance, the last of them constant."""
    X = np.random.default_rng(0).normal(size=(60, 4))
    y = np.column_stack([X[:, 0] + 5, 100 * X[:, 1] * X[:, 2], np.full(60, 0.1)])
    return tasks.ArrayTask("three", "regression", lambda: (X, y))


@pytest.mark.parametrize("problem", ["search", "evaluation"])
def test_several_targets_are_centred_and_share_one_scale(three_targets, problem):
    got = three_targets.search_problem(1, 2) if problem == "search" else three_targets.evaluation_problem(1)
    _, y = three_targets.data
    train, validation, test = split(60, None, 1, 2) if problem == "search" else split(60, None, 1)
    mean, scale = y[train].mean(axis=0), np.sqrt(y[train].var(axis=0).mean())
    for part, rows in ((got.train, train), (got.held_out, validation if problem == "search" else test)):
        np.testing.assert_allclose(got.model.y[part], (y[rows] - mean) / scale, atol=1e-12)
    assert np.square(got.model.y[got.train]).mean() == pytest.approx(1)
    assert got.model.n_outputs == 3


def test_uninformed_loss_of_several_targets_is_that_of_their_means(three_targets):
    _, y = three_targets.data
    train, validation, _ = split(60, None, 0, 1)
    mean = DummyRegressor().fit(train[:, None], y[train])
    expected = mean_squared_error(y[validation], mean.predict(validation[:, None])) / y[train].var(axis=0).mean()
    assert three_targets.search_problem(0, 1).uninformed_loss == pytest.approx(expected)


def test_several_targets_that_are_never_the_same_make_other_fingerprints(three_targets):
    X, y = three_targets.data
    other = tasks.ArrayTask("three", "regression", lambda: (X, y[:, [1, 0, 2]]))
    assert other.fingerprint() != three_targets.fingerprint()
    assert cloudpickle.loads(cloudpickle.dumps(three_targets)).fingerprint() == three_targets.fingerprint()


def test_uninformed_loss_by_hand():
    # 45 a and 15 b to train on, 15 and 5 to validate on: ¾·ln(4/3) + ¼·ln 4.
    expected = 0.75 * np.log(4 / 3) + 0.25 * np.log(4)
    assert marked().search_problem().uninformed_loss == pytest.approx(expected)


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_uninformed_loss_of_classes_is_that_of_the_prior(name):
    for problem in (tasks.get(name).search_problem(0, 1), tasks.get(name).evaluation_problem(5)):
        X, y, train, held_out = problem.model.X, problem.model.y, problem.train, problem.held_out
        prior = DummyClassifier(strategy="prior").fit(X[train], y[train])
        expected = log_loss(y[held_out], prior.predict_proba(X[held_out]), labels=prior.classes_)
        assert problem.uninformed_loss == pytest.approx(expected)


def test_uninformed_loss_of_a_regression_is_that_of_the_mean_in_standardized_units():
    task = tasks.get("diabetes")
    _, y = task.data
    train, validation, _ = split(len(y), None, 0, 1)
    mean = DummyRegressor().fit(train[:, None], y[train])
    expected = mean_squared_error(y[validation], mean.predict(validation[:, None])) / y[train].var()
    assert task.search_problem(0, 1).uninformed_loss == pytest.approx(expected)


def test_a_class_without_training_rows_leaves_the_uninformed_loss_finite():
    y = np.repeat([0, 1], [10, 1])
    task = tasks.ArrayTask("rare", "classification", lambda: (np.arange(11.0)[:, None], y))
    problem = task._problem(np.arange(10), np.array([10]))
    assert problem.uninformed_loss == pytest.approx(np.log(11))


# --- built-ins


def test_the_catalog_lists_the_built_in_tasks():
    missing = sorted(set(tasks.names()) - (EXPECTED.keys() | DOWNLOADED | WITHOUT_DATA))
    assert not missing, (
        f"{missing}: add a row (rows, features, classes; 0 classes for a regression) to EXPECTED above, or the name to "
        "DOWNLOADED or WITHOUT_DATA with a test of its own, and run: python tests/fingerprints.py"
    )
    assert set(tasks.names()) == EXPECTED.keys() | DOWNLOADED | WITHOUT_DATA


@pytest.mark.parametrize("name", EXPECTED)
def test_a_built_in_task_trains_and_is_what_its_docstring_says(name):
    task = tasks.get(name)
    X, y = task.data
    n_rows, n_features, n_classes = EXPECTED[name]
    assert task.name == name
    assert X.shape == (n_rows, n_features)
    assert np.isfinite(X).all()
    if n_classes:
        assert (task.kind, task.score_name) == ("classification", "accuracy")
        assert np.unique(y).tolist() == list(range(n_classes))
    else:
        assert (task.kind, task.score_name) == ("regression", "R²")
    document = sys.modules[f"cooldown.objectives.tasks.{name}"].__doc__
    assert f"{n_rows} rows" in document
    assert f"{n_features} features" in document
    assert (f"{n_classes} classes" if n_classes else "regression") in document
    [[curve]] = train(task, [TrainConfig(epochs=2)], [0])
    assert np.isfinite(curve.held_out_loss).all()
    assert curve.train_loss[1] < curve.train_loss[0]


def test_deep_narrow_is_trained_at_few_rates():
    task = tasks.get("deep_narrow")
    assert task.hidden == (16,) * 12
    tuned, too_large = (
        TrainConfig.from_json({"optimizer": {"name": rule, "learning_rate": rate}, "schedule": "cosine"})
        for rule, rate in (("adam", 0.005), ("momentum", 0.1))
    )
    good, bad = (np.mean([curve.final_loss for curve in row]) for row in train(task, [tuned, too_large], range(3)))
    assert good < 1.2
    assert bad > 2


def test_the_autoencoder_is_scored_by_the_variance_that_it_explains():
    task = tasks.get("autoencoder_digits")
    pixels, targets = task.data
    assert np.array_equal(pixels, targets)
    problem = task.search_problem(0, 1)
    model, rows = problem.model, problem.held_out
    train_rows, validation, _ = split(len(pixels), None, 0, 1)
    assert pixels[train_rows].std(axis=0).min() == 0  # a pixel that is never inked breaks nothing
    assert problem.uninformed_loss == pytest.approx(1, abs=0.1)
    theta = model.init(np.random.default_rng(0))[None]
    scale = np.sqrt(pixels[train_rows].var(axis=0).mean())
    [drawn] = model.predict(theta, model.X[rows]) * scale + pixels[train_rows].mean(axis=0)
    losses, scores = model.evaluate(theta, rows)
    assert losses[0] == pytest.approx(mean_squared_error(pixels[validation], drawn) / scale**2)
    # scikit-learn leaves out a pixel that does not vary in these rows; here an error there is one like any other.
    wrong, variance = np.square(drawn - pixels[validation]).mean(axis=0), pixels[validation].var(axis=0)
    varying = r2_score(pixels[validation], drawn, multioutput="variance_weighted")
    assert (variance == 0).any()
    assert scores[0] == pytest.approx(varying - wrong[variance == 0].sum() / variance.sum())
    narrower = task.with_hidden((2,)).search_problem().model
    assert narrower.size == 64 * 2 + 2 + 2 * 64 + 64
    assert (narrower.n_outputs, narrower.activation) == (64, "tanh")


def test_sparse_text_stays_sparse():
    X = tasks.get("sparse_text").search_problem().model.X
    assert 0.90 < (X == 0).mean() < 0.95
    assert X.min() == 0


@pytest.mark.processes
def test_listing_tasks_loads_no_library():
    code = (
        "import sys; from cooldown.objectives import tasks; tasks.names(); "
        "print([m for m in ('sklearn', 'pandas', 'scipy', 'numba') if m in sys.modules])"
    )
    assert _python(code) == "[]"


# --- hidden layers, pickles, fingerprints


def test_with_hidden_is_a_copy():
    task = tasks.get("iris")
    linear = task.with_hidden(())
    assert linear.search_problem().model.size == 4 * 3 + 3
    assert task.hidden == (32,)
    assert np.array_equal(linear.search_problem().model.X, task.search_problem().model.X)


@pytest.mark.parametrize("hidden", [(0,), (32.5,), "32", 32, (True,), (-1,), None])
def test_hidden_must_be_widths(hidden):
    with pytest.raises(InputError, match="widths of hidden layers"):
        tasks.get("iris").with_hidden(hidden)


def test_tasks_survive_a_pickle():
    model = tasks.from_model(Quadratic(np.zeros((20, 2))), n_samples=20, name="bowl")
    for task in (tasks.get("iris"), marked(), model):
        back = cloudpickle.loads(cloudpickle.dumps(task))
        assert back.fingerprint() == task.fingerprint()
        assert back.search_problem(1, 2).uninformed_loss == task.search_problem(1, 2).uninformed_loss


def _python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.processes
def test_a_fingerprint_is_the_same_in_another_process():
    code = (
        "import numpy as np; from cooldown.objectives import tasks; "
        "from tests.objectives.test_tasks import Quadratic; "
        "print(tasks.get('digits').fingerprint(), tasks.get('sparse_text').fingerprint(), "
        "tasks.from_model(Quadratic(np.arange(40.).reshape(20, 2)), n_samples=20, name='q').fingerprint())"
    )
    model = tasks.from_model(Quadratic(np.arange(40.0).reshape(20, 2)), n_samples=20, name="q")
    here = [tasks.get("digits").fingerprint(), tasks.get("sparse_text").fingerprint(), model.fingerprint()]
    assert _python(code).split() == here


def test_a_fingerprint_changes_with_a_cell_and_a_setting_but_not_with_the_name():
    X, y = np.random.default_rng(0).normal(size=(20, 2)), np.tile([0, 1], 10)
    reference = tasks.from_arrays(X, y, name="one").fingerprint()
    changed_x, changed_y = X.copy(), y.copy()
    changed_x[7, 1] += 1e-9
    changed_y[3] = 0
    others = [
        tasks.from_arrays(changed_x, y),
        tasks.from_arrays(X, changed_y),
        tasks.from_arrays(X, y, hidden=()),
        tasks.from_arrays(X, y, kind="regression"),
    ]
    prints = {task.fingerprint() for task in others} | {reference}
    assert len(prints) == 5
    assert tasks.from_arrays(X, y, name="two").fingerprint() == reference


# --- a user's arrays


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        (["no", "yes"] * 10, "classification"),
        ([True, False] * 10, "classification"),
        ([0, 1] * 10, "classification"),
        ([0.0, 1.0] * 10, "classification"),
        (pd.Series(["no", "yes"] * 10, dtype="category"), "classification"),
        ([0.5, 1.5] * 10, "regression"),
        (np.linspace(0, 1, 20), "regression"),
        (np.arange(40), "regression"),
    ],
)
def test_the_kind_is_inferred(y, kind):
    assert tasks.from_arrays(np.zeros((len(y), 1)), y).kind == kind


def test_labels_may_be_texts():
    task = tasks.from_arrays(np.arange(20.0)[:, None], ["no", "yes"] * 10)
    assert task.data[1].tolist() == [0, 1] * 10


GOOD = np.arange(40.0).reshape(20, 2)
LABELS = [0, 1] * 10


def _with(value, row=3, column=1):
    X = GOOD.astype(object)
    X[row, column] = value
    return X if not isinstance(value, float) else X.astype(float)


@pytest.mark.parametrize(
    ("X", "y", "options", "message"),
    [
        (GOOD[:, 0], LABELS, {}, r"shape \(n, d\).*got \(20,\)"),
        (GOOD[:, :0], LABELS, {}, r"got \(20, 0\)"),
        ([[1, 2], [3]], LABELS, {}, "table of numbers"),
        (GOOD, LABELS[:-1], {}, r"y=\.\.\.\): must have shape \(20,\).*got \(19,\)"),
        (GOOD, GOOD, {}, r"must have shape \(20,\).*got \(20, 2\)"),
        (_with(float("nan")), LABELS, {}, r"got nan at X\[3, 1\]"),
        (_with(float("inf")), LABELS, {}, r"got inf at X\[3, 1\]"),
        (_with("red"), LABELS, {}, r"X\[3, 1\] must be a number, got 'red'.*from_table"),
        (_with(None), LABELS, {}, r"X\[3, 1\] must be a number, got None"),
        (GOOD, [1.5, float("nan"), *np.arange(18)], {}, "1 missing.*row 2"),
        (GOOD, [1.5, float("inf"), *np.arange(18)], {}, "finite.*got inf in row 2"),
        (GOOD, [None, *["a", "b"] * 9, "a"], {}, "1 missing.*row 1"),
        (GOOD, None, {}, r"must have shape \(20,\).*got \(\)"),
        (None, LABELS, {}, "got .*NoneType"),
        (GOOD, [2.5] * 20, {}, "constant, 2.5"),
        (GOOD, ["a"] * 20, {}, "only one class, 'a'"),
        (GOOD, ["a"] * 16 + ["b"] * 4, {}, "class 'b' has too few rows, 4: at least 5"),
        (GOOD, np.arange(20), {}, "class 0 has too few rows, 1.*regression"),
        (GOOD[:9], np.linspace(0, 1, 9), {}, "at least 10 rows.*got 9"),
        (GOOD[:0], [], {}, "no rows"),
        (GOOD, ["a", "b"] * 10, {"kind": "regression"}, "needs numbers, got 'a'"),
        (GOOD, LABELS, {"kind": "clasification"}, "did you mean 'classification'"),
        (GOOD, LABELS, {"name": ""}, "name"),
        (GOOD, LABELS, {"hidden": (0,)}, "widths"),
        (GOOD, [[1], [1, 2]] * 10, {}, "one label or number for each row"),
        (GOOD, np.array(["2020-01-01"] * 20, "datetime64[D]"), {}, "labels or numbers.*datetime64"),
    ],
)
def test_unusable_arrays_are_refused(X, y, options, message):
    with pytest.raises(InputError, match=message):
        tasks.from_arrays(X, y, **options)


def test_an_activation_must_be_known():
    with pytest.raises(InputError, match="did you mean 'relu'"):
        tasks.ArrayTask("a", "classification", marked().load, activation="rely")


# --- a user's own model


def test_a_users_model_is_trained():
    points = np.random.default_rng(0).normal(3.0, 1.0, (50, 2))
    task = tasks.from_model(Quadratic(points), n_samples=50, name="bowl")
    config = TrainConfig.from_json({"optimizer": {"name": "sgd", "learning_rate": 0.1}, "epochs": 100})
    [[curve]] = train(task, [config], [0])
    train_rows, validation, _ = split(50, None, 0, 0)
    # The best that can be reached is the mean of the training points.
    best = 0.5 * np.square(points[train_rows].mean(axis=0) - points[validation]).sum(axis=1).mean()
    assert curve.final_loss == pytest.approx(best, rel=1e-3)
    assert np.isnan(curve.final_score)
    assert curve.uninformed_loss > 3 * best


def test_a_users_model_gets_disjoint_rows_stratified_by_labels():
    labels = np.repeat(["a", "b"], [40, 10])
    task = tasks.from_model(Quadratic(np.zeros((50, 1))), n_samples=50, name="b", labels=labels, uninformed_loss=7)
    search, evaluation = task.search_problem(2, 1), task.evaluation_problem(2)
    assert search.uninformed_loss == 7.0
    assert sorted([*search.train, *search.held_out]) == evaluation.train.tolist()
    assert sorted([*evaluation.train, *evaluation.held_out]) == list(range(50))
    assert (labels[evaluation.held_out] == "b").sum() == (labels[search.held_out] == "b").sum() == 2


def test_a_models_fingerprint_changes_with_a_cell_far_from_the_first_chunk():
    points = np.zeros((3000, 1))
    reference = tasks.from_model(Quadratic(points), n_samples=3000, name="a").fingerprint()
    points[2900] = 1e-6
    assert tasks.from_model(Quadratic(points), n_samples=3000, name="a").fingerprint() != reference


def _broken(**members):
    return type("Broken", (Quadratic,), members)(np.zeros((20, 2)))


def _fail(*_):
    raise IndexError("no such row")


def _touching(self, theta, indices):
    theta += 1
    return Quadratic.loss_and_gradient(self, theta, indices)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (object(), "size is missing"),
        (_broken(size=2.0), r"size must be a whole number.*got 2\.0"),
        (_broken(size=3), r"init\(rng\) must have shape \(3,\), got \(2,\)|broadcast"),
        (_broken(init=lambda self, rng: np.array([np.nan, 0])), r"init\(rng\) must be finite"),
        (_broken(init=lambda self, rng: np.random.default_rng().normal(size=2)), "rng alone"),
        (_broken(init=_fail), r"init\(rng\) raised IndexError: no such row"),
        (_broken(loss_and_gradient=_fail), r"loss_and_gradient\(theta \(2, 2\).*raised IndexError"),
        (_broken(loss_and_gradient=lambda self, theta, indices: 1.0), "must return .*got float"),
        (
            _broken(loss_and_gradient=lambda self, theta, indices: (1.0, theta)),
            r"losses .* shape \(2,\), got \(\)",
        ),
        (
            _broken(loss_and_gradient=lambda self, theta, indices: (theta[:, 0], theta[0])),
            r"gradients .* shape \(2, 2\), got \(2,\)",
        ),
        (_broken(loss_and_gradient=lambda self, theta, indices: (theta[:, 0] * np.nan, theta)), "finite"),
        (_broken(loss_and_gradient=_touching), "must not modify theta and indices"),
    ],
)
def test_a_model_that_breaks_the_contract_is_refused(model, message):
    with pytest.raises(InputError, match=message):
        tasks.from_model(model, n_samples=20, name="broken")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_samples": 9}, "at least 10"),
        ({"n_samples": 20.0}, "whole number"),
        ({"labels": ["a"] * 20}, "only one class"),
        ({"labels": ["a", "b"]}, r"\(20,\).*got \(2,\)"),
        ({"uninformed_loss": float("nan")}, "finite number"),
        ({"kind": "ranking"}, "unknown kind of task"),
        ({"name": " "}, "name"),
    ],
)
def test_a_model_needs_usable_arguments(options, message):
    with pytest.raises(InputError, match=message):
        tasks.from_model(Quadratic(np.zeros((20, 2))), **{"n_samples": 20, "name": "bowl"} | options)


# --- what a person writes for a task


@pytest.fixture
def user_module(tmp_path, monkeypatch):
    (tmp_path / "my_tasks.py").write_text(
        "import numpy as np\nfrom cooldown.objectives import tasks\n"
        "mine = tasks.from_arrays(np.arange(20.0)[:, None], [0, 1] * 10, name='mine')\nnumber = 3\n"
    )
    (tmp_path / "broken_tasks.py").write_text("1 / 0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [folder for folder in sys.path if folder not in ("", str(tmp_path))])
    yield
    sys.modules.pop("my_tasks", None)


def test_resolve_a_built_in():
    assert tasks.resolve("digits") is tasks.get("digits")
    assert tasks.resolve("digits", hidden=(8, 4)).hidden == (8, 4)


def test_resolve_a_users_module_in_the_working_folder(user_module):
    assert tasks.resolve("my_tasks:mine").name == "mine"
    assert tasks.resolve("my_tasks:mine", hidden=()).hidden == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("digist", r"did you mean 'digits'\?.*openml:NAME, a path to a CSV or Parquet file, or module:attribute"),
        ("", "unknown task ''"),
        ("my_tasks:mien", "did you mean 'mine'"),
        ("my_tasks:number", "must be a Task .*got 3"),
        ("my_tasks:", "module 'my_tasks' has no attribute ''"),
        ("no_such_module:task", "cannot be imported: ModuleNotFoundError"),
        ("broken_tasks:task", "cannot be imported: ZeroDivisionError"),
        (":task", "cannot be imported"),
    ],
)
def test_resolve_refuses_what_is_no_task(user_module, text, message):
    with pytest.raises(InputError, match=message):
        tasks.resolve(text)


def test_a_target_is_for_tables_only():
    with pytest.raises(InputError, match="target 'price' is for a CSV or Parquet file or for openml:NAME; 'digits' is"):
        tasks.resolve("digits", target="price")


def test_a_model_of_ones_own_has_no_hidden_layers():
    task = tasks.from_model(Quadratic(np.zeros((20, 2))), n_samples=20, name="bowl")
    with pytest.raises(InputError, match="'bowl' has a model of its own"):
        task.with_hidden((8,))
    with pytest.raises(InputError, match="'quadratic' has a model of its own"):
        tasks.resolve("quadratic", hidden=(8,))
