"""Looking more than once: the level of each look at an experiment that is extended until it answers.

Who tests at 5 % after 5, 10, 20 and 40 repeats declares a winner between equals in 15 % of experiments. Lan and DeMets
divide the 5 % over the looks: a spending function says how much of it may be used up by the time a share of the planned
repeats is there, whatever the looks turn out to be. `levels` turns it into the level of each look, at which its
interval is made and its verdict given; `most_false_winners` says what the looks taken add up to where they go beyond
the plan.

How much a level may be, given the earlier ones, is worked out by integrating from look to look over the experiments
that are still undecided (Armitage, McPherson and Rowe 1969), for t statistics, as Jennison and Turnbull 1991 do. The
usual approximation by sums of normal numbers gives 5.2 % false winners after the four looks, and 5.5 % after looks at
2, 4, 8 and 16.

The spending function is α·√t, of Kim and DeMets' power family, t the share of the planned repeats. Among this family
and those of Pocock, O'Brien and Fleming, and Hwang, Shih and DeCani it decided most at the first of the four looks
without losing more than a point after the last to Pocock's. Over six measured effects: 37 % and 84 % of questions;
Pocock's 31 % and 84 %, O'Brien and Fleming's 0 % and 86 % (`python -m benchmarks.forecast`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from operator import index

import numpy as np
from numpy.typing import NDArray

from cooldown.search.statistics.student import t_probability, t_quantiles

SPENDING_POWER = 0.5
BINS, NODES = 48, 8
"""Into how many values the statistic is divided between one look and the next, and its scale."""
LEAST_GROWTH, LEAST_SHARE = 0.001, 1e-9
"""Below these, of repeats since the last look and of error to spend, a look's level is its share itself."""


def levels(looks: Sequence[int], end: int, alpha: float = 0.05) -> tuple[float, ...]:
    """The nominal two-sided level at each look: its interval has confidence 1 − level.

    looks: the numbers of repeats at which the experiment was looked at so far, at least 2 and rising. end: the repeats
    at which the plan ends, at least 2. alpha: of (0, 1), the probability that any look of the plan finds a difference
    where there is none. Returns one level of (0, alpha] per look. A single look at the end has alpha itself. A look's
    level depends on those before it, never on later ones. Looks must not be chosen by what the last one showed, other
    than by whether it decided.

    The first look at the end or beyond it spends all that is left, so that a plan that is overshot keeps alpha. Each
    look after that is outside the plan and gets a share of its own, alpha/2, alpha/4, …: see `most_false_winners`.
    Looks that add less than 0.1 % of repeats get their share as their level, which is at most too strict.

    Raises ValueError for bad arguments. Sources: Lan & DeMets 1983; Kim & DeMets 1987; Jennison & Turnbull 1991.
    """
    looks = _checked("levels", looks, end, alpha)
    return _kept(looks, tuple(_shares(looks, end, alpha)), alpha)


def levels_of_shares(looks: Sequence[int], shares: Sequence[float], most: float = 1.0) -> tuple[float, ...]:
    """The nominal two-sided levels at which each look adds its share to the probability of a false winner.

    It is what is behind `levels`, for any spending function. looks: (K,) numbers of repeats, at least 2 and rising.
    shares: (K,) above 0, below 1 in total. most: no level is above this, even where the share would allow it. Neither
    is checked.
    """
    return _kept(tuple(looks), tuple(shares), most)


# Every answer asks for them, and nearly every experiment has one of a few plans.
@lru_cache(maxsize=1024)
def _kept(looks: tuple[int, ...], shares: tuple[float, ...], most: float) -> tuple[float, ...]:
    found = [min(shares[0], most)]
    # The experiments undecided after the last look that was integrated over.
    chain = _Chain(looks[0], _limit(found[0], looks[0]))
    for position, (n, share) in enumerate(zip(looks[1:], shares[1:], strict=True), 1):
        if n - chain.repeats < LEAST_GROWTH * chain.repeats or share < LEAST_SHARE:
            found.append(min(share, most))
            continue
        values, masses = chain.divided(n)
        # The share, were no earlier crossing to cross here again; all that is spent by now, were every one to.
        low, high = share, min(sum(shares[: position + 1]), most)
        while high - low > 1e-6 * low:
            level = (low + high) / 2
            exits = float(masses @ _beyond(values, np.array([_limit(level, n)]), chain.repeats, n)[:, 0])
            low, high = (level, high) if exits < share else (low, level)
        found.append(min(low, most))
        chain = _Chain(n, _limit(found[-1], n), chain.repeats, values, masses)
    return tuple(found)


def most_false_winners(looks: Sequence[int], end: int, alpha: float = 0.05) -> float:
    """The most that the probability of a false winner can be, over all looks at `levels(looks, end, alpha)`.

    It is alpha for a plan, also one that is overshot by its last look, and alpha·(2 − 2^−k) after k looks more: below
    2·alpha however many. Arguments and errors are those of `levels`.
    """
    looks = _checked("most_false_winners", looks, end, alpha)
    return max(alpha, float(sum(_shares(looks, end, alpha))))


def _checked(call: str, looks: Sequence[int], end: int, alpha: float) -> tuple[int, ...]:
    try:
        whole, last = tuple(index(n) for n in looks), index(end)
    except TypeError:
        raise ValueError(f"{call}(looks={looks}, end={end}): numbers of repeats must be whole") from None
    if not whole or whole[0] < 2 or any(b <= a for a, b in pairwise(whole)):
        raise ValueError(f"{call}(looks=...): looks must rise, from at least 2 repeats on, got {list(whole)}")
    if last < 2:
        raise ValueError(f"{call}(end={end}): a plan must end at 2 repeats or more, got {end}")
    if not 0 < alpha < 1:
        raise ValueError(f"{call}(alpha={alpha}): alpha must be between 0 and 1, got {alpha}")
    return whole


def _shares(looks: tuple[int, ...], end: int, alpha: float) -> list[float]:
    """What each look may add to the probability of a false winner."""
    planned = sum(n < end for n in looks) + 1
    spent = [alpha * min(n / end, 1.0) ** SPENDING_POWER for n in looks[:planned]]
    beyond = [alpha * 0.5**k for k in range(1, len(looks) - planned + 1)]
    return [after - before for before, after in pairwise([0.0, *spent])] + beyond


# The statistic of a look is w = S/√Q, S the sum of x over the n repeats so far, Q the sum of x². It is a function of t,
# rises with it, and lies within ±√n. Where the mean is 0 it does not depend on Q, and Q is all that the past says of
# the scale: so w is a Markov chain, whose steps are known without σ. Both signs are alike, so |w| is kept.


def _limit(level: float, n: int) -> float:
    """The |w| that is exceeded with probability `level`."""
    t = -float(t_quantiles(level / 2, n - 1))
    return t * float(np.sqrt(n / (n - 1 + t * t)))


@dataclass(frozen=True)
class _Chain:
    """The experiments that are undecided after a look: |w| at `repeats` is below `limit`.

    values, masses: (V,) their |w| at the look before, after `before` repeats, and its probabilities; None at the first.
    """

    repeats: int
    limit: float
    before: int = 0
    values: NDArray[np.float64] | None = None
    masses: NDArray[np.float64] | None = None

    def divided(self, following: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Values (V,) of |w| at this look and their probabilities (V,), close enough for a look at `following`."""
        # A step's spread is √(m/n): no interval may be much wider.
        bins = max(BINS, int(1.5 * self.limit / np.sqrt(following / self.repeats - 1)))
        # Even in the angle of which w/√n is the sine: at 2 repeats all angles are as likely, and w crowds at its ends.
        angles = np.linspace(0, np.arcsin(self.limit / np.sqrt(self.repeats)), bins + 1)
        edges, values = (np.sqrt(self.repeats) * np.sin(each) for each in (angles, (angles[1:] + angles[:-1]) / 2))
        if self.values is None or self.masses is None:
            t = edges * np.sqrt((self.repeats - 1) / (self.repeats - edges**2))
            below = 2 * np.array([t_probability(each, self.repeats - 1) for each in t])
        else:
            below = -self.masses @ _beyond(self.values, edges, self.before, self.repeats)
        return values, np.diff(below)


def _beyond(values: NDArray[np.float64], limits: NDArray[np.float64], n: int, more: int) -> NDArray[np.float64]:
    """(V, L): the probability that |w| at `more` repeats exceeds each limit (L,), given each |w| at n repeats (V,).

    In units of √Q, m new repeats are a vector of the multivariate t distribution with n degrees of freedom. Let y be
    its part along their mean, over the length of all else, and B/(1 − B) one over the squared length of the new part
    across: B is of the beta distribution, tan⁻¹ y of one that t gives, and the new w is (w√B + y√m)/√(1 + y²).
    """
    from scipy.special import roots_jacobi, stdtr

    m = more - n
    # Not above 1,000, where the weights overflow: B hardly varies there.
    if m == 1 or more > 1000:
        shares, weights = np.array([n / (more - 1)]), np.ones(1)
    else:
        roots, weights = roots_jacobi(NODES, (m - 3) / 2, n / 2 - 1)
        shares, weights = (1 + roots) / 2, weights / weights.sum()
    start = np.multiply.outer(np.concatenate([values, -values]), np.sqrt(shares))[:, :, None]
    # start·cos θ + √m·sin θ > limit, for y = tan θ, is an interval of angles around that of the vector (start, √m).
    middle = np.arctan2(np.sqrt(m), start)
    half = np.arccos(np.minimum(limits / np.hypot(start, np.sqrt(m)), 1))
    degrees = more - 1

    def below(angles: NDArray[np.float64]) -> NDArray[np.float64]:
        within = np.clip(angles, -np.pi / 2, np.pi / 2)
        return np.asarray(stdtr(degrees, np.sqrt(degrees) * np.tan(within)), np.float64)

    either = np.einsum("vrl,r->vl", below(middle + half) - below(middle - half), weights)
    return np.asarray(either[: len(values)] + either[len(values) :], np.float64)
