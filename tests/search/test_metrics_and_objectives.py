"""Experiments with a metric, an objective, weights or a transformed target: what is run, said, kept and exported."""

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from search_runs import run_in_threads, spec

from cooldown import compare, tasks
from cooldown.objectives.errors import InputError
from cooldown.search.evidence.answer import answer
from cooldown.search.evidence.document import document
from cooldown.search.evidence.measures import best_score, loss_name, options, score_in_words
from cooldown.search.evidence.tables import arms_table
from cooldown.search.evidence.view import View
from cooldown.search.experiments.result import Result
from cooldown.search.export import export
from cooldown.search.report import report
from cooldown.search.report.commands import reproduction
from cooldown.search.spec.experiment import AIMS, Experiment, read_spec
from cooldown.storage import ExperimentRecord, Ledger

WEIGHED = {"task": "breast_cancer", "arms": ("momentum+cosine", "adam"), "trials": 2}
SMALL = ["--trials", "2", "--repeats", "2", "--epochs", "1", "--seeds", "1", "--finalists", "1", "--confirm-seeds", "2"]


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ExperimentRecord]:
    url = f"sqlite:///{tmp_path_factory.mktemp('measures')}/cooldown.db"
    specs = {
        "auc": spec(**WEIGHED, objective="roc_auc", class_weight="balanced", epochs=2),
        "plain": spec(**WEIGHED, epochs=2),
        "metric": spec(**WEIGHED, metric="f1", epochs=2),
        "log": spec(task="diabetes", arms=("momentum", "adam"), metric="mae", target_transform="log", epochs=2),
        "reacts": spec(**(WEIGHED | {"arms": ("adam+plateau",)}), objective="roc_auc", epochs=2),
    }
    return {name: run_in_threads(url, one, name=name) for name, one in specs.items()}


def test_specs_have_these_settings_only_where_they_are_set() -> None:
    assert not set(AIMS) & set(spec().to_json())
    given = spec(metric="neg_mean_absolute_error", class_weight={"b": 1, "a": 2}, target_transform="log")
    assert given.to_json()["metric"] == "mae"
    assert given.to_json()["class_weight"] == {"a": 2.0, "b": 1.0}
    assert read_spec(**given.to_json()) == given
    assert "objective" not in given.to_json()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"metric": 3}, "metric: should be the name of a scorer of scikit-learn"),
        ({"objective": " "}, "objective: should be the name of a scorer of scikit-learn"),
        ({"class_weight": "balance"}, "class_weight: should be 'balanced' or a table of weights by label"),
        (
            {"class_weight": {"a": -1}},
            "class_weight: the weight of a class should be a number above 0 and at most 1,0",
        ),
        ({"target_transform": "sqrt"}, "target_transform: should be 'log', got 'sqrt'"),
        ({"sample_weight": 3}, "sample_weight: should be a valid string"),
    ],
)
def test_mistakes_are_said_by_field(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as raised:
        spec(**fields)
    assert said in str(raised.value)


def test_a_metric_changes_no_loss(records: dict[str, ExperimentRecord]) -> None:
    plain, metric = (View(records[name]) for name in ("plain", "metric"))
    for one, other in zip(plain.record.studies, metric.record.studies, strict=True):
        assert [curve.final_loss for curve in one.evaluations] == [curve.final_loss for curve in other.evaluations]
        assert [curve.final_score for curve in one.evaluations] != [curve.final_score for curve in other.evaluations]
    assert answer(plain).sentence == answer(metric).sentence
    assert "Score: f1." in arms_table(metric).caption
    assert "Score: accuracy." in arms_table(plain).caption


def test_an_objective_is_what_decides(records: dict[str, ExperimentRecord]) -> None:
    view = View(records["auc"])
    for study in view.record.studies:
        for curve in study.evaluations:
            assert curve.final_loss == pytest.approx(min(1 - curve.final_score, 0.5))
        finalists = [trial for trial in study.trials if trial.finalist_loss is not None]
        assert study.winner is min(finalists, key=lambda trial: trial.finalist_loss or 0.0)
    assert loss_name(view.spec) == "1 − roc_auc"
    assert "1 − roc_auc" in answer(view).sentence
    assert "Loss: 1 − roc_auc. Score: roc_auc." in arms_table(view).caption
    assert document(view)["measures"] == {
        "objective": "roc_auc",
        "loss": "1 − roc_auc",
        "score": "roc_auc",
        "best_score": "highest",
    }
    assert document(View(records["plain"]))["measures"]["objective"] == "loss"


def test_an_error_is_best_where_it_is_lowest(records: dict[str, ExperimentRecord]) -> None:
    view = View(records["log"])
    assert best_score(view.spec) == "lowest"
    assert score_in_words(view.spec, 43.1234) == "mae 43.123"
    assert "loss on the log scale" in answer(view).sentence
    assert "Loss: on the log scale. Score: mae." in arms_table(view).caption
    scores = [curve.final_score for study in view.record.studies for curve in study.evaluations]
    assert 20 < np.median(scores) < 200, "in the target's own units"


def test_the_report_says_what_is_measured(records: dict[str, ExperimentRecord]) -> None:
    page = report(Result(records["auc"]))
    assert "measured on held-out rows by roc_auc, as the loss 1 − roc_auc" in page
    assert "Classes have weights in training (inversely proportional to their frequencies)" in page
    assert "the training loss is on this scale" in report(Result(records["log"]))
    assert "measured on held-out rows by" not in report(Result(records["plain"]))


def test_the_report_repeats_the_settings(records: dict[str, ExperimentRecord]) -> None:
    # These specs set what only a file can.
    assert 'objective = "roc_auc"\nclass_weight = "balanced"\n' in reproduction(records["auc"]).spec_file
    assert options(records["auc"].spec) == ["--objective=roc_auc", "--class-weight=balanced"]


@pytest.mark.parametrize("format", ["torch", "optax", "keras", "sklearn"])
def test_code_is_refused_where_it_would_train_otherwise(records: dict[str, ExperimentRecord], format: str) -> None:
    for name, said in (
        ("auc", "class_weight"),
        ("log", "target_transform"),
        ("reacts", "an objective that runs react"),
    ):
        with pytest.raises(InputError) as raised:
            export(View(records[name]), format=format)
        assert said in str(raised.value), format
        assert "--format json" in str(raised.value)


def test_code_says_that_it_prints_its_own_score(records: dict[str, ExperimentRecord]) -> None:
    exported, plain = (export(View(records[name]), format="torch") for name in ("metric", "plain"))
    assert exported.remarks == ("the program prints its loss and accuracy, not f1",)
    assert not plain.remarks
    train = "def train"
    assert str(exported.content).partition(train)[2] == str(plain.content).partition(train)[2]


def test_on_the_command_line(run_here: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(80, 3)), columns=["a", "b", "c"])
    frame["w"], frame["y"] = rng.uniform(1, 2, 80), np.where(frame["a"] > 0.5, "yes", "no")
    frame.to_csv("rows.csv", index=False)
    given = ["rows.csv", "--target", "y", "--sample-weight", "w", *SMALL, "--workers", "1", "--quiet"]
    code, out, err = run_here("compare", *given, "--objective", "average_precision", "--metric", "f1")
    assert code == 0
    assert " ".join(err.split()).startswith("Warning: a predicts y almost without error by itself.")
    assert "Loss: 1 − average_precision. Score: f1." in " ".join(out.split())
    # The same again shows the answer; with other settings it is another experiment, or refused.
    assert run_here("compare", *given, "--objective", "average_precision", "--metric", "f1")[1] == out
    code, _, err = run_here("compare", *given, "--name", "rows")
    assert code == 2
    assert "exists with other settings (metric, objective)" in " ".join(err.split())
    assert run_here("export", "rows", "-o", "best.json")[0] == 0
    code, out, err = run_here("train", "best.json")
    assert code == 0
    assert "The validation losses are exactly as recorded." in out
    assert "validation and test losses are 1 − average_precision" in " ".join(err.split())
    (command,) = reproduction(Ledger("sqlite:///cooldown.db").load("rows")).commands
    assert {"--metric=f1", "--objective=average_precision", "--sample-weight=w"} <= set(shlex.split(command))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("iris --metric roc_auc", "metric 'roc_auc' does not fit 3 classes (choose from: roc_auc_ovo"),
        ("diabetes --metric accuracy", "metric 'accuracy' is for classes, and the task is a regression"),
        ("wine --objective aucc", "unknown objective 'aucc'"),
        ("wine --metric rand_score", "metric 'rand_score' compares clusterings"),
        ("wine --sample-weight w", "sample_weight 'w' is for a CSV or Parquet file"),
        ("diabetes --class-weight balanced", "is a regression, which has no classes to weight"),
        ("wine --target-transform log", "is a classification"),
        ("quadratic --objective mae", "has a model of its own"),
        ("wine --class-weight a=3", "class_weight: should be 'balanced' or a table of weights by label, got 'a=3'"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_runs(
    arguments: str, said: str, run_here: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run_here("compare", *arguments.split())
    assert (code, out) == (2, "")
    assert said in err
    assert not list(tmp_path.iterdir())


def test_a_spec_file_may_weigh_each_class(run_here: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("spec.toml").write_text('task = "wine"\nobjective = "f1_macro"\n[class_weight]\n0 = 1\n2 = 3.5\n')
    code, out, _ = run_here("compare", "spec.toml", *SMALL, "--workers", "1", "--quiet", "--json")
    assert code == 0
    assert json.loads(out)["spec"]["class_weight"] == {"0": 1.0, "2": 3.5}
    Path("spec.toml").write_text('task = "wine"\n[class_weight]\n3 = 1\n')
    code, _, err = run_here("compare", "spec.toml", *SMALL)
    assert code == 2
    assert "unknown label of class_weight '3'" in err


def test_weights_of_arrays_are_part_of_the_experiment(url: str) -> None:
    X = np.random.default_rng(0).normal(size=(60, 3))
    y, few = (X[:, 0] > 0).astype(int), {"trials": 2, "repeats": 2, "epochs": 1, "seeds": 1, "finalists": 1}
    plain, weighed = (
        tasks.from_arrays(X, y, name="mine", kind="classification", sample_weight=weights)
        for weights in (None, np.linspace(1, 5, 60))
    )
    first = compare(plain, arms=["adam", "sgd"], name="mine", db=url, workers=1, **few)
    with pytest.raises(InputError, match="exists with other data"):
        compare(weighed, arms=["adam", "sgd"], name="mine", db=url, workers=1, **few)
    second = compare(weighed, arms=["adam", "sgd"], db=url, workers=1, **few)
    assert first.to_json()["fingerprint"] != second.to_json()["fingerprint"]
    with pytest.raises(InputError, match="sample_weight 'w' is for a CSV"):
        compare(plain, arms=["adam", "sgd"], sample_weight="w", db=url, workers=1, **few)


def test_every_setting_is_of_the_spec() -> None:
    assert set(AIMS) <= set(Experiment.model_fields)
