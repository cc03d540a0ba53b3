"""`Task.fitted`: a pipeline from raw rows to answers, trained on all rows as the search trains."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler
from taken_home import READ, config, table_for

from cooldown import tasks
from cooldown.estimators import ScheduledMLPClassifier, ScheduledMLPRegressor
from cooldown.objectives.data.aim import Aim
from cooldown.objectives.errors import InputError
from cooldown.objectives.random_streams import seeds


def fitted(target: str, **options: Any) -> Any:
    return tasks.from_frame(table_for(target), target=target, **READ).fitted(config(), **options)


@pytest.fixture(scope="module")
def model() -> Any:
    return fitted("word")


@pytest.fixture
def rows() -> pd.DataFrame:
    return table_for("word").head(30)


def same(one: Any, other: Any) -> None:
    np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("target", "kind"), [("grade", int), ("word", str), ("yes", bool)])
def test_labels_come_back_in_their_own_type(target: str, kind: type) -> None:
    rows = table_for(target)
    model = fitted(target)
    predicted = model.predict(rows)
    assert {type(label) for label in predicted.tolist()} == {kind}
    assert model.classes_.tolist() == sorted(set(rows[target]))
    assert model.score(rows, rows[target]) > 0.7
    assert model.predict_proba(rows).shape == (len(rows), len(model.classes_))


@pytest.mark.parametrize("written", [".csv", ".parquet"])
def test_labels_of_a_file_have_a_type_too(written: str, tmp_path: Any) -> None:
    path = tmp_path / f"t{written}"
    write = {".csv": pd.DataFrame.to_csv, ".parquet": pd.DataFrame.to_parquet}[written]
    write(table_for("yes"), path, index=False)
    model = tasks.from_table(path, target="yes", **READ).fitted(config())
    assert model.classes_.dtype == bool


def test_columns_are_found_by_name_and_others_ignored(model: Any, rows: pd.DataFrame) -> None:
    shuffled = rows.sample(frac=1, axis=1, random_state=1).assign(more=1).drop(columns=["id", "word"])
    assert list(shuffled.columns) != list(rows.columns)
    same(model.predict_proba(shuffled), model.predict_proba(rows))
    with pytest.raises(InputError, match=r"^table: columns of the training table are missing: 'price', 'flag'$"):
        model.predict(rows.drop(columns=["flag", "price"]))


def test_a_row_does_not_depend_on_the_others(model: Any, rows: pd.DataFrame) -> None:
    together = model.predict_proba(rows)
    for row in range(5):
        same(model.predict_proba(rows.iloc[[row]]), together[[row]])


def test_cells_are_read_as_those_of_the_training_table(model: Any, rows: pd.DataFrame) -> None:
    expected = model.predict_proba(rows)
    number = rows["price"].str.replace(".", "").str.replace(",", ".").str.removesuffix(" €").astype(float)
    day = pd.to_datetime(rows["day"], dayfirst=True)
    for other in (
        rows.assign(price=number),
        rows.assign(day=day),
        rows.assign(flag=rows["flag"].astype(str)),
        rows.assign(flag=rows["flag"].astype(str).str.lower()),
        rows.assign(town=rows["town"] + " "),
        rows.assign(size=[None if value != value else f"{value!r}" for value in rows["size"]]),
        rows.assign(zip=rows["zip"].astype(int)),
        rows.assign(zip=rows["zip"].astype(float)),
    ):
        same(model.predict_proba(other), expected)
    with pytest.raises(InputError, match=r"column 'price'.*must hold numbers .*, got 'cheap' in row 1"):
        model.predict(rows.assign(price="cheap"))
    with pytest.raises(InputError, match=r"column 'flag'.*must hold True and False.*, got 'perhaps'"):
        model.predict(rows.assign(flag="perhaps"))


@pytest.mark.parametrize("column", ["price", "size", "town", "zip", "flag", "day"])
def test_any_cell_may_be_missing(column: str, model: Any, rows: pd.DataFrame) -> None:
    assert table_for("word")["size"].isna().any()
    missing = rows.astype({column: object})
    missing.loc[missing.index[::2], column] = None
    found, expected = model.predict_proba(missing), model.predict_proba(rows)
    assert np.isfinite(found).all()
    same(found[1::2], expected[1::2])
    same(model.predict_proba(missing.assign(**{column: None}))[::2], found[::2])


def test_an_unseen_category_is_a_rare_one(model: Any, rows: pd.DataFrame) -> None:
    assert table_for("word")["town"].tolist().count("rare") == 1
    unseen = model.predict_proba(rows.assign(town="nowhere"))
    same(unseen, model.predict_proba(rows.assign(town="rare")))
    assert np.abs(unseen - model.predict_proba(rows.assign(town="south"))).max() > 1e-6


def test_polars_and_arrow_are_tables_too(model: Any, rows: pd.DataFrame) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    same(model.predict_proba(pyarrow.Table.from_pandas(rows)), model.predict_proba(rows))
    with pytest.raises(InputError, match="must be a DataFrame"):
        model.predict([[1, 2]])


def test_a_pipeline_can_be_cloned_fitted_again_and_pickled(model: Any, rows: pd.DataFrame) -> None:
    again = clone(model).fit(table_for("word"), table_for("word")["word"])
    same(again.predict_proba(rows), model.predict_proba(rows))
    same(pickle.loads(pickle.dumps(model)).predict_proba(rows), model.predict_proba(rows))
    assert list(model.feature_names_in_) == ["price", "size", "town", "zip", "flag", "day"]
    assert len(model.named_steps["read"].get_feature_names_out()) == 9
    assert "<feature 'price': numbers>" in repr(model)


def test_a_regression_predicts_in_the_units_of_its_target() -> None:
    rows = table_for("cost")
    task = tasks.from_frame(rows, target="cost", **READ)
    plain, log = (each.fitted(config()) for each in (task, task.with_aim(Aim(target_transform="log"))))
    for model in (plain, log):
        assert model.score(rows, rows["cost"]) > 0.5
        assert 300 < np.median(model.predict(rows)) < 3000
    assert log.predict(rows).min() > 0


def arrays(**options: Any) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(100, 3))
    y = np.where(X[:, 0] + 0.5 * rng.normal(size=100) > 0, "b", "a")
    return X, y, tasks.from_arrays(X, y, hidden=(8,), **options)


def network(kind: Any = ScheduledMLPClassifier, changed: Any = None, **options: Any) -> Any:
    (state,) = seeds(0, "fitted", count=1)
    return kind.from_config(changed or config(), hidden_layer_sizes=(8,), random_state=state, **options)


def test_arrays_are_given_as_they_are_and_trained_on_as_a_whole() -> None:
    X, y, task = arrays()
    scaled = StandardScaler().fit_transform(X)
    model = task.fitted(config(), n_seeds=2)
    same(model.predict_proba(X), network(n_seeds=2).fit(scaled, y).predict_proba(scaled))
    assert set(model.predict(X)) == {"a", "b"}
    assert "read" not in model.named_steps


def test_weights_of_classes_and_of_rows_are_those_of_the_search() -> None:
    weights = np.random.default_rng(2).uniform(0.1, 3, 100)
    X, y, task = arrays(sample_weight=weights)
    scaled = StandardScaler().fit_transform(X)
    for given in ((("a", 9.0),), "balanced"):
        model = task.with_aim(Aim(class_weight=given)).fitted(config())  # type: ignore[arg-type]
        of_class: Any = given if isinstance(given, str) else dict(given)
        expected = network(class_weight=of_class).fit(scaled, y, weights)
        same(model.predict_proba(X), expected.predict_proba(scaled))


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("test", [False, True])
def test_a_run_that_reacts_watches_a_fifth_of_the_rows(log: bool, test: bool) -> None:
    rng = np.random.default_rng(3)
    X, weights = rng.normal(size=(100, 3)), rng.uniform(0.5, 2, 100)
    y = np.exp(X[:, 0])
    n = 80 if test else 100
    apart = (X[n:], y[n:], weights[n:]) if test else None
    task = tasks.from_arrays(X[:n], y[:n], hidden=(8,), sample_weight=weights[:n], test=apart)
    stopping = config(epochs=30, early_stopping=2)
    model = task.with_aim(Aim(target_transform="log" if log else None)).fitted(stopping)
    split = task.split(0)
    watched = split.validation if test else split.test
    assert len(watched) == 20
    train = np.setdiff1d(np.arange(100), watched)
    scaled, target = StandardScaler().fit_transform(X), np.log(y) if log else y
    expected = network(ScheduledMLPRegressor, stopping).fit(
        scaled[train],
        target[train],
        weights[train],
        X_val=scaled[watched],
        y_val=target[watched],
        sample_weight_val=weights[watched],
    )
    predicted = expected.predict(scaled)
    same(model.predict(X), np.exp(predicted) if log else predicted)


@pytest.mark.parametrize("apart", ["groups", "time"])
def test_the_rows_that_are_watched_are_other_groups_or_later(apart: str) -> None:
    X, y, _ = arrays()
    number = np.arange(100) // 4
    task = tasks.from_arrays(X, y, hidden=(8,), **{apart: number})
    watched = task.split(0).test
    train = np.setdiff1d(np.arange(100), watched)
    assert not set(number[watched]) & set(number[train])
    assert (number[watched].min() > number[train].max()) == (apart == "time")
    early, scaled = config(epochs=30, early_stopping=2), StandardScaler().fit_transform(X)
    given = {"X_val": scaled[watched], "y_val": y[watched]}
    expected = network(changed=early).fit(scaled[train], y[train], **given)
    same(task.fitted(early).predict_proba(X), expected.predict_proba(scaled))
    assert task.fitted(config())[-1].validation_loss_curve_ is None


def test_what_cannot_be_taken_home_is_told() -> None:
    with pytest.raises(InputError, match="task 'loop' is a training loop of your own"):
        tasks.from_loop(print, n_samples=20, name="loop").fitted(config())
    with pytest.raises(InputError, match="its 64 targets have one scale"):
        tasks.get("autoencoder_digits").fitted(config())
    with pytest.raises(InputError, match="n_seeds must be a whole number of at least 1"):
        tasks.get("iris").fitted(config(), n_seeds=0)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_layers_are_what_a_network_applies(activation: str, batch_norm: bool) -> None:
    X, y, _ = arrays()
    act = {"relu": lambda z: np.maximum(z, 0), "tanh": np.tanh}[activation]
    for kind, target in ((ScheduledMLPClassifier, y), (ScheduledMLPRegressor, 50 + 9 * X[:, 1])):
        changed = config(batch_norm=batch_norm)
        options = {"hidden_layer_sizes": (8, 4), "activation": activation, "n_seeds": 2, "random_state": 0}
        estimator = kind.from_config(changed, **options).fit(X, target)
        values = X
        *hidden, (weights, biases) = estimator.layers_
        for layer in hidden:
            values = act(values @ layer[0] + layer[1])
        outputs = values @ weights + biases
        assert outputs.shape == (2, 100, 2 if kind is ScheduledMLPClassifier else 1)
        if kind is ScheduledMLPClassifier:
            powers = np.exp(outputs)
            same((powers / powers.sum(axis=2, keepdims=True)).mean(axis=0), estimator.predict_proba(X))
        else:
            same(outputs.mean(axis=0)[:, 0], estimator.predict(X))
