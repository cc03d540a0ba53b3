"""Files: what is in them, that they are read back, which trial is taken, and that no text becomes code."""

import ast
import io
import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import parity
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy import floor

from cooldown.objectives import TrainConfig, optimizers, schedules, tasks
from cooldown.objectives.config import SCHEMA
from cooldown.objectives.errors import InputError
from cooldown.objectives.hyperparameters import Categorical, Declared
from cooldown.objectives.strategies import STRATEGIES
from cooldown.search import export as formats
from cooldown.search.evidence.losses import winners_loss
from cooldown.search.evidence.view import View
from cooldown.search.experiments.result import Result
from cooldown.search.export import ModelFormat, TableFormat, choose, export, of_kind
from cooldown.search.export.array_functions import LIBRARIES, functions_of
from cooldown.search.export.literals import literal
from cooldown.search.export.source import NotPortableError, Source, collect
from cooldown.storage import ExperimentRecord, Purpose, Status


def document(record: ExperimentRecord, **which: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(export(View(record), "json", **which).content)
    return found


def table_of(record: ExperimentRecord, format: str, **which: Any) -> pd.DataFrame:
    content = export(View(record), format, **which).content
    assert isinstance(content, bytes)
    return {"csv": pd.read_csv, "parquet": pd.read_parquet}[format](io.BytesIO(content))


def drawn(entry: Any, data: st.DataObject) -> dict[str, Any]:
    """Hyperparameters of a catalog entry, anywhere in their ranges."""
    chosen = {}
    for each in entry.hyperparameters:
        chosen[each.name] = data.draw(setting(each))
    return chosen


def setting(declared: Declared) -> st.SearchStrategy[Any]:
    """A strategy's values: off, or anywhere in its range."""
    if isinstance(declared, Categorical):
        return st.sampled_from(declared.choices)
    low, high = declared.range_in(20, 200)
    return st.just(declared.default) | (st.integers(int(low), int(high)) if declared.integer else st.floats(low, high))


@given(st.data())
def test_json_and_back_is_the_identity(data: st.DataObject) -> None:
    optimizer = data.draw(st.sampled_from(optimizers.names()))
    schedule = data.draw(st.sampled_from(schedules.names()))
    settings = {name: data.draw(setting(strategy.declared)) for name, strategy in STRATEGIES.items()}
    if optimizers.get(optimizer).reported is not None:
        # It averages its parameters itself.
        settings["averaging"] = "none"
    config = TrainConfig.from_json(
        {
            "optimizer": {"name": optimizer, **drawn(optimizers.get(optimizer), data)},
            "schedule": {"name": schedule, **drawn(schedules.get(schedule), data)},
            "batch_size": data.draw(st.integers(1, 1000)),
            "epochs": data.draw(st.integers(1, 1000)),
            **settings,
        }
    )
    text = json.dumps(config.to_json())
    assert TrainConfig.from_json(text) == config
    assert json.dumps(TrainConfig.from_json(text).to_json()) == text
    assert TrainConfig.from_json({"schema": SCHEMA, "config": json.loads(text), "more": 1}) == config


def test_both_documents_say_the_same(iris_record: ExperimentRecord) -> None:
    def without_null(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without_null(each) for key, each in value.items() if each is not None}
        return [without_null(each) for each in value] if isinstance(value, list) else value

    of_toml = tomllib.loads(str(export(View(iris_record), "toml").content))
    assert of_toml == without_null(document(iris_record))
    assert TrainConfig.from_json(of_toml) == choose(View(iris_record)).config


def test_provenance(iris_record: ExperimentRecord) -> None:
    found, chosen = document(iris_record), choose(View(iris_record))
    result = Result(iris_record).to_json()
    assert found["experiment"]["fingerprint"] == result["fingerprint"]
    assert found["experiment"]["spec"] == result["spec"]
    assert found["task"]["fingerprint"] == iris_record.task_fingerprint
    assert found["environment"]["packages"]["numpy"] == np.__version__
    evaluations = chosen.study.evaluations
    assert found["seeds"]["evaluation"] == [curve.seed for curve in evaluations]
    losses = [curve.final_loss for curve in evaluations]
    score = found["scores"]["test_loss"]
    assert (score["mean"], score["seeds"]) == (pytest.approx(np.mean(losses)), 2)
    # Student's t with one degree of freedom at 97.5 %.
    half = 12.706204736 * np.std(losses, ddof=1) / np.sqrt(2)
    assert score["high"] - score["mean"] == pytest.approx(half)
    assert found["scores"]["arm_test_loss"]["repeats"] == 2
    assert found["gradient_evaluations"]["trial"] < found["gradient_evaluations"]["study"]
    assert found["curve"]["validation_loss"] == [chosen.trial.validation_loss]


def test_the_network_of_a_task_in_memory_is_its_own(iris_record: ExperimentRecord) -> None:
    """Whatever it is called."""
    task = tasks.from_arrays(np.zeros((60, 2)), np.arange(60) % 2, name="houses.csv", hidden=(7, 5))
    record = replace(iris_record, spec={**iris_record.spec, "task": task.name})
    exported = json.loads(export(View(record), "json", task=task).content)
    assert exported["network"] == {"hidden": [7, 5], "activation": "relu"}


@pytest.mark.parametrize(
    ("task", "hidden", "network"),
    [
        ("iris", None, {"hidden": [32], "activation": "relu"}),
        ("autoencoder_digits", None, {"hidden": [32, 8, 32], "activation": "tanh"}),
        ("iris", [], {"hidden": [], "activation": "relu"}),
        ("houses.csv", [64, 16], {"hidden": [64, 16], "activation": "relu"}),
        ("openml:houses", None, {"hidden": [32], "activation": "relu"}),
        ("quadratic", None, None),
        ("my_module:task", None, None),
        ("mine", None, None),
    ],
)
def test_the_network(task: str, hidden: Any, network: Any, iris_record: ExperimentRecord) -> None:
    """It is no part of a config; it is told without looking for the task."""
    record = replace(iris_record, spec={**iris_record.spec, "task": task, "hidden": hidden})
    assert document(record)["network"] == network


def test_the_best_arms_winner_is_taken(iris_record: ExperimentRecord) -> None:
    arms = iris_record.spec["arms"]
    losses = [winners_loss(View(iris_record), arm) or np.inf for arm in arms]
    assert choose(View(iris_record)).study.arm == arms[int(np.argmin(losses))]
    for arm in arms:
        assert choose(View(iris_record), arm).config == Result(iris_record).best(arm)
        for study in iris_record.of(arm):
            assert choose(View(iris_record), arm, study.repeat).trial is study.winner
            for trial in study.trials:
                assert choose(View(iris_record), arm, study.repeat, trial.number).trial is trial


@pytest.mark.parametrize(
    ("which", "said"),
    [
        ({"arm": "adm"}, "unknown arm of this experiment 'adm'; did you mean 'adam'?"),
        ({"arm": "sgd"}, "unknown arm of this experiment 'sgd'"),
        ({"arm": 5}, "unknown arm of this experiment '5'"),
        ({"arm": "adam", "repeat": 2}, "there is no repeat 2: arm 'adam' has repeats 0, 1"),
        ({"arm": "adam", "repeat": 1, "trial": 4}, "there is no trial 4: repeat 1 of "),
    ],
)
@pytest.mark.parametrize("format", formats.names())
def test_what_there_is_not(format: str, which: dict[str, Any], said: str, iris_record: ExperimentRecord) -> None:
    with pytest.raises(InputError) as raised:
        export(View(iris_record), format, **which)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("format", "which", "said"),
    [
        ("json", {"trial": 1}, "trial 1 exists in every repeat; choose one, for example --repeat"),
        (
            "json",
            {"curves": True},
            f"curves: available for {' and '.join(of_kind(TableFormat))}, not for json",
        ),
        ("torch", {"seeds": 2}, f"seeds: available for {' and '.join(of_kind(ModelFormat))}, not for torch"),
        ("csv", {"repeat": 2}, "there is no repeat 2: the experiment has repeats 0, 1"),
        ("csv", {"repeat": -1, "curves": True}, "there is no repeat -1: the experiment has repeats 0, 1"),
        ("parquet", {"trial": 4}, "there is no trial 4: the experiment has trials 0 to 3"),
        ("parquet", {"trial": 4, "arm": "adam"}, "there is no trial 4: arm 'adam' has trials 0 to 3"),
    ],
)
def test_what_a_format_has_not(format: str, which: Any, said: str, iris_record: ExperimentRecord) -> None:
    with pytest.raises(InputError) as raised:
        export(View(iris_record), format, **which)
    assert said in str(raised.value)


def test_an_unfinished_experiment_gives_what_is_there_and_says_so(iris_record: ExperimentRecord) -> None:
    study = iris_record.studies[0]
    trial = replace(study.trials[0], curves={Purpose.SEARCH: study.trials[0].curves[Purpose.SEARCH]})
    so_far = replace(iris_record, status=Status.INTERRUPTED, studies=(replace(study, trials=(trial,)),))
    made = export(View(so_far), "json")
    assert made.remarks == ("experiment 'iris' is interrupted; the export contains its results so far",)
    assert json.loads(made.content)["scores"]["test_loss"] is None
    with pytest.warns(UserWarning, match="is interrupted"):
        assert Result(so_far).export("json") == made.content
    assert "test_loss" not in str(export(View(so_far), "torch").content)
    nothing = replace(so_far, studies=())
    with pytest.raises(InputError, match="'iris' has no finished trial yet"):
        export(View(nothing), "torch")
    assert len(table_of(so_far, "csv")) == 1


def test_tables(iris_record: ExperimentRecord) -> None:
    rows = Result(iris_record).trials()
    of_csv = table_of(iris_record, "csv")
    of_parquet = table_of(iris_record, "parquet")
    for table in (of_csv, of_parquet):
        assert len(table) == len(rows)
        for name in table.columns:
            for cell, row in zip(table[name], rows, strict=True):
                assert row.get(name) is None if pd.isna(cell) else cell == row[name]
    kinds = of_parquet.dtypes.astype(str)
    assert kinds[["repeat", "gradient_evaluations", "sgdr.warmup_steps"]].tolist() == ["int64", "int64", "Int64"]
    assert kinds[["validation_loss", "test_loss", "adam.beta1", "pruned"]].tolist() == ["float64"] * 3 + ["bool"]
    one = table_of(iris_record, "csv", arm="adam", repeat=1)
    assert set(one["arm"]) == {"adam"}
    assert set(one["repeat"]) == {1}


def test_costs_of_a_trial_are_the_sums_of_its_curves(iris_record: ExperimentRecord) -> None:
    """In the unit of the curves: runs, updates, seconds."""
    trials = {(s.arm, s.repeat, t.number): t for s in iris_record.studies for t in s.trials}
    for row in Result(iris_record).trials():
        curves = [curve for some in trials[row["arm"], row["repeat"], row["trial"]].curves.values() for curve in some]
        for name in ("gradient_evaluations", "updates", "seconds"):
            assert row[name] == sum(getattr(curve, name) for curve in curves) > 0, name


def test_curves(iris_record: ExperimentRecord) -> None:
    table = table_of(iris_record, "parquet", curves=True)
    assert len(table) == sum(curve.train_loss.size for study in iris_record.studies for curve in study.curves())
    for study in iris_record.studies:
        for trial in study.trials:
            for purpose, curves in trial.curves.items():
                for curve in curves:
                    mine = table.query(
                        f"arm == {study.arm!r} and repeat == {study.repeat} and trial == {trial.number} "
                        f"and purpose == {purpose.value!r} and seed == {curve.seed}"
                    )
                    assert mine["train_loss"].tolist() == curve.train_loss.tolist()
                    assert mine["held_out_loss"].dropna().tolist() == curve.held_out_loss.tolist()


HOSTILE = ['"); import os', "'''\"\"\"\\", "a\nb", "{{ 7 * 7 }}", "\u202ename", "🎉 é", "\\N{BULLET}", "\x00\x1b[31m"]


@given(st.text() | st.sampled_from(HOSTILE))
def test_a_text_is_written_as_nothing_but_itself(text: str) -> None:
    source = literal(text)
    assert ast.literal_eval(source) == text
    assert source.isprintable()
    assert (literal(np.float64(0.1)), literal(1e300)) == ("0.1", "1e300")
    assert ast.literal_eval(literal({"name": (text, [1.5, None, True])}, 0)) == {"name": (text, [1.5, None, True])}


CODE = [name for name in formats.names() if getattr(formats.get(name), "language", "") == "python"]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("format", CODE)
def test_a_hostile_name_exports_harmlessly(format: str, name: str, iris_record: ExperimentRecord) -> None:
    """The program with another name differs in that one constant alone."""
    plain = ast.parse(export(View(iris_record), format).content)
    hostile = ast.parse(export(View(replace(iris_record, name=name)), format).content)
    for one, other in zip(ast.walk(plain), ast.walk(hostile), strict=True):
        assert type(one) is type(other)
        if isinstance(other, ast.Constant) and isinstance(one, ast.Constant) and one.value != other.value:
            assert (one.value, other.value) == ("iris", name)


@pytest.mark.parametrize("format", CODE)
def test_the_program_of_any_name_is_clean(format: str, iris_record: ExperimentRecord, tmp_path: Path) -> None:
    named = [replace(iris_record, name=name) for name in (*HOSTILE, "long " * 40, 'it\'s "quoted" so')]
    parity.assert_clean([str(export(View(record), format).content) for record in named], tmp_path)


@pytest.mark.parametrize("name", HOSTILE)
def test_documents_hold_any_name(name: str, iris_record: ExperimentRecord) -> None:
    record = replace(iris_record, name=name)
    assert document(record)["experiment"]["name"] == name
    assert tomllib.loads(str(export(View(record), "toml").content))["experiment"]["name"] == name


def test_a_format_is_found_by_its_file() -> None:
    files = {path.stem for path in (Path(str(formats.__file__)).parent / "formats").glob("[a-z]*.py")}
    assert set(formats.names()) == files
    with pytest.raises(InputError, match="unknown format 'tosch'; did you mean 'torch'"):
        formats.get("tosch")
    assert formats.named_after(None) == "json"
    assert formats.named_after(Path("best.TOML")) == "toml"
    with pytest.raises(InputError, match=r"'best\.py' could be .*torch.*; choose the format with --format"):
        formats.named_after(Path("best.py"))
    with pytest.raises(InputError, match="'best' has no known suffix"):
        formats.named_after(Path("best"))


def test_what_cannot_be_written_says_what_can(iris_record: ExperimentRecord) -> None:
    config = parity.config("adam", "cosine", strategies={"curriculum": "mixed"})
    for format in CODE:
        with pytest.raises(InputError, match=rf"{format}: .*use --format json"):
            parity.written(iris_record, config, format)
    needs_an_object = eval("lambda: thing", {"thing": object(), "__name__": "cooldown"})
    with pytest.raises(NotPortableError):
        collect(Source(), needs_an_object, "f")


def cube_root(theta: Any) -> Any:
    """Has a function that only some frameworks have."""
    return theta - np.sqrt(np.abs(theta)) * np.cbrt(theta)


def unit(theta: Any) -> Any:
    return theta / np.linalg.norm(theta)


def by_name(theta: Any) -> Any:
    return floor(theta)


@pytest.mark.parametrize(
    ("function", "numpy", "message"),
    [
        (cube_root, "torch", r"cube_root uses np\.cbrt, which PyTorch does not have"),
        (unit, "jnp", r"unit uses np\.linalg, which jax\.numpy does not have"),
        (unit, "ops", r"unit uses np\.linalg, which keras\.ops does not have"),
        (by_name, "torch", r"by_name uses numpy's floor by this name, .*; write np\.floor"),
    ],
)
def test_a_function_of_numpy_that_the_framework_lacks_is_named(function: Any, numpy: str, message: str) -> None:
    with pytest.raises(NotPortableError, match=message):
        collect(Source(), function, function.__name__, numpy)
    collect(Source(), function, function.__name__)


def test_a_function_of_numpy_that_the_framework_has_is_copied() -> None:
    for numpy in ("ops", "jnp"):
        source = Source()
        collect(source, cube_root, "cube_root", numpy)
        assert f"{numpy}.cbrt(theta)" in source.text


def norm(theta: Any) -> Any:
    """Called as numpy's function is."""
    return np.linalg.norm(theta)


def countdown(number: Any) -> Any:
    """Uses itself."""
    return countdown(number - 1) if number > 0 else norm(number)


def test_a_function_may_use_itself_and_an_attribute_of_its_own_name() -> None:
    source = Source()
    collect(source, countdown, "countdown")
    namespace: dict[str, Any] = {"np": np}
    exec(source.text, namespace)
    assert list(source.functions) == ["norm", "countdown"]
    assert namespace["countdown"](3) == 0


@pytest.mark.parametrize(("numpy", "library"), [("torch", "torch"), ("jnp", "jax.numpy"), ("ops", "keras.ops")])
def test_the_framework_has_the_listed_functions(numpy: str, library: str) -> None:
    module = pytest.importorskip(library)
    listed = functions_of(numpy)
    assert [name for name in sorted(listed) if not hasattr(module, name)] == []
    # Nor is one refused that it has.
    known = frozenset[str]().union(*map(functions_of, LIBRARIES))
    assert [name for name in sorted(known - listed) if hasattr(module, name)] == []
