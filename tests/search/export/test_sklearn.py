"""The exported scikit-learn program does what our own training does, to 1e-8 over 100 updates, and runs as a script."""

import pickle
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import parity
import pytest
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import _multilayer_perceptron
from sklearn.utils.estimator_checks import check_estimator

from cooldown.objectives import TrainConfig, optimizers, tasks
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.random_streams import generator
from cooldown.storage import ExperimentRecord


class Drawn:
    """The random numbers of our own training, as the program asks for them."""

    def __init__(self, hidden: tuple[int, ...]) -> None:
        self.hidden = hidden
        self.left: list[Any] = []
        self.dropout, self.noise = generator(parity.SEED, "dropout"), generator(parity.SEED, "gradient noise")

    def random(self, shape: tuple[int, int]) -> Any:
        """Ours are drawn for all hidden layers at once."""
        if not self.left:
            whole = self.dropout.random((shape[0], sum(self.hidden)), np.float32).astype(float)
            self.left = np.split(whole, np.cumsum(self.hidden)[:-1], axis=1)
        return self.left.pop(0)

    def standard_normal(self, size: int) -> Any:
        return self.noise.standard_normal(size, np.float32)


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is pickled is found by its module."""
    monkeypatch.setitem(sys.modules, "exported", ModuleType("exported"))


def exported(record: ExperimentRecord, config: TrainConfig, task: tasks.Task | None = None) -> ModuleType:
    made = parity.module(str(parity.written(record, config, "sklearn", task).content))
    sys.modules["exported"] = made
    return made


def follow(record: ExperimentRecord, config: TrainConfig, task: tasks.Task | None = None) -> None:
    """With an estimator of its own: the very same initial weights, and then all else."""
    reference = parity.Reference(config, task or tasks.get("iris"))
    program = exported(record, config, task)
    X, y = reference.rows
    widths = (X.shape[1], *program.HIDDEN, reference.model.n_outputs)
    theta = program.make_parameters(generator(parity.SEED, "initial weights"), widths)
    np.testing.assert_array_equal(theta, reference.initial[: len(theta)])
    statistics = [program.make_statistics(widths)] if reference.model.batch_norm else []
    watched = reference.watched if config.reacts else ()
    drawn = [Drawn(program.HIDDEN)] if config.gradient_noise or config.dropout else []
    losses = program.train(theta, *statistics, widths, X, y, reference.orders, *watched, *drawn)
    reference.assert_followed(theta, losses)
    for running, norm in zip(*statistics, reference.model.architecture.norms, strict=True) if statistics else ():
        ours = reference.final[norm.statistics : norm.statistics + 2 * norm.width]
        np.testing.assert_allclose(np.concatenate(running), ours, rtol=1e-6, atol=1e-8)


BUILT_IN = [
    parity.config(rule, "constant", strategies=strategies, **lengths)
    for rule in parity.with_native("sklearn")
    for strategies, lengths in [({}, {}), ({"shuffle": False, "initialization": "glorot"}, {"warmup_steps": 1})]
]


@pytest.mark.parametrize(
    "config", [each for each in parity.every_config("sklearn") if each.values[0] not in BUILT_IN], ids=parity.name_of
)
def test_every_rule_under_every_schedule(config: TrainConfig, iris_record: ExperimentRecord) -> None:
    follow(iris_record, config)


FOLLOWED = [each.values[0] for each in parity.every_config("sklearn") if not each.marks]


# A rule that scikit-learn lacks has the same program without this, which is followed above.
@pytest.mark.parametrize(
    "optimizer",
    [
        name
        for name in optimizers.names()
        if name in parity.with_native("sklearn") or parity.config(name) not in FOLLOWED
    ],
)
def test_a_constant_rate_by_hand(
    optimizer: str, iris_record: ExperimentRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    parity.without_natives(monkeypatch)
    follow(iris_record, parity.config(optimizer))


def follow_built_in(
    record: ExperimentRecord, monkeypatch: pytest.MonkeyPatch, config: TrainConfig, task: tasks.Task | None = None
) -> None:
    """scikit-learn's own loop, from our initial weights and in our orders."""
    reference = parity.Reference(config, task or tasks.get("iris"))
    program = exported(record, config, task)
    X, y = reference.rows
    layers, orders = reference.layers(reference.initial), iter(reference.orders)
    monkeypatch.setattr(program.Network, "_init_coef", lambda self, *_: tuple(map(np.copy, layers[len(self.coefs_)])))
    monkeypatch.setattr(_multilayer_perceptron, "shuffle", lambda *_, **__: next(orders))
    classifies = reference.task.kind == "classification"
    *_, network = program.make_model(len(X), *([] if classifies else [y.shape[1]]))
    assert network.shuffle == config.shuffle
    if not classifies:
        # Our rows are scaled already, and by those that are watched too.
        monkeypatch.setattr(program.Network, "fit", lambda self, X, y: super(program.Network, self).fit(X, y))
    with pytest.warns(ConvergenceWarning):
        network.fit(X, y if classifies or y.shape[1] > 1 else y[:, 0])
    theta = reference.final.copy()
    for (weights, biases), coef, intercept in zip(
        reference.layers(theta), network.coefs_, network.intercepts_, strict=True
    ):
        weights[:], biases[:] = coef, intercept
    # It has half the squared error.
    reference.assert_followed(theta, np.array(network.loss_curve_) * (1 if classifies else 2))


@pytest.mark.parametrize("config", BUILT_IN, ids=lambda each: f"{parity.name_of(each)}{each.initialization}")
def test_scikit_learns_own_network(
    config: TrainConfig, iris_record: ExperimentRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert parity.written(iris_record, config, "sklearn").remarks == ()
    follow_built_in(iris_record, monkeypatch, config)


@pytest.mark.parametrize("task", ["diabetes", "autoencoder_digits", "deep_narrow"])
@pytest.mark.parametrize("rule", parity.with_native("sklearn"))
def test_scikit_learns_own_network_on_other_tasks(
    rule: str, task: str, iris_record: ExperimentRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = parity.config(rule, strategies={"epochs": 3, "batch_size": 64})
    follow_built_in(iris_record, monkeypatch, config, tasks.get(task))


DRAWN: list[dict[str, Any]] = [
    {"gradient_noise": 0.001, "gradient_noise_decay": 0.7},
    {"dropout": 0.3},
    # All that is random together multiplies a rounding by 1e8 over 200 updates, and by more with batches of two rows.
    {"dropout": 0.3, "batch_norm": True, "gradient_noise": 0.001, "clip_norm": 1.0, "batch_size": 9, "epochs": 10},
    *({"initialization": scheme} for scheme in ("he", "glorot", "poor")),
]


@pytest.mark.parametrize(("optimizer", "schedule", "strategies"), parity.every_strategy("sklearn"))
def test_strategies(optimizer: str, schedule: str, strategies: dict[str, Any], iris_record: ExperimentRecord) -> None:
    follow(iris_record, parity.config(optimizer, schedule, strategies=strategies))


@pytest.mark.parametrize("strategies", DRAWN, ids=str)
@pytest.mark.parametrize(("optimizer", "schedule"), parity.RULES)
def test_strategies_with_random_numbers(
    optimizer: str, schedule: str, strategies: dict[str, Any], iris_record: ExperimentRecord
) -> None:
    follow(iris_record, parity.config(optimizer, schedule, strategies=strategies))


@pytest.mark.parametrize("strategies", [{}, {"dropout": 0.2, "batch_norm": True}], ids=str)
@pytest.mark.parametrize("task", ["diabetes", "autoencoder_digits", "deep_narrow"])
def test_other_tasks(task: str, strategies: dict[str, Any], iris_record: ExperimentRecord) -> None:
    """One target, several targets under tanh, many layers."""
    config = parity.config("adam", "cosine", strategies={"epochs": 3, "batch_size": 64, **strategies})
    follow(iris_record, config, tasks.get(task))


def test_no_hidden_layer(iris_record: ExperimentRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    iris = tasks.get("iris")
    assert isinstance(iris, tasks.ArrayTask)
    task = replace(iris, name="logistic", hidden=())
    follow(iris_record, parity.config("adam", "step", every=5), task)
    follow_built_in(iris_record, monkeypatch, parity.config("nag"), task)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (parity.config("momentum", "cosine"), "scikit-learn's MLPClassifier cannot .*: it has no schedule cosine; the"),
        (parity.config("momentum", warmup_steps=2), ": it has no warm-up; the"),
        (parity.config("adam"), ": it adds Adam's epsilon before the second moment is corrected; the"),
        (parity.config("adamax"), ": it has no optimizer adamax; the"),
        (parity.config("sgd", strategies={"l2": 0.1}), ": its alpha leaves out the biases and is divided by the rows"),
        *(
            (parity.config("sgd", strategies={name: 0.1}), f": it has no {name}; the")
            for name in ("clip_norm", "weight_decay", "gradient_noise", "dropout")
        ),
        (parity.config("sgd", strategies={"batch_norm": True}), ": it has no batch_norm; the"),
        (parity.config("sgd", strategies={"early_stopping": 3}), ": its early_stopping uses the score, not the loss"),
    ],
    ids=str,
)
def test_why_scikit_learn_cannot(config: TrainConfig, said: str, iris_record: ExperimentRecord) -> None:
    made = parity.written(iris_record, config, "sklearn")
    [remark] = made.remarks
    with pytest.raises(ValueError, match=said):
        raise ValueError(remark)
    why, instead = remark.split("; the program ")
    assert instead == "defines an exact estimator in NumPy instead"
    # A reader of the program is told, too.
    assert f" {why}. " in " ".join(str(made.content).split())
    assert "import MLPClassifier" not in str(made.content)


def test_two_classes_are_another_model(iris_record: ExperimentRecord, tmp_path: Path) -> None:
    task = tasks.get("breast_cancer")
    [remark] = parity.written(iris_record, parity.config("sgd"), "sklearn", task).remarks
    assert ": for two classes it has one logistic output instead of two; the program" in remark
    follow(iris_record, parity.config("sgd", strategies={"epochs": 3}), task)


def test_the_split_and_the_preprocessing_are_those_of_our_evaluation(iris_record: ExperimentRecord) -> None:
    for task in ("iris", "diabetes", "autoencoder_digits"):
        program = exported(iris_record, parity.config("adam"), tasks.get(task))
        (X, y), (X_test, y_test) = program.split(*program.load_data())
        steps = program.make_model()[:-1]
        scaler = steps.fit(X) if len(steps) else None
        ours = parity.evaluation_rows(tasks.get(task), False, iris_record.studies[0])
        for (features, targets), found, own in zip(ours, (X, X_test), (y, y_test), strict=True):
            np.testing.assert_allclose(scaler.transform(found) if scaler else found, features, rtol=1e-12, atol=1e-12)
            if task == "iris":
                np.testing.assert_array_equal(own, targets)
            else:
                scaled = (own - y.mean(axis=0)) / np.sqrt(y.var(axis=0).mean())
                np.testing.assert_allclose(scaled.reshape(targets.shape), targets, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("task", ["iris", "diabetes"])
def test_what_is_watched_is_what_our_evaluation_watches(
    task: str, iris_record: ExperimentRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    program = exported(iris_record, parity.config("adam", "plateau"), tasks.get(task))
    monkeypatch.setattr(program, "train", lambda _theta, _widths, *given: seen.extend(given))
    (X, y), _ = program.split(*program.load_data())
    program.make_model().fit(X, y)
    train, watched, _ = parity.evaluation_rows(tasks.get(task), True, iris_record.studies[0])
    for found, expected in zip((seen[0], seen[1], seen[3], seen[4]), (*train, *watched), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_missing_numbers_and_categories(iris_record: ExperimentRecord, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(90, 2)), rng.integers(0, 3, 90)])
    y = (X[:, 0] + X[:, 2] > 1).astype(int) + (X[:, 1] > 0)
    X[::7, 0] = np.nan
    task = tasks.ArrayTask("mixed", "classification", lambda: (X, y), categorical=(2,))
    np.savez(tmp_path / "data.npz", X=X, y=np.array(["a", "b", "c"])[y])
    for optimizer in ("adam", "momentum"):
        text = str(parity.written(iris_record, parity.config(optimizer), "sklearn", task).content)
        parity.assert_clean(text, tmp_path)
        assert float(parity.run_here(text, str(tmp_path / "data.npz")).split("accuracy ")[1]) > 0.6


def test_initial_weights_have_the_distributions_of_our_own(
    iris_record: ExperimentRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where scikit-learn draws them; the estimator's own are to the bit those of our own training."""
    for scheme in ("auto", "he", "glorot", "poor", "large", "normal_0.1"):
        program = exported(iris_record, parity.config("sgd", strategies={"initialization": scheme}))
        ours = MLP(np.zeros((1, 200)), np.zeros(1, int), (300,), 100, "cross_entropy")
        theta = ours.init(np.random.default_rng(0), scheme)
        monkeypatch.setattr(program, "HIDDEN", (300,))
        network = program.make_model(100)[-1].set_params(max_iter=1, learning_rate_init=1e-300)
        with pytest.warns(ConvergenceWarning):
            network.fit(np.zeros((100, 200)), np.arange(100))
        for layer, drawn, biases in zip(ours.layers, network.coefs_, network.intercepts_, strict=True):
            expected = layer.weights(theta[None])[0]
            assert drawn.std() == pytest.approx(expected.std(), rel=0.02)
            assert np.abs(drawn).max() / drawn.std() == pytest.approx(np.abs(expected).max() / expected.std(), rel=0.2)
            np.testing.assert_allclose(biases, 0, atol=1e-200)


PROGRAMS = [
    ("momentum", "constant", {}),
    ("momentum", "sgdr", {}),
    ("yellowfin", "plateau", {"early_stopping": 3, "gradient_noise": 0.001}),
    ("adamw", "batch_growth", {"l2": 0.01, "clip_norm": 1.0, "gradient_noise": 0.01, "dropout": 0.1}),
    ("adam", "cyclical", {"dropout": 0.2, "batch_norm": True, "weight_decay": 0.01, "early_stopping": 5}),
]


@pytest.mark.parametrize(("optimizer", "schedule", "strategies"), PROGRAMS)
def test_the_text_is_clean_and_runs(
    optimizer: str, schedule: str, strategies: dict[str, Any], iris_record: ExperimentRecord, tmp_path: Path
) -> None:
    text = str(
        parity.written(iris_record, parity.config(optimizer, schedule, strategies=strategies), "sklearn").content
    )
    parity.assert_clean(text, tmp_path)
    parity.assert_learned(parity.run_here(text))


@pytest.mark.processes
@pytest.mark.parametrize(
    ("optimizer", "schedule"), [pytest.param("momentum", "constant", marks=pytest.mark.full), ("adamw", "plateau")]
)
def test_it_runs_as_a_script(optimizer: str, schedule: str, iris_record: ExperimentRecord, tmp_path: Path) -> None:
    """With scikit-learn's own network, and with an estimator of its own."""
    text = str(parity.written(iris_record, parity.config(optimizer, schedule), "sklearn").content)
    parity.assert_learned(parity.run_script(text, tmp_path))


@pytest.mark.parametrize("task", ["diabetes", "autoencoder_digits"])
@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_a_regression_runs(optimizer: str, task: str, iris_record: ExperimentRecord, tmp_path: Path) -> None:
    config = parity.config(optimizer, strategies={"epochs": 10, "batch_size": 50})
    text = str(parity.written(iris_record, config, "sklearn", tasks.get(task)).content)
    parity.assert_clean(text, tmp_path)
    assert float(parity.run_here(text).split("R² ")[1]) > 0.1


def in_full(choice: Any) -> Any:
    """A little less of every number, with as many digits as a search finds."""
    return replace(choice, hyperparameters={name: each / 1.001 for name, each in choice.hyperparameters.items()})


@pytest.mark.parametrize("optimizer", optimizers.names())
def test_the_text_of_every_rule_and_schedule_is_clean(
    optimizer: str, iris_record: ExperimentRecord, tmp_path: Path
) -> None:
    place = optimizers.names().index(optimizer)
    configs, texts = parity.configs_of(optimizer), []
    for i, config in enumerate(configs[place % 6 :: 6]):
        choices = [*parity.strategies_with("sklearn", optimizer), *DRAWN]
        strategies = choices[(place + 5 * i) % len(choices)]
        task = tasks.get(["iris", "diabetes"][i % 2])
        changed = replace(config, optimizer=in_full(config.optimizer), **strategies)
        texts.append(str(parity.written(iris_record, changed, "sklearn", task).content))
    parity.assert_clean(texts, tmp_path)


def test_own_arrays(iris_record: ExperimentRecord, tmp_path: Path) -> None:
    """Any labels, any number of features; but two classes are refused where they would be another model."""
    X, y = load_wine(return_X_y=True)
    np.savez(tmp_path / "data.npz", X=X, y=np.array(["a", "b", "c"])[y])
    np.savez(tmp_path / "two.npz", X=X, y=np.array(["a", "b", "b"])[y])
    for rule, schedule in (("adam", "cosine"), ("momentum", "constant")):
        text = str(parity.written(iris_record, parity.config(rule, schedule), "sklearn").content)
        assert float(parity.run_here(text, str(tmp_path / "data.npz")).split("accuracy ")[1]) > 0.9
    with pytest.raises(SystemExit, match="MLPClassifier has a single logistic output"):
        parity.run_here(text, str(tmp_path / "two.npz"))


def test_the_estimator_is_one(iris_record: ExperimentRecord) -> None:
    """Cloned, pickled, cross-validated, the same again."""
    program = exported(iris_record, parity.config("adam", "plateau", strategies={"batch_norm": True, "dropout": 0.1}))
    X, y = program.load_data()
    model = program.make_model().fit(X, y)
    again = clone(model).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), model.predict_proba(X))
    other = clone(model).set_params(tunedclassifier__random_state=7).fit(X, y)
    assert np.abs(other.predict_proba(X) - model.predict_proba(X)).max() > 1e-4
    assert cross_val_score(program.make_model(), X, y, cv=3).mean() > 0.85


@pytest.mark.parametrize("task", ["iris", "autoencoder_digits"])
def test_scikit_learns_checks_of_an_estimator(task: str, iris_record: ExperimentRecord) -> None:
    config = parity.config("adam", "cosine", strategies={"epochs": 20, "batch_size": 16})
    program = exported(iris_record, config, tasks.get(task))
    made = program.TunedClassifier() if task == "iris" else program.TunedRegressor()
    # One of its checks is for estimators of the array API.
    check_estimator(made, on_skip=None)
