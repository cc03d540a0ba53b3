"""Built-in tasks, what a person writes for a task, and what all have: hidden layers, a pickle, a fingerprint."""

import subprocess
import sys
from pathlib import Path

import cloudpickle
import numpy as np
import pytest
from sklearn.metrics import mean_squared_error, r2_score
from small_tasks import Quadratic, marked

from cooldown.objectives import TrainConfig, tasks, train
from cooldown.objectives.data.splits import split
from cooldown.objectives.errors import InputError

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
    assert f"{n_rows:,} rows" in document
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


@pytest.mark.processes
def test_a_fingerprint_is_the_same_in_another_process():
    code = (
        "import numpy as np; from cooldown.objectives import tasks; "
        "from tests.objectives.small_tasks import Quadratic; "
        "print(tasks.get('digits').fingerprint(), tasks.get('sparse_text').fingerprint(), "
        "tasks.from_model(Quadratic(np.arange(40.).reshape(20, 2)), n_samples=20, name='q').fingerprint())"
    )
    model = tasks.from_model(Quadratic(np.arange(40.0).reshape(20, 2)), n_samples=20, name="q")
    here = [tasks.get("digits").fingerprint(), tasks.get("sparse_text").fingerprint(), model.fingerprint()]
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == here


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
        (
            "digist",
            r"did you mean 'digits'\?.*openml:NAME, a path to a CSV, Parquet or svmlight file, or module:attribute",
        ),
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
