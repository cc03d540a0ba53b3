"""Every entry keeps to what is asked of it, and the checks that say so notice an entry that does not."""

import sys
import textwrap
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from cooldown.objectives import TrainConfig, optimizers, schedules, tasks
from cooldown.objectives.conformance.runs import same
from cooldown.objectives.errors import InputError
from cooldown.objectives.fusion import fused
from cooldown.objectives.records import Outcome
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


PARTS = """
    import numpy as np

    from cooldown.objectives.hyperparameters import Hyperparameter
    from cooldown.objectives.optimizer import Optimizer, learning_rate
    from cooldown.objectives.problem import Problem
    from cooldown.objectives.schedule import Schedule
    from cooldown.objectives.tasks import Task, from_model, get

    calls = iter(range(10**9))

    def rule(update, *others):
        return Optimizer("mine", "sgd", update, (learning_rate(0.1, 0.01, 1.0), *others), "formula", "source")

    def schedule(multiplier, *own):
        return Schedule("mine", multiplier, own, "formula", "source")

    class Line:
        size = 2

        def __init__(self):
            rng = np.random.default_rng(0)
            self.x = rng.normal(size=100)
            self.y = 2 * self.x + 1

        def init(self, rng):
            return rng.normal(size=2)

        def loss_and_gradient(self, theta, indices):
            x, y = self.x[indices], self.y[indices]
            error = theta[:, :1] * x + theta[:, 1:] - y
            gradient = np.stack([(2 * error * x).mean(axis=1), (2 * error).mean(axis=1)], axis=1)
            return (error**2).mean(axis=1), gradient

    class Other(Task):
        # Digits' and iris' splits, and what a task may do wrong with them.
        name, kind = "other", "classification"

        def search_problem(self, seed=0, repeat=0):
            return get("iris").search_problem(seed, repeat)

        def evaluation_problem(self, seed=0):
            return get("iris").evaluation_problem(seed)

        def fingerprint(self):
            return "as ever"
"""
FAULTS = {
    "declaration matches": """
        def update(theta, gradient, learning_rate, t, one, other):
            return (theta - learning_rate * gradient,)
        entry = rule(update, Hyperparameter("other", 1.0, 0.0, 1.0), Hyperparameter("one", 1.0, 0.0, 1.0))
    """,
    "stays finite": """
        def update(theta, gradient, learning_rate, t):
            return (theta - learning_rate * gradient * np.exp(t * 40.0),)
        entry = rule(update)
    """,
    "does not modify its inputs": """
        def update(theta, gradient, m, learning_rate, t):
            m *= 0.9
            m += gradient
            return theta - learning_rate * m, m
        entry = rule(update)
    """,
    "compiled rule": """
        def update(theta, gradient, learning_rate, t):
            return (theta - learning_rate * gradient / np.linalg.norm(gradient),)
        entry = rule(update)
    """,
    "learns iris": """
        def update(theta, gradient, learning_rate, t):
            return (theta + learning_rate * gradient,)
        entry = rule(update)
    """,
    "one finite multiplier": """
        def multiplier(s, total):
            return 1 - s / (0.5 * total)
        entry = schedule(multiplier)
    """,
    "one finite multiplier of at least 0 for each": """
        def multiplier(s, total):
            return np.float64(1.0) + np.zeros(2)
        entry = schedule(multiplier)
    """,
    "number alone": """
        def multiplier(s, total):
            return np.linspace(1, 0.1, len(s))
        entry = schedule(multiplier)
    """,
    "the same run twice": """
        def multiplier(s, total):
            return np.full(len(s), 1 / (1 + next(calls)))
        entry = schedule(multiplier)
    """,
    "momentum learns iris": """
        def multiplier(s, total):
            return np.zeros_like(s)
        entry = schedule(multiplier)
    """,
    "splits do not overlap": """
        class Overlapping(Other):
            def search_problem(self, seed=0, repeat=0):
                problem = super().search_problem(seed, repeat)
                return Problem(problem.model, problem.train, problem.train[:9], problem.uninformed_loss)
        entry = Overlapping()
    """,
    "same seed gives the same": """
        class Random(Other):
            def search_problem(self, seed=0, repeat=0):
                return super().search_problem(seed, repeat + next(calls))
        entry = Random()
    """,
    "fingerprint stays": """
        class Changing(Other):
            def fingerprint(self):
                return str(next(calls))
        entry = Changing()
    """,
    "worker process": """
        class Staying(Line):
            def __reduce__(self):
                raise TypeError("stays")
        entry = from_model(Staying(), n_samples=100, name="line")
    """,
    "gradient of its loss": """
        class Wrong(Line):
            def loss_and_gradient(self, theta, indices):
                loss, gradient = super().loss_and_gradient(theta, indices)
                return loss, 0.5 * gradient
        entry = from_model(Wrong(), n_samples=100, name="line")
    """,
    "does not modify parameters": """
        class Writing(Line):
            def loss_and_gradient(self, theta, indices):
                result = super().loss_and_gradient(theta, indices)
                if len(theta) == 3:
                    theta[:] = 0
                return result
        entry = from_model(Writing(), n_samples=100, name="line")
    """,
    "with others and alone": """
        class Together(Line):
            def loss_and_gradient(self, theta, indices):
                loss, gradient = super().loss_and_gradient(theta, indices)
                return loss, gradient * (1 + 1e-7 * (len(theta) - 1))
        entry = from_model(Together(), n_samples=100, name="line")
    """,
    "learns": """
        class Deaf(Line):
            def loss_and_gradient(self, theta, indices):
                loss, gradient = super().loss_and_gradient(theta, indices)
                return loss, -gradient
        entry = from_model(Deaf(), n_samples=100, name="line")
    """,
}
"""What an entry may do wrong, by a part of the name of the check that has to notice."""


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


def module(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, name: str = "faulty") -> None:
    (folder / f"{name}.py").write_text(textwrap.dedent(PARTS) + textwrap.dedent(text))
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.parametrize(("number", "law"), list(enumerate(FAULTS)), ids=list(FAULTS))
def test_a_fault_is_noticed(number: int, law: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A name of its own: a catalog makes the entry of a module once.
    module(tmp_path, monkeypatch, FAULTS[law], f"faulty{number}")
    reasons = {check.name: check.reason() for check in checks(f"faulty{number}:entry")}
    (name,) = [name for name in reasons if law in name][:1]
    assert reasons[name], reasons


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (
            "def half(x):\n    return x / 2\n"
            "def update(theta, gradient, learning_rate, t):\n    return (theta - learning_rate * half(gradient),)\n"
            "entry = rule(update)",
            8,
        ),
        ("def multiplier(s, total):\n    return 1 - s / total\ndef entry():\n    return schedule(multiplier)", 6),
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


def test_names_for_pytest() -> None:
    (first, *_) = optimizer_checks("adam")
    assert first.__name__ == first.name == "its declaration matches its formula"
    assert len({check.name for check in schedule_checks("cosine")}) == 6
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
    (curve,) = train(tasks.get("iris"), [TrainConfig.from_json({"optimizer": "sgd", "epochs": 2})], [0])[0]
    assert same(curve, replace(curve, seconds=curve.seconds + 1))
    assert same(replace(curve, uninformed_loss=float("nan")), replace(curve, uninformed_loss=float("nan")))
    for field in fields(curve):
        value = getattr(curve, field.name)
        other = Outcome.DIVERGED if isinstance(value, Outcome) else value + 1
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
