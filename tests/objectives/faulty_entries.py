"""Modules with entries that break a rule, one for each check."""

import sys
import textwrap
from pathlib import Path

import pytest

PARTS = """
    from dataclasses import replace

    import numpy as np

    from cooldown.objectives.hyperparameters import Hyperparameter
    from cooldown.objectives.optimizer import Optimizer, learning_rate
    from cooldown.objectives.problem import Problem
    from cooldown.objectives.schedule import Schedule
    from cooldown.objectives.tasks import ArrayTask, Task, from_model, get

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
        # The iris, and what a task may do wrong with it.
        name, kind, n_rows = "other", "classification", 150

        def problem(self, train, held_out):
            return get("iris").problem(train, held_out)

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
    "starts_at_peak": """
        def multiplier(s, total):
            return (s + 1) / total
        entry = schedule(multiplier)
    """,
    "starts_at_peak and peak": """
        def multiplier(s, total):
            return 1e-3 * (1 - s / total)
        entry = schedule(multiplier)
    """,
    "starts_at_peak and": """
        def multiplier(s, total):
            return 1 - s / total
        entry = replace(schedule(multiplier), starts_at_peak=False)
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
            def problem(self, train, held_out):
                problem = super().problem(train, held_out)
                return Problem(problem.model, problem.train, problem.train[:9], problem.uninformed_loss)
        entry = Overlapping()
    """,
    "same seed gives the same": """
        class Random(Other):
            def split(self, seed, repeat=None, replicate=None):
                return super().split(seed + next(calls), repeat, replicate)
        entry = Random()
    """,
    "fingerprint stays": """
        class Changing(Other):
            def fingerprint(self):
                return str(next(calls))
        entry = Changing()
    """,
    "fingerprint stays the same": """
        def load():
            rng = np.random.default_rng()
            X = rng.normal(size=(60, 2))
            return X, (X[:, 0] > 0).astype(int)
        entry = ArrayTask("unseeded", "classification", load)
    """,
    "same seed gives the same splits": """
        def load():
            X = np.random.default_rng(next(calls)).normal(size=(60, 2))
            return X, X[:, 0]
        entry = ArrayTask("counting", "regression", load)
    """,
    "data can be used": """
        def load():
            X = np.random.default_rng(0).normal(size=(60, 2))
            return X, (X[1:, 0] > 0).astype(int)
        entry = ArrayTask("shorter", "classification", load)
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
    "learn": """
        class Hopeless(Other):
            def problem(self, train, held_out):
                return replace(super().problem(train, held_out), uninformed_loss=1e-3)
        entry = Hopeless()
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


def module(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, name: str = "faulty") -> None:
    """Write `text` as an importable module, after the imports and classes that all of them use."""
    (folder / f"{name}.py").write_text(textwrap.dedent(PARTS) + textwrap.dedent(text))
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, name, raising=False)
