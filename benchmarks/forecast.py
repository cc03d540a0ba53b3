"""Looks and forecasts in simulation: what the levels of four looks give, and whether a forecast keeps its word.

Experiments are simulated from their definition: x, the log ratio of two losses, is normal and independent over repeats.
The effects are those measured on the built-in tasks (momentum+cosine against adam+cosine), and some planted ones; one
row has heavy tails instead, Student's t with 4 degrees of freedom.

    python -m benchmarks.forecast [--experiments 200] [--looked-at 100000] [--seed 0]

1. Spending functions: the share of questions decided by each look at 5, 10, 20 and 40 repeats, over the six measured
   effects, and the repeats spent on average.
2. Looks. A winner that is false at any of the four; and, each experiment ended by its first answer: false winners,
   false "practically equal" and "not better by the margin", coverage of the interval shown at the end. The target: at
   most 5 % each of false answers.
3. Forecasts: the share of experiments that are decided at the number named, 80 % being asked for. "decided": new
   experiments, where the forecast saw the true effect and spread exactly; beside it the power at that number and at one
   fewer. "after 5": each experiment has its own forecast from its first 5 repeats, if these leave it undecided, and is
   then continued to that number. The last row takes undecided experiments of the six measured effects as often as they
   occur.
"""

import argparse
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.special import ndtr, ndtri

from cooldown.search.statistics.forecast import power, repeats_to_decide
from cooldown.search.statistics.looks import levels, levels_of_shares
from cooldown.search.statistics.student import t_quantiles

LOOKS, MARGIN, ALPHA = (5, 10, 20, 40), 0.1, 0.05
BOUND = float(np.log1p(MARGIN))
MEASURED = {
    "wine": (1.39, 0.50),
    "iris": (0.99, 0.48),
    "breast_cancer": (1.02, 0.23),
    "two_moons": (1.02, 0.06),
    "digits": (1.09, 0.16),
    "diabetes": (1.01, 0.03),
}
PLANTED = {
    "wine, swapped": (1 / 1.39, 0.50),
    "breast_cancer, swapped": (1 / 1.02, 0.23),
    "digits, swapped": (1 / 1.09, 0.16),
    "A/A": (1.0, 0.20),
    "better by the margin": (1 / 1.1, 0.10),
    "worse by the margin": (1.1, 0.10),
    "between two answers": (1.1**-0.5, 0.20),
}
PILOTS = (5, 10, 20)
Draw = Callable[[tuple[int, int]], NDArray[np.float64]]

SPENDING: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "O'Brien-Fleming-type": lambda t: 4 * ndtr(ndtri(ALPHA / 4) / np.sqrt(t)) / ALPHA,
    "power 2": lambda t: t**2,
    "power 1": lambda t: t,
    "Pocock-type": lambda t: np.log(1 + (np.e - 1) * t),
    "Hwang-Shih-DeCani 2": lambda t: (1 - np.exp(-2 * t)) / (1 - np.exp(-2)),
    "Hwang-Shih-DeCani 4": lambda t: (1 - np.exp(-4 * t)) / (1 - np.exp(-4)),
    "power 0.5": lambda t: t**0.5,
    "power 0.3": lambda t: t**0.3,
}


class Decisions:
    """What the t intervals of x (experiments, n) decide at a two-sided level: one flag per experiment each."""

    def __init__(self, x: NDArray[np.float64], level: float) -> None:
        n = x.shape[1]
        mean, error = x.mean(axis=1), x.std(axis=1, ddof=1) / np.sqrt(n)
        wide, narrow = (-float(t_quantiles(tail, n - 1)) * error for tail in (level / 2, level))
        self.low, self.high = mean - wide, mean + wide
        self.a_better, self.b_better = self.high < 0, self.low > 0
        self.equal = np.abs(mean) + narrow < BOUND
        self.not_by_margin = self.low > -BOUND
        self.any = self.a_better | self.not_by_margin | self.equal


def normal(rng: np.random.Generator, ratio: float, deviation: float) -> Draw:
    """Draws x of an effect."""
    return lambda shape: rng.normal(np.log(ratio), deviation, shape)


def spending(rng: np.random.Generator, experiments: int) -> Iterator[tuple[str, ...]]:
    """Rows of the first table."""
    fractions = np.array(LOOKS) / LOOKS[-1]
    drawn = [normal(rng, *effect)((experiments, LOOKS[-1])) for effect in MEASURED.values()]
    for name, spent in SPENDING.items():
        found = levels_of_shares(LOOKS, list(np.diff(ALPHA * spent(fractions), prepend=0.0)))
        flags = np.array(
            [[Decisions(x[:, :n], level).any for n, level in zip(LOOKS, found, strict=True)] for x in drawn]
        )
        shares = np.logical_or.accumulate(flags, axis=1).mean(axis=(0, 2))
        repeats = LOOKS[0] + float((np.diff(LOOKS) * (1 - shares[:-1])).sum())
        yield name, *(f"{level:.4f}" for level in found), *(f"{share:.0%}" for share in shares), f"{repeats:.1f}"


def looked_at(draw: Draw, truth: float, experiments: int) -> tuple[str, ...]:
    """A row of the second table, after the effect."""
    counts, found = np.zeros(6), levels(LOOKS, LOOKS[-1], ALPHA)
    for size in [10_000] * (experiments // 10_000) + [experiments % 10_000]:
        x, ever, open_ = draw((size, LOOKS[-1])), np.full(size, False), np.full(size, True)
        for n, level in zip(LOOKS, found, strict=True):
            seen = Decisions(x[:, :n], level)
            ended = open_ & (seen.any | (n == LOOKS[-1]))
            false = (seen.a_better & (truth >= 0)) | (seen.b_better & (truth <= 0))
            alike = seen.equal & (abs(truth) >= BOUND)
            covered = (seen.low <= truth) & (truth <= seen.high)
            flags = (false, alike, seen.not_by_margin & (truth <= -BOUND), covered, seen.any)
            counts[1:] += [int((flag & ended).sum()) for flag in flags]
            ever |= false
            open_ &= ~ended
        counts[0] += ever.sum()
    return tuple(f"{count / experiments:.1%}" for count in counts)


def known(rng: np.random.Generator, effect: tuple[float, float], experiments: int) -> tuple[str, str, str]:
    """The number for an effect and spread seen exactly, the share of new experiments decided there, and the power."""
    mean, deviation = float(np.log(effect[0])), effect[1]
    number = repeats_to_decide(mean + deviation * np.array([-1.0, 0.0, 1.0]), MARGIN)
    if number is None:
        return "–", "–", "–"
    share = Decisions(normal(rng, *effect)((experiments, number)), ALPHA).any.mean()
    at, before = (power(mean, deviation, n, MARGIN) for n in (number, number - 1))
    return str(number), f"{share:.0%}", f"{at:.1%} ({before:.1%})"


def piloted(
    rng: np.random.Generator, effect: tuple[float, float], pilot: int, experiments: int
) -> tuple[float, float, float]:
    """The median number named after a pilot that decides nothing, the share decided there; the share of such pilots.

    The first two are NaN where hardly any pilot is undecided.
    """
    draw, decided, numbers, undecided, tried = normal(rng, *effect), [], [], 0, 0
    while len(numbers) < experiments and tried < 100 * experiments:
        pilots = draw((experiments, pilot))
        open_ = pilots[~Decisions(pilots, ALPHA).any]
        undecided, tried = undecided + len(open_), tried + experiments
        for x in open_[: experiments - len(numbers)]:
            number = repeats_to_decide(x, MARGIN)
            numbers.append(number or np.inf)
            if number is not None:
                whole = np.concatenate([x[None], draw((1, number - pilot))], axis=1)
                decided.append(bool(Decisions(whole, ALPHA).any[0]))
    if len(numbers) < experiments:
        return np.nan, np.nan, undecided / tried
    return float(np.median(numbers)), float(np.mean(decided)), undecided / tried


def forecasts(rng: np.random.Generator, experiments: int) -> Iterator[tuple[str, ...]]:
    """Rows of the third table."""
    weighted = np.zeros((2, len(PILOTS)))
    for name, effect in (MEASURED | PLANTED).items():
        cells = [name, f"{effect[0]:.3g}, {effect[1]:g}", *known(rng, effect, experiments)]
        for i, pilot in enumerate(PILOTS):
            number, share, weight = piloted(rng, effect, pilot, experiments)
            cells += ["–", "–"] if np.isnan(share) else [f"{number:.0f}", f"{share:.0%}"]
            if name in MEASURED and not np.isnan(share):
                weighted[:, i] += weight * share, weight
        yield tuple(cells)
    shares = weighted[0] / weighted[1]
    yield "measured, together", "", "", "", "", *(cell for share in shares for cell in ("", f"{share:.0%}"))


def main() -> None:
    """Simulate and print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=200, help="per forecast")
    parser.add_argument("--looked-at", type=int, default=100_000, help="experiments per effect with four looks")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng, console = np.random.default_rng(arguments.seed), Console(width=130)

    at = [f"at {n}" for n in LOOKS]
    table = Table("spending", *(f"level {each}" for each in at), *at, "repeats", box=None)
    for row in spending(rng, arguments.looked_at):
        table.add_row(*row)
    console.print("questions decided by each look, and repeats spent on average: the six measured effects")
    console.print(table)

    columns = ("at any look", "false winner", 'false "equal"', 'false "not by margin"', "covered", "decided")
    table = Table("effect", "ratio, sd", *columns, box=None)
    for name, (ratio, deviation) in (MEASURED | PLANTED).items():
        row = looked_at(normal(rng, ratio, deviation), float(np.log(ratio)), arguments.looked_at)
        table.add_row(name, f"{ratio:.3g}, {deviation:g}", *row)
    row = looked_at(lambda shape: 0.2 * rng.standard_t(4, shape), 0.0, arguments.looked_at)
    table.add_row("A/A, heavy tails", "1, 0.28", *row)
    console.print("\nlooks at 5, 10, 20 and 40 repeats: false winners at any look; then until the first answer")
    console.print(table)

    pilots = [heading for n in PILOTS for heading in (f"after {n}", "decided")]
    table = Table("effect", "ratio, sd", "number", "decided", "power (one fewer)", *pilots, box=None)
    for row in forecasts(rng, arguments.experiments):
        table.add_row(*row)
    console.print(f"\ndecided at the number named: {arguments.experiments} experiments per effect")
    console.print(table)


if __name__ == "__main__":
    main()
