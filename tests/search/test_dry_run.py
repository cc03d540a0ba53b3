"""`compare --dry-run`: what it counts is what a run costs, and nothing is left behind. Its times are benchmarked."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from search_runs import TINY, cooldown, flags, run_in_threads, spec

from objectives.errors import InputError
from search import estimates as module
from search.estimates import Estimate, estimate
from search.experiments import _task, dry_run
from search.spec import Experiment
from search.splits import Splits
from search.summary import document
from search.terminal import spoken


def estimated(made: Experiment) -> Estimate:
    return estimate(made, Splits(_task(made), made), 1, lambda: ThreadPoolExecutor(1))


CALM = {"momentum.learning_rate": 0.01, "adam.learning_rate": 0.001}


@pytest.mark.parametrize("arms", [("momentum+sgdr", "adam"), ("momentum,adam+cosine,sgdr",)])
def test_the_cost_is_that_of_a_run_in_which_nothing_ends_early(url: str, arms: tuple[str, ...]) -> None:
    made = spec(arms=arms, ranges=CALM if len(arms) > 1 else {}, epochs=2, trials=5)
    found = estimated(made)
    shown = document(run_in_threads(url, made))
    for cost, arm in zip(found.arms, shown["arms"], strict=True):
        assert cost.arm == arm["arm"]
        assert cost.search == arm["search_gradient_evaluations"]
        assert cost.evaluation == arm["evaluation_gradient_evaluations"]
        assert cost.default == arm["default_gradient_evaluations"]
        assert cost.total == arm["gradient_evaluations"]
    assert found.gradient_evaluations == sum(arm["gradient_evaluations"] for arm in shown["arms"])


def test_time_is_scaled_by_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock of our own: a run of e epochs takes 2 + 3e seconds, of an experiment with 1/k of the work."""
    timed: list[int] = []

    def took(_spec: Any, _splits: Any, _workers: int, _executor: Any, epochs: int) -> tuple[float, float]:
        timed.append(epochs)
        return 7.0, 2.0 + 3.0 * epochs

    monkeypatch.setattr(module, "_timed", took)
    # Enough for four epochs and a half, of which the little that has passed takes nothing away.
    monkeypatch.setattr(module, "BUDGET", 22.5)
    made = spec(epochs=40, trials=8, repeats=3)
    scale = module._work(made) / module._work(module._small(made, 1))
    found = estimated(made)
    assert timed == [1, 4]
    assert found.seconds == pytest.approx(7 + (2 + 3 * 40) * scale)
    timed.clear()
    monkeypatch.setattr(module, "BUDGET", 0.0)
    assert estimated(made).seconds == pytest.approx(7 + 5 * 40 * scale), "a single point goes through 0"
    assert timed == [1]
    monkeypatch.setattr(module, "BUDGET", 1e6)
    assert estimated(made).epochs == 40


def test_a_long_experiment_is_timed_by_a_small_one() -> None:
    made = spec(trials=1000, repeats=50, finalists=6, generation=4, epochs=3)
    small = module._small(made, 2)
    assert (small.trials, small.repeats, small.finalists, small.epochs) == (4, 1, 1, 2)
    assert (small.arms, small.seeds, small.confirm_seeds) == (made.arms, made.seeds, made.confirm_seeds)
    assert module._work(made) > 1000 * module._work(small)


def test_the_command_writes_nothing(tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    done = cooldown("compare", "iris", *flags(), "--dry-run", "--workers", "1", cwd=tmp_path)
    assert "gradient evaluations, if no run ends before its last epoch" in " ".join(done.stdout.split())
    shown = json.loads(cooldown("compare", "iris", *flags(), "--dry-run", "--json", "--quiet", cwd=tmp_path).stdout)
    assert [arm["arm"] for arm in shown["arms"]] == list(TINY["arms"])
    assert shown["seconds"] > shown["start_seconds"] > 0
    assert shown["gradient_evaluations"] == sum(arm["total"] for arm in shown["arms"])
    assert sorted(tmp_path.iterdir()) == before


def test_bad_input_is_refused_as_by_a_run(tmp_path: Path) -> None:
    done = cooldown("compare", "iris", "--trials", "0", "--dry-run", cwd=tmp_path, check=2)
    assert len(done.stderr.splitlines()) == 1
    with pytest.raises(InputError, match="unknown task"):
        dry_run("irish")
    with pytest.raises(InputError, match="workers"):
        dry_run("iris", workers=0)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (75, "1 min 15 s"),
        (3599, "1 h 0 min"),
        (900, "15 min"),
        (7500, "2 h 5 min"),
    ],
)
def test_times_are_told_in_words(seconds: float, words: str) -> None:
    assert spoken(seconds) == words
