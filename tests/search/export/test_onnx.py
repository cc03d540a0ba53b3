"""ONNX graphs predict what their pipelines predict, by another runtime."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from search_runs import run_in_threads, spec
from taken_home import config, table_for

from cooldown import tasks
from cooldown.objectives.data.aim import Aim
from cooldown.objectives.errors import InputError
from cooldown.search.evidence.view import View
from cooldown.search.experiments import Result
from cooldown.search.export import export
from cooldown.search.export.onnx_graph import graph_of, refuse_inexpressible

TARGETS = ("grade", "word", "yes", "cost")


def session_of(content: bytes) -> Any:
    onnx.checker.check_model(onnx.load_model_from_string(content), full_check=True)
    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])


def inputs(pipeline: Any, table: pd.DataFrame) -> dict[str, Any]:
    """A table as the graph takes it: numbers as doubles, labels as strings."""
    given: dict[str, Any] = {}
    for column in pipeline.named_steps["read"].features:
        cells = table[column.name]
        if column.kind == "numbers":
            values = column.column.values(column.name, cells).astype(np.float64)
        else:
            values = np.array(["" if cell is None or cell != cell else str(cell) for cell in cells], dtype=object)
        given[column.name] = values[:, None]
    return given


def check(pipeline: Any, table: pd.DataFrame) -> None:
    """The graph's answers are those of the pipeline."""
    session = session_of(graph_of(pipeline).SerializeToString())
    given = inputs(pipeline, table)
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(None, given), strict=True))
    if hasattr(pipeline, "classes_"):
        np.testing.assert_allclose(found["probabilities"], pipeline.predict_proba(table), rtol=0, atol=1e-12)
        assert found["label"].tolist() == pipeline.predict(table).tolist()
    else:
        np.testing.assert_allclose(found["prediction"], pipeline.predict(table), rtol=1e-10)


def new_rows(target: str) -> pd.DataFrame:
    """Rows with missing cells of every column, and labels that the training table did not have."""
    rows = table_for(target, "day").astype({"flag": object, "town": object, "zip": object, "price": object})
    for place, name in enumerate(("price", "size", "town", "zip", "flag")):
        rows.loc[rows.index[place::7], name] = None
    rows.loc[rows.index[5::11], "town"] = "nowhere"
    return rows


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("target", TARGETS)
def test_a_table_with_missing_cells_categories_and_booleans(target: str, seeds: int) -> None:
    task = tasks.from_frame(table_for(target, "day"), target=target, drop="id", categories="zip")
    check(task.fitted(config(), n_seeds=seeds), new_rows(target))


@pytest.mark.parametrize(
    ("hidden", "activation", "fields"),
    [
        ((), "relu", {}),
        ((6, 5), "relu", {"batch_norm": True}),
        ((6, 5), "tanh", {"batch_norm": True, "dropout": 0.2}),
        ((6,), "tanh", {}),
    ],
)
@pytest.mark.parametrize("target", ["word", "cost"])
def test_networks_of_every_form(target: str, hidden: tuple[int, ...], activation: Any, fields: Any) -> None:
    table = table_for(target, "day")
    task = tasks.from_frame(table, target=target, drop="id", categories="zip", hidden=hidden)
    check(replace(task, activation=activation).fitted(config(**fields)), new_rows(target))


def test_a_logarithm_is_brought_back() -> None:
    task = tasks.from_frame(table_for("cost", "day"), target="cost", drop="id", categories="zip")
    check(task.with_aim(Aim(target_transform="log")).fitted(config()), new_rows("cost"))


@pytest.mark.parametrize("only", ["size", "town"])
def test_tables_of_numbers_and_of_labels_alone(only: str) -> None:
    table = table_for("word")[[only, "word"]].assign(word=lambda rows: np.arange(len(rows)) % 2)
    check(tasks.from_frame(table, target="word").fitted(config()), new_rows("word")[[only]])


@pytest.mark.parametrize("name", ["iris", "diabetes", "two_moons"])
def test_arrays(name: str) -> None:
    task = tasks.get(name)
    assert isinstance(task, tasks.ArrayTask)
    pipeline, X = task.fitted(config(2)), task.data[0]
    found = session_of(graph_of(pipeline).SerializeToString()).run(None, {"X": X})
    expected = pipeline.predict_proba(X) if task.kind == "classification" else pipeline.predict(X)
    np.testing.assert_allclose(found[-1], expected, rtol=1e-10, atol=1e-12)


def test_names_that_the_graph_uses_itself() -> None:
    table = table_for("word", "day").rename(columns={"size": "value_0", "town": "X", "flag": "value_3"})
    check(
        tasks.from_frame(table, target="word", drop="id", categories="zip").fitted(config()),
        new_rows("word").rename(columns={"size": "value_0", "town": "X", "flag": "value_3"}),
    )


def test_an_export_is_the_model_and_says_where_it_comes_from(tmp_path: Path) -> None:
    table_for("word", "day").to_csv(tmp_path / "t.csv", index=False)
    given = spec(task=str(tmp_path / "t.csv"), target="word", drop="id", categories="zip")
    record = run_in_threads(f"sqlite:///{tmp_path}/l.db", given, name="t")
    content = export(View(record), "onnx").content
    assert isinstance(content, bytes)
    pipeline = Result(record).fit_best()
    _, probabilities = session_of(content).run(None, inputs(pipeline, new_rows("word")))
    np.testing.assert_allclose(probabilities, pipeline.predict_proba(new_rows("word")), rtol=0, atol=1e-5)
    (about,) = onnx.load_model_from_string(content).metadata_props
    assert (about.key, json.loads(about.value)["experiment"]["name"]) == ("cooldown", "t")


def test_what_a_graph_cannot_express_is_named() -> None:
    refused = {
        "column 'day' holds dates": tasks.from_frame(table_for("word"), target="word", dates="day", categories="zip"),
        "column 'label' has the name of an output": tasks.from_frame(
            table_for("word", "day").rename(columns={"size": "label"}), target="word", drop="id"
        ),
        "the categories of task 'coded' are codes": tasks.ArrayTask(
            "coded", "classification", lambda: (np.zeros((4, 1)), np.zeros(4)), categorical=(0,)
        ),
    }
    for said, task in refused.items():
        with pytest.raises(InputError, match=f"onnx: {said}.*; use -o model.joblib"):
            refuse_inexpressible(task)


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    record = run_in_threads(f"sqlite:///{tmp_path}/l.db", spec(), name="iris")
    monkeypatch.setitem(sys.modules, "onnx.helper", None)
    with pytest.raises(InputError, match=r"need the package onnx: pip install 'cooldown\[onnx\]'"):
        export(View(record), "onnx")
