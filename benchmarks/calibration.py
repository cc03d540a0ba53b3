"""Calibration of the verdict: experiments of an arm against itself, planted differences, and real pairs.

Each experiment is the whole procedure on a fast task, with its own seed: search, finalists, fresh seeds, test split,
for one arm under two names. The true ratio of their losses is 1, so every winner is false. A ratio is planted by
multiplying one side's test losses, so that the truth is known exactly. Experiments that go on until they answer are put
together from these repeats. Real pairs are compared on tables drawn from larger ones (real_pairs.py).

    python -m benchmarks.calibration [--experiments 200] [--repeats 6] [--tables 20]
"""

import argparse
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.real_pairs import INTERVAL_REPEATS, ROWS, SOURCES, pair_of
from cooldown.objectives.random_streams import generator
from cooldown.search.evidence.answer import question_word
from cooldown.search.executors.engines.inline import Inline
from cooldown.search.spec.experiment import Experiment, read_spec
from cooldown.search.statistics.looks import levels
from cooldown.search.statistics.verdict import Verdict, verdicts

CASES = (("iris", "adam+cosine"), ("wine", "momentum"), ("two_moons", "adam"), ("quadratic", "momentum+cosine"))
DEFAULT_REPEATS = 5
PLAN = (5, 10, 20, 40)
PLANTED = (1.05, 1.1, 1.25, 1.5, 2.0)
Losses = NDArray[np.float64]


def spec_of(number: int, repeats: int, trials: int, epochs: int) -> Experiment:
    """The A/A experiment `number`."""
    task, arm = CASES[number % len(CASES)]
    return read_spec(
        task=task,
        arms=(f"first={arm}", f"second={arm}"),
        trials=trials,
        repeats=repeats,
        epochs=epochs,
        seeds=2,
        finalists=3,
        finalist_seeds=3,
        confirm_seeds=5,
        seed=number,
    )


def losses_of(number: int, repeats: int, trials: int, epochs: int) -> Losses:
    """(2, repeats, seeds): the test losses of both names' winners in the A/A experiment `number`."""
    from cooldown.objectives import tasks
    from cooldown.search.tuning.runner import run
    from cooldown.search.tuning.splits import Splits
    from cooldown.storage import Ledger, StudyKey

    spec = spec_of(number, repeats, trials, epochs)
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(f"sqlite:///{Path(folder) / 'calibration.db'}")
        splits = Splits(tasks.get(spec.task), spec)
        ledger.create("aa", spec.to_json(), "", [StudyKey(arm, r) for arm in spec.arms for r in range(repeats)])
        run(ledger, "aa", spec, splits, Inline())
        studies = {(study.arm, study.repeat): study for study in ledger.load("aa").studies}
    return np.array(
        [[[curve.final_loss for curve in studies[arm, r].evaluations] for r in range(repeats)] for arm in spec.arms]
    )


def verdict_of(a: Losses, b: Losses) -> Verdict:
    """The verdict on two arms' losses (repeats, seeds), as that of the pair that an experiment asks about."""
    losses = {arm: dict(enumerate(each.mean(axis=1).tolist())) for arm, each in (("a", a), ("b", b))}
    return verdicts(losses, ("a", "b"))[0]


def covers(verdict: Verdict, ratio: float) -> bool:
    """Whether the interval covers the true ratio; the truth 1 is a difference of 0 where losses are not above 0."""
    truth = ratio if verdict.scale == "ratio" else 0.0
    return (verdict.low or 0.0) <= truth <= (verdict.high or 0.0)


def directed(verdict: Verdict) -> bool:
    """Whether one arm is called better."""
    return verdict.verdict in ("a_better", "b_better")


def proportion(flags: Sequence[bool]) -> str:
    """A share with its 95 % binomial interval (Clopper & Pearson)."""
    from scipy.stats import binomtest

    exact = binomtest(sum(flags), len(flags)).proportion_ci()
    return f"{sum(flags) / len(flags):.1%} [{exact.low:.1%}, {exact.high:.1%}]"


def main() -> None:
    """Run the experiments and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=6)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--tables", type=int, default=20, help="drawn from each source of real pairs; 0 for none")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    one = partial(losses_of, repeats=arguments.repeats, trials=arguments.trials, epochs=arguments.epochs)
    with ProcessPoolExecutor(arguments.processes, mp_context=get_context("spawn")) as pool:
        # The first one alone: it compiles.
        everything = [one(0)]
        everything += pool.map(one, range(1, arguments.experiments), chunksize=4)
    console = Console()
    n = min(DEFAULT_REPEATS, arguments.repeats)
    found = [verdict_of(*losses[:, :n]) for losses in everything]
    console.print(f"{arguments.experiments} A/A experiments, {n} repeats")
    table = Table("case", "false winners", "coverage of 95 %", "called equal", "median interval", box=None)
    for title, rows in [("all", found), *((", ".join(case), found[i :: len(CASES)]) for i, case in enumerate(CASES))]:
        if rows:
            ratios = [(each.low, each.high) for each in rows if each.scale == "ratio"]
            low, high = np.median(ratios, axis=0) if ratios else (np.nan, np.nan)
            table.add_row(
                title,
                proportion([directed(each) for each in rows]),
                proportion([covers(each, 1.0) for each in rows]),
                proportion([bool(each.equal) for each in rows]),
                f"{low:.2f} to {high:.2f}",
            )
    console.print(table)
    of_ratios = [losses for losses, each in zip(everything, found, strict=True) if each.scale == "ratio"]
    table = Table("repeats", *(f"ratio {ratio:g}" for ratio in PLANTED), box=None)
    for repeats in range(2, arguments.repeats + 1):
        planted = [[verdict_of(ratio * a[:repeats], b[:repeats]) for a, b in of_ratios] for ratio in PLANTED]
        table.add_row(
            str(repeats),
            *(
                f"{np.mean([each.verdict == 'b_better' for each in row]):.0%}, "
                f"{np.mean([covers(each, ratio) for each in row]):.0%}"
                for ratio, row in zip(PLANTED, planted, strict=True)
            ),
        )
    console.print("\nplanted ratios of losses: share found, coverage of the 95 % interval")
    console.print(table)
    after_looks(console, of_ratios)
    if arguments.tables:
        real_pairs(console, arguments.tables, arguments.processes)


def after_looks(console: Console, everything: Sequence[Losses]) -> None:
    """False winners among experiments that go on until they answer, put together from A/A repeats of the same case."""
    ends = [look for look in PLAN if look <= len(everything) * everything[0].shape[1] // len(CASES)]
    rng, false, answered, covered = generator(0, "benchmark", "looks"), [], [], []
    for case in range(len(CASES)):
        alike = everything[case :: len(CASES)]
        pool = np.concatenate([losses.mean(axis=2).T for losses in alike]) if alike else np.empty((0, 2))
        for _ in range(500 if len(pool) >= ends[-1] else 0):
            repeats = rng.permutation(pool)[: ends[-1]]
            for place, look in enumerate(ends):
                losses = {arm: dict(enumerate(repeats[:look, of].tolist())) for of, arm in enumerate("ab")}
                (verdict,) = verdicts(losses, ("a", "b"), level=levels(ends[: place + 1], ends[-1])[-1])
                if question_word(verdict) != "open":
                    break
            false.append(directed(verdict))
            answered.append(question_word(verdict) != "open")
            covered.append(covers(verdict, 1.0))
    if false:
        console.print(f"\nA/A experiments that end with their answer, looks at {ends}, put together from these repeats")
        console.print(
            f"false winners {proportion(false)}, coverage {proportion(covered)}, answered {proportion(answered)}"
        )


def real_pairs(console: Console, tables: int, processes: int) -> None:
    """Real pairs, with the truth from the rows that are left."""
    cases = [(name, number) for number in range(tables) for name in SOURCES]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        found = dict(zip(cases, pool.map(pair_of, cases), strict=True))
    table = Table("drawn from", "true ratio", "coverage of 95 %", "wrong winners", "answered", box=None)
    for title in ("all", *SOURCES):
        rows = [pair for (name, _), pair in found.items() if title in ("all", name)]
        truths, verdicts_of = [], []
        for pair in rows:
            truths.append(float(np.exp(pair.left[INTERVAL_REPEATS:].mean())))
            of_first = np.exp(pair.own[:INTERVAL_REPEATS])
            losses = {"a": dict(enumerate(of_first.tolist())), "b": dict.fromkeys(range(INTERVAL_REPEATS), 1.0)}
            verdicts_of += verdicts(losses, ("a", "b"))
        wrong = [
            (each.verdict == "a_better" and truth > 1) or (each.verdict == "b_better" and truth < 1)
            for each, truth in zip(verdicts_of, truths, strict=True)
        ]
        table.add_row(
            title,
            f"{np.exp(np.log(truths).mean()):.2f}",
            proportion([covers(each, truth) for each, truth in zip(verdicts_of, truths, strict=True)]),
            proportion(wrong),
            proportion([question_word(each) != "open" for each in verdicts_of]),
        )
    console.print(f"\nreal pairs: {tables} tables of {ROWS} rows from each source, {INTERVAL_REPEATS} repeats")
    console.print(table)


if __name__ == "__main__":
    main()
