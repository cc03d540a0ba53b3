"""Every entry keeps to what is asked of it, and the checks that say so notice an entry that does not."""

import re
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faulty_entries import FAULTS, module

from cooldown.objectives import TrainConfig, optimizers, schedules, tasks
from cooldown.objectives.conformance.runs import same
from cooldown.objectives.data.checks import check_loaded
from cooldown.objectives.errors import InputError
from cooldown.objectives.fusion import fused
from cooldown.objectives.records import Errors, Outcome
from cooldown.objectives.training.engine import train
from cooldown.testing import Check, checks, model_checks, optimizer_checks, schedule_checks, task_checks

DOWNLOADED = {"california_housing", "covertype", "sparse_text"}
"""Tasks whose data scikit-learn downloads: test_fetched_tasks.py has them."""


@pytest.mark.parametrize(
    "check", [pytest.param(check, id=f"{name}: {check.name}") for name in optimizers.names() for check in checks(name)]
)
def test_optimizers(check: Check) -> None:
    check()


@pytest.mark.parametrize(
    "check", [pytest.param(check, id=f"{name}: {check.name}") for name in schedules.names() for check in checks(name)]
)
def test_schedules(check: Check) -> None:
    check()


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(check, id=f"{name}: {check.name}")
        for name in tasks.names()
        if name not in DOWNLOADED
        for check in checks(name)
    ],
)
def test_tasks(check: Check) -> None:
    check()


ARRAYS = "; a formula also runs on arrays: use np.where for `if`"
FORMULAS = {
    "np.clip": ("(theta - learning_rate * np.clip(gradient, -1.0, 1.0),)", "compiled rule", "it uses np.clip, which"),
    "np.heaviside": ("(theta - np.heaviside(gradient, 1.0),)", "compiled rule", "it uses np.heaviside, which"),
    "if": ("(theta - learning_rate if gradient > 0 else theta,)", "compiled rule", ARRAYS),
    "max": ("(theta - learning_rate * max(gradient, -1.0),)", "stays finite", ARRAYS),
    "math": ("(theta - learning_rate * math.tanh(gradient),)", "does not modify", ARRAYS),
    "no tuple": (
        "theta - gradient",
        "declaration",
        r"return the tuple (theta,), with the new value of each, got a float",
    ),
    "two values": ("(theta, gradient)", "declaration", "return the tuple (theta,), with the new value of each, got 2"),
}
"""Formulas that cannot be used, the check that notices, and a part of its message."""


@pytest.mark.parametrize(("formula", "law", "message"), list(FORMULAS.values()), ids=list(FORMULAS))
def test_a_formula_that_cannot_be_used_is_explained_in_one_line(
    formula: str,
    law: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    name = f"formula_{request.node.callspec.id}".translate(str.maketrans(". ", "__"))
    text = f"import math\ndef update(theta, gradient, learning_rate, t):\n    return {formula}\nentry = rule(update)"
    module(tmp_path, monkeypatch, text, name)
    (check,) = [check for check in checks(f"{name}:entry") if law in check.name]
    reason = check.reason() or ""
    assert message in reason
    assert "\n" not in reason


def test_a_lambda_is_no_formula(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "entry = rule(lambda theta, gradient, learning_rate, t: (theta - learning_rate * gradient,))"
    module(tmp_path, monkeypatch, text, "with_lambda")
    declaration, *others = checks("with_lambda:entry")
    assert declaration.reason() == "update is a lambda: it must be a function defined with def"
    assert {check.name for check in others if declaration.name not in check.needs} == set()
    with pytest.raises(InputError, match="'with_lambda:entry': its formula must be a function defined with def"):
        fused(optimizers.get("with_lambda:entry"), "float32")


@pytest.mark.parametrize(("number", "law"), list(enumerate(FAULTS)), ids=list(FAULTS))
def test_a_fault_is_noticed(number: int, law: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A name of its own: a catalog makes the entry of a module once.
    module(tmp_path, monkeypatch, FAULTS[law], f"faulty{number}")
    check = next(check for check in checks(f"faulty{number}:entry") if law in check.name)
    assert check.reason()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (
            "def half(x):\n    return x / 2\n"
            "def update(theta, gradient, learning_rate, t):\n    return (theta - learning_rate * half(gradient),)\n"
            "entry = rule(update)",
            8,
        ),
        ("def multiplier(s, total):\n    return 1 - s / total\ndef entry():\n    return schedule(multiplier)", 7),
        ("entry = from_model(Line(), n_samples=100, name='line')", 8),
        ("entry = Other()", 5),
    ],
    ids=["optimizer", "schedule", "model", "task"],
)
def test_an_entry_without_fault_passes(
    text: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    name = f"faultless_{request.node.callspec.id}"
    module(tmp_path, monkeypatch, text, name)
    of_entry = checks(f"{name}:entry")
    assert len(of_entry) == count
    assert {check.name: check.reason() for check in of_entry} == {check.name: None for check in of_entry}


@pytest.mark.parametrize(
    ("X", "y", "kind", "message"),
    [
        (np.zeros(20), np.arange(20) % 2, "classification", r"load\(\): X: must have shape \(n, d\)"),
        (np.full((20, 2), np.inf), np.arange(20) % 2, "classification", "load.*finite numbers up to 1e.30, got inf"),
        (np.eye(20), np.arange(19) % 2, "classification", r"load\(\): y: must have shape \(20,\)"),
        (np.eye(20), np.arange(20) % 2 + 1, "classification", r"classes must be numbered 0 to 1, got 1 to 2"),
        (np.eye(20), np.array(["a", "b"] * 10), "classification", "classes must be numbered 0 to 1, got 'a' to 'b'"),
        (np.eye(20), np.full(20, np.nan), "regression", r"load\(\): y: 20 missing \(NaN\)"),
        (np.eye(20), np.eye(19), "regression", r"load\(\): y: must have 20 rows, one for each row of X, got 19"),
        (np.eye(20), np.full((20, 2), np.nan), "regression", r"load\(\): y: must be finite numbers"),
    ],
)
def test_data_that_cannot_be_used_are_explained(X: Any, y: Any, kind: Any, message: str) -> None:
    check, *others = task_checks(tasks.ArrayTask("mine", kind, lambda: (X, y)))
    assert re.search(message, check.reason() or "")
    assert {other.needs for other in others} == {(check.name,)}


def test_the_file_of_a_task_describes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    (check,) = [check for check in task_checks("iris") if check.name == "its file describes it"]
    assert check.reason() is None
    monkeypatch.setattr(sys.modules["cooldown.objectives.tasks.iris"], "__doc__", None)
    assert re.search(r"iris\.py has no docstring: its first sentence is", check.reason() or "")


def test_a_missing_cell_and_several_targets_are_data() -> None:
    X = np.where(np.eye(20) == 1, np.nan, 0.5)
    for y, kind in ((np.arange(20) % 2 == 1, "classification"), (np.eye(20, 3), "regression")):
        check_loaded(X, y, kind)  # type: ignore[arg-type]


def test_a_name_of_two_entries_is_ambiguous(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "names", lambda: ["adam", "cosine"])
    with pytest.raises(
        InputError, match=r"'adam' is the name of several entries \(optimizer, schedule\): give the one"
    ):
        checks("adam")


def test_names_for_pytest() -> None:
    (first, *_) = optimizer_checks("adam")
    assert first.__name__ == first.name == "its declaration matches its formula"
    assert len({check.name for check in schedule_checks("cosine")}) == 7
    assert [check.name for check in model_checks(tasks.get("quadratic"))] == [
        check.name for check in task_checks("quadratic")
    ][-3:]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("adamm", "unknown optimizer, schedule or task 'adamm'; did you mean 'adam'"),
        ("json:dumps", r"dumps\(\) raised TypeError: .*; dumps must be an Optimizer, Schedule or Task or return one"),
        ("no_such_module_here:x", "module 'no_such_module_here' cannot be imported: .*; searched in "),
    ],
)
def test_what_is_no_entry_is_told(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        checks(name)
    with pytest.raises(InputError, match=r"should be a task from tasks\.from_model"):
        model_checks(tasks.get("iris"))


def test_equal_runs_have_equal_fields_except_their_timings() -> None:
    (curve,) = train(
        tasks.get("iris"), [TrainConfig.from_json({"optimizer": "sgd", "epochs": 2})], [0], every_update=True
    )[0]
    assert same(curve, replace(curve, seconds=curve.seconds + 1))
    assert same(replace(curve, uninformed_loss=float("nan")), replace(curve, uninformed_loss=float("nan")))
    for field in fields(curve):
        value = getattr(curve, field.name)
        other: Any = Outcome.DIVERGED if isinstance(value, Outcome) else Errors(1.0, 2.0)
        if not isinstance(value, Outcome | Errors):
            other = value + 1
        assert same(curve, replace(curve, **{field.name: other})) == (field.name == "seconds"), field.name


@pytest.mark.parametrize(
    ("entry", "change", "message"),
    [
        ("adam", {"family": "sdg"}, r"unknown family of optimizer 'adam': 'sdg'; did you mean 'sgd'\?"),
        ("adam", {"colour": "blue"}, "optimizer 'adam': colour must be six hexadecimal digits .*, got 'blue'"),
        ("adam", {"colour": "#12345G"}, "optimizer 'adam': colour must be six hexadecimal digits .*, got '#12345G'"),
        ("step", {"dash": "dashed"}, "schedule 'step': dash must be solid, .*, got 'dashed'"),
        ("step", {"dash": "3px,"}, "schedule 'step': dash must be solid, .*, got '3px,'"),
        ("step", {"symbol": "sqare"}, r"unknown symbol of schedule 'step': 'sqare'; did you mean 'square'\?"),
    ],
)
def test_a_look_that_figures_cannot_draw_is_refused(entry: str, change: dict[str, Any], message: str) -> None:
    catalog = optimizers if entry in optimizers.names() else schedules
    with pytest.raises(InputError, match=message):
        replace(catalog.get(entry), **change)
