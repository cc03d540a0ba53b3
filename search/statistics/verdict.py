"""The verdict on every pair of arms: pure functions on test losses per arm and repeat.

A repeat gives each arm one number, the mean test loss of its winner over the fresh seeds. Two arms are compared within
a repeat, whose rows and seeds they share: x is the logarithm of the ratio of their losses, or where a loss is 0 or
below, their difference. The interval of the mean of x answers two questions: which arm is better, and whether it
matters.

The pair that was asked about has its own t interval. Those of all other pairs hold at once (`simultaneous`). An
interval that is shown is the one that decided.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cooldown.search.statistics.forecast import repeats_to_decide
from cooldown.search.statistics.intervals import Interval, mean_interval
from cooldown.search.statistics.paired import Paired, PerRepeat, Scale, paired, scale_of
from cooldown.search.statistics.simultaneous import holm_levels, p_value, two_way
from cooldown.search.statistics.student import t_probability, t_quantiles

Decision = Literal["a_better", "b_better", "tie", "undecided"]
Method = Literal["t", "tukey", "holm"]

FLIPPED: Mapping[Decision, Decision] = {"a_better": "b_better", "b_better": "a_better"}
"""What is decided of the same arms the other way round."""

LEVEL = 0.05
"""The error rate of a direction; of practical equality, whose interval is the narrower one, twice that."""

MARGIN = 0.1
"""Losses that differ by less than this fraction are practically equal."""

TOO_FEW = "an interval needs at least 2 repeats of both arms"
NOT_FINITE = "a test loss is not a finite number"
NOTHING_LEARNED = "neither arm learned: at least half of their evaluations are no better than the baseline predictor"


@dataclass(frozen=True)
class Verdict:
    """What is known of arms a and b. Losses are compared, lower is better; None for what is not known.

    verdict: `tie` where they are practically equal and neither is better. equal: whether they are practically equal,
    which may hold beside a direction. withheld: whether an alarm forbids a decision, which `why` names.
    scale: "ratio", or "difference" where a loss of the experiment is 0 or below. ratio: loss of a / loss of b, the
    geometric mean over repeats; None on the scale of differences. difference: a_loss − b_loss. low, high: the interval
    of the ratio, or of the difference; equal_low, equal_high: the narrower one that decides about equality;
    margin_low, margin_high: between which it must lie. margin: the same as a fraction.
    level: the error rate of the interval low, high: 0.05 for 95 %. method: "t" for an interval of its own, "tukey" for
    one that holds together with those of all pairs, "holm" for one at the level that Holm's procedure tested it at.
    a_loss, b_loss: each arm's mean test loss over the `repeats` that both have. wins, b_wins: in how many of these a,
    or b, has the lower loss. score_difference with its own 95 % interval: of the test score, where higher is better; it
    decides nothing. primary: the pair that answers the experiment's question.
    """

    a: str
    b: str
    verdict: Decision
    why: str
    repeats: int
    primary: bool
    scale: Scale
    margin: float
    withheld: bool = False
    equal: bool | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    difference: float | None = None
    a_loss: float | None = None
    b_loss: float | None = None
    wins: int = 0
    b_wins: int = 0
    probability_a_better: float | None = None
    repeats_to_decide: int | None = None
    equal_low: float | None = None
    equal_high: float | None = None
    margin_low: float | None = None
    margin_high: float | None = None
    level: float | None = None
    method: Method | None = None
    score_difference: float | None = None
    score_low: float | None = None
    score_high: float | None = None

    @property
    def leader(self) -> str | None:
        """The arm with the lower loss, decided or not; None for equal losses, and where none is known."""
        size = self.ratio - 1 if self.ratio is not None else self.difference
        return None if not size else (self.a if size < 0 else self.b)

    @property
    def winner(self) -> str | None:
        """The arm that is better, where that is decided."""
        return {"a_better": self.a, "b_better": self.b}.get(self.verdict)

    @property
    def flipped(self) -> "Verdict":
        """The same comparison with the arms the other way round."""

        def turned(value: float | None) -> float | None:
            return None if value is None else 1 / value if self.scale == "ratio" else -value

        def negative(value: float | None) -> float | None:
            return None if value is None else -value

        probability = self.probability_a_better
        return replace(
            self,
            a=self.b,
            b=self.a,
            verdict=FLIPPED.get(self.verdict, self.verdict),
            ratio=turned(self.ratio),
            low=turned(self.high),
            high=turned(self.low),
            equal_low=turned(self.equal_high),
            equal_high=turned(self.equal_low),
            margin_low=turned(self.margin_high),
            margin_high=turned(self.margin_low),
            difference=negative(self.difference),
            a_loss=self.b_loss,
            b_loss=self.a_loss,
            wins=self.b_wins,
            b_wins=self.wins,
            probability_a_better=None if probability is None else 1 - probability,
            score_difference=negative(self.score_difference),
            score_low=negative(self.score_high),
            score_high=negative(self.score_low),
        )

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dict."""
        return asdict(self)


def verdicts(
    losses: Mapping[str, PerRepeat],
    primary: tuple[str, str] | None = None,
    unlearned: Collection[str] = (),
    *,
    scores: Mapping[str, PerRepeat] | None = None,
    withheld: Mapping[str, str] | None = None,
    margin: float = MARGIN,
    level: float = LEVEL,
    next_level: float | None = None,
) -> list[Verdict]:
    """The verdict for every pair of arms, the primary pair first.

    losses: per arm and repeat the mean test loss; scores: likewise the test scores, NaN for a repeat that has none.
    Repeats that only one arm of a pair has are left out of that pair. unlearned: arms whose losses are the cap that
    they share: two of these are alike without having been compared. withheld: arms about which nothing is decided, with
    the reason. margin: of practical equality, a fraction. level: the error rate of a direction. next_level: that of the
    next look, for which the forecast is; None for the same.
    """
    scale = scale_of(losses)
    pairs = [
        primary if primary and set(pair) == set(primary) else pair
        for pair in sorted(combinations(losses, 2), key=lambda pair: set(pair) != set(primary or ()))
    ]
    compared = {(a, b): _compared(losses[a], losses[b], scale) for a, b in pairs}
    known = {pair: each for pair, each in compared.items() if isinstance(each, Paired)}
    effects = {pair: _own_effect(known[pair].x, level) for pair in known if pair == primary}
    effects |= _simultaneous_effects(losses, {pair: known[pair] for pair in known if pair != primary}, scale, level)
    decisions = []
    for (a, b), pair_compared in compared.items():
        reasons = [(withheld or {})[arm] for arm in (a, b) if arm in (withheld or {})]
        if {a, b} <= set(unlearned):
            reasons = [NOTHING_LEARNED]
        numbers: dict[str, Any] = {"verdict": "undecided", "why": pair_compared}
        if isinstance(pair_compared, Paired):
            numbers = _decided(pair_compared, effects[a, b], scale, margin, reasons, next_level)
        if scores:
            numbers |= _score_difference(scores[a], scores[b])
        common = len(set(losses[a]) & set(losses[b]))
        is_primary = (a, b) == primary
        decisions.append(Verdict(a, b, repeats=common, primary=is_primary, scale=scale, margin=margin, **numbers))
    return decisions


def decide(low: float, high: float) -> Decision:
    """The direction that an interval of x shows, of which negative values speak for a."""
    if high < 0:
        return "a_better"
    return "b_better" if low > 0 else "undecided"


def practically_equal(low: float, high: float, margin: float) -> bool:
    """Whether an interval of x lies within ± margin, in the unit of x."""
    return -margin <= low and high <= margin


def probability_negative(interval: Interval) -> float:
    """Probability that the true mean is below 0, under a flat prior: the t distribution's."""
    if interval.standard_error == 0:
        return 0.5 if interval.estimate == 0 else float(interval.estimate < 0)
    return t_probability(-interval.estimate / interval.standard_error, interval.degrees)


def _compared(a: PerRepeat, b: PerRepeat, scale: Scale) -> Paired | str:
    """Both arms in their common repeats, or why they cannot be compared."""
    common = a.keys() & b.keys()
    if len(common) < 2:
        return TOO_FEW
    if not np.isfinite([arm[repeat] for arm in (a, b) for repeat in common]).all():
        return NOT_FINITE
    return paired(a, b, scale)


@dataclass(frozen=True)
class _Effect:
    """The mean of x with half the widths of its two intervals: at `level`, and for equality at twice that.

    level_of_one: the error rate of this interval by itself.
    """

    mean: float
    half: float
    equal_half: float
    level: float
    level_of_one: float
    method: Method


def _own_effect(x: NDArray[np.float64], level: float, method: Method = "t") -> _Effect:
    interval = mean_interval(x)
    half, equal_half = (
        float(t_quantiles(1 - each / 2, interval.degrees)) * interval.standard_error for each in (level, 2 * level)
    )
    return _Effect(interval.estimate, half, equal_half, level, level, method)


def _simultaneous_effects(
    losses: Mapping[str, PerRepeat], compared: Mapping[tuple[str, str], Paired], scale: Scale, level: float
) -> dict[tuple[str, str], _Effect]:
    """Effects whose intervals hold together: Tukey's where every arm has every repeat, else at Holm's levels."""
    repeats = [set(of_arm) for of_arm in losses.values()]
    complete = all(each == repeats[0] for each in repeats) and all(
        np.isfinite(loss) for of_arm in losses.values() for loss in of_arm.values()
    )
    if not compared:
        return {}
    if complete:
        values = np.array([[of_arm[repeat] for repeat in sorted(of_arm)] for of_arm in losses.values()])
        layout = two_way(np.log(values) if scale == "ratio" else values)
        half, equal_half = layout.half_width(level), layout.half_width(2 * level)
        one = layout.level_of_one(level)
        return {
            pair: _Effect(float(each.x.mean()), half, equal_half, level, one, "tukey")
            for pair, each in compared.items()
        }
    levels = holm_levels([p_value(mean_interval(each.x)) for each in compared.values()], level)
    return {pair: _own_effect(each.x, at, "holm") for (pair, each), at in zip(compared.items(), levels, strict=True)}


def _decided(
    compared: Paired,
    effect: _Effect,
    scale: Scale,
    margin: float,
    reasons: Sequence[str],
    next_level: float | None,
) -> dict[str, Any]:
    """A verdict's decision with its numbers. reasons: why nothing may be decided. next_level: of the next look at the
    pair that was asked about, which alone has an interval of its own.
    """
    x, mean = compared.x, effect.mean
    within = float(np.log1p(margin)) if scale == "ratio" else margin * _size(compared)
    low, high = mean - effect.half, mean + effect.half
    equal_low, equal_high = mean - effect.equal_half, mean + effect.equal_half
    direction, equal = decide(low, high), practically_equal(equal_low, equal_high, within)
    decision: Decision = "tie" if equal and direction == "undecided" else direction
    needed = None
    if decision == "undecided" and within > 0:
        # In the unit in which the margin is a fraction, also where x is a difference of losses of any size.
        unit = within / float(np.log1p(margin))
        asked = effect.method == "t"
        level = next_level if asked and next_level is not None else effect.level_of_one
        needed = repeats_to_decide(x / unit, margin, level, question=asked)
    if reasons:
        decision, needed, why = "undecided", None, "; ".join(reasons)
    else:
        text = f"±{100 * margin:g} %" if scale == "ratio" else f"±{within:.3g}"
        why = _why(direction, equal, effect, text) + _more(decision, needed, len(x))
    ends = [low, high, equal_low, equal_high, -within, within]
    if scale == "ratio":
        ends = [float(np.exp(end)) for end in ends]
    return {
        "verdict": decision,
        "withheld": bool(reasons),
        "equal": equal and not reasons,
        "ratio": float(np.exp(mean)) if scale == "ratio" else None,
        **dict(zip(("low", "high", "equal_low", "equal_high", "margin_low", "margin_high"), ends, strict=True)),
        "difference": float(compared.of_a.mean() - compared.of_b.mean()),
        "a_loss": float(compared.of_a.mean()),
        "b_loss": float(compared.of_b.mean()),
        "level": effect.level,
        "method": effect.method,
        "probability_a_better": probability_negative(mean_interval(x)),
        "wins": int((compared.of_a < compared.of_b).sum()),
        "b_wins": int((compared.of_b < compared.of_a).sum()),
        "repeats_to_decide": needed,
        "why": why,
    }


def _size(compared: Paired) -> float:
    """The mean absolute loss of a pair."""
    return float(np.mean([np.abs(compared.of_a), np.abs(compared.of_b)]))


def _why(direction: Decision, equal: bool, effect: _Effect, margin: str) -> str:
    """How the two intervals decided, in words."""
    kind = "simultaneous " if effect.method == "tukey" else ""
    wide, narrow = (f"the {kind}{100 * (1 - level):.3g} % interval" for level in (effect.level, 2 * effect.level))
    excludes = f"{wide} {'includes' if direction == 'undecided' else 'excludes'} equal losses"
    if equal:
        link = ", but" if direction != "undecided" else ", and"
        return f"{excludes}{link} {narrow} lies within the margin of {margin}"
    return f"{excludes}, and {narrow} extends beyond the margin of {margin}" if direction == "undecided" else excludes


def _more(decision: Decision, needed: int | None, repeats: int) -> str:
    """How many repeats would settle an open comparison, as far as it is known."""
    if decision != "undecided" or needed is None:
        return ""
    more = f"{needed} repeats ({needed - repeats} more)"
    return f"; if the true difference is as observed, {more} settle it in 4 of 5 cases"


def _score_difference(a: PerRepeat, b: PerRepeat) -> dict[str, float]:
    """The difference of scores a − b with its own interval; nothing for too few or missing scores."""
    common = sorted(set(a) & set(b))
    differences = np.array([a[repeat] - b[repeat] for repeat in common], np.float64)
    if len(common) < 2 or not np.isfinite(differences).all():
        return {}
    interval = mean_interval(differences)
    return {"score_difference": interval.estimate, "score_low": interval.low, "score_high": interval.high}
