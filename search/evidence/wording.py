"""How a comparison of two arms is said, wherever it is: who leads, by how much, in how many repeats, how surely.

A config is said in one line here too.
"""

from dataclasses import dataclass

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.strategies import STRATEGIES
from cooldown.search.evidence.numbers import Form, formatted, likelihood, percent, setting
from cooldown.search.spec.arms import spoken
from cooldown.search.statistics.verdict import Verdict

MANY_TIMES = 9.0
"""From ten times on, a higher loss is said as a multiple, not in percent."""


@dataclass(frozen=True)
class Lead:
    """A comparison as it is said in favour of the arm with the lower loss, or of `a` where they are equal.

    size, low, high: how much lower the loss of `leader` is than that of `other`, with the interval's ends: a fraction
    of the other's loss, or where `is_difference` the loss itself; below 0 for a higher loss. measure: what the loss is
    called.
    """

    leader: str
    other: str
    size: float
    low: float
    high: float
    is_difference: bool
    wins: int
    repeats: int
    probability: float
    measure: str = "loss"

    @property
    def amount(self) -> str:
        """`8 % lower loss`."""
        return f"{self._text(self.size)} {self.measure}" if self.size else f"equal {self.measure}"

    @property
    def interval(self) -> str:
        """`[3 %, 13 %]`; where it reaches beyond equal losses, `[5 % higher, 10 % lower]`."""
        if self.low >= 0:
            return f"[{self._number(self.low)}, {self._number(self.high)}]"
        return f"[{self._text(self.low)}, {self._text(self.high)}]"

    @property
    def record(self) -> str:
        """`ahead in 4 of 5 repeats`."""
        return f"ahead in {self.wins} of {self.repeats} repeats"

    @property
    def sureness(self) -> str:
        """`P(better) 93 %`."""
        return f"P(better) {likelihood(self.probability)}"

    def _text(self, value: float) -> str:
        if not self.is_difference and value < -MANY_TIMES:
            return f"{1 - value:,.0f} times as high" if value > -1e6 else "over a million times as high"
        return f"{self._number(abs(value))} {'lower' if value >= 0 else 'higher'}"

    def _number(self, value: float) -> str:
        return formatted(value, Form.LOSS) if self.is_difference else percent(value)


def lead(verdict: Verdict, measure: str = "loss") -> Lead | None:
    """A verdict as it is said; None where there is nothing to say yet. measure: what the loss is called."""
    if verdict.low is None or verdict.high is None or verdict.probability_a_better is None:
        return None
    if verdict.ratio is not None:
        ahead = verdict.ratio <= 1
        ends = (verdict.ratio, verdict.high, verdict.low)
        size, low, high = (1 - end if ahead else 1 - 1 / end for end in ends)
    else:
        difference = verdict.difference or 0.0
        ahead = difference <= 0
        size, low, high = (-end if ahead else end for end in (difference, verdict.high, verdict.low))
    if not ahead:
        low, high = high, low
    return Lead(
        leader=spoken(verdict.a if ahead else verdict.b),
        other=spoken(verdict.b if ahead else verdict.a),
        size=size,
        low=low,
        high=high,
        is_difference=verdict.ratio is None,
        wins=verdict.wins if ahead else verdict.b_wins,
        repeats=verdict.repeats,
        probability=verdict.probability_a_better if ahead else 1 - verdict.probability_a_better,
        measure=measure,
    )


def config_in_words(config: TrainConfig) -> str:
    """A config in one line."""
    parts = []
    for choice in config.entries:
        values = ", ".join(f"{name} {setting(value)}" for name, value in choice.hyperparameters.items())
        parts.append(f"{choice.name} ({values})")
    defaults = {name: strategy.declared.default for name, strategy in STRATEGIES.items()}
    used = {name: getattr(config, name) for name in STRATEGIES if getattr(config, name) != defaults[name]}
    parts += [f"{name} {setting(value)}" for name, value in used.items()]
    return " + ".join(parts)
