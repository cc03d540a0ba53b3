"""`ClaimResult`: what came out for one claim on one task, in words and as JSON."""

import math
from dataclasses import dataclass
from typing import Any

from cooldown.search.claims.budgets import Budget
from cooldown.search.claims.entry import Claim
from cooldown.search.evidence.numbers import Form, estimate, formatted
from cooldown.search.evidence.table import Column, Table
from cooldown.search.statistics.claims import Finding, Part, Word, whole


@dataclass(frozen=True)
class ClaimResult:
    """A claim on a task. findings: what is known of each of its parts; none where it does not apply, for the reason
    `why_not`. experiments: the names of those in the ledger that it rests on.
    """

    claim: Claim
    task: str
    budget: Budget
    findings: tuple[Finding, ...] = ()
    experiments: tuple[str, ...] = ()
    why_not: str = ""

    @property
    def verdict(self) -> Word:
        """Whether it holds."""
        return whole(self.findings).word if self.findings else "not applicable"

    @property
    def effect(self) -> float | None:
        """That of the part that decided; None where there is none."""
        return whole(self.findings).effect if self.findings else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The interval that decided; None where there is none."""
        if not self.findings:
            return None
        found = whole(self.findings)
        return None if found.low is None or found.high is None else (found.low, found.high)

    @property
    def sentence(self) -> str:
        """What was found, in one sentence."""
        if not self.findings:
            return f"Not applicable to {self.task}: {self.why_not}."
        single = len(self.findings) == 1
        said = "; ".join(_said(finding, "" if single else f" ({finding.word})") for finding in self.findings)
        return f"{self.verdict.capitalize()} on {self.task}: {said}."

    def table(self) -> Table:
        """The parts: what was measured, with its interval, and what the claim says."""
        columns = (
            Column("Effect"),
            Column("Measured", Form.READING),
            Column("Interval", Form.READING, ends=True),
            Column("The claim says"),
            Column("Verdict"),
            Column("Repeats", Form.COUNT),
        )
        rows = [
            (
                found.part.effect,
                found.effect,
                None if found.low is None else (found.low, found.high),
                limits(found.part),
                found.word,
                len(found.part.x),
            )
            for found in self.findings
        ]
        note = "The intervals of all parts hold at once, with an error of 5 % in all."
        return Table(columns, rows, "What was measured, in the mean over repeats.", note=note)

    def to_json(self) -> dict[str, Any]:
        """The document of `cooldown claim --json`."""
        low, high = self.interval or (None, None)
        return {
            "id": self.claim.id,
            "task": self.task,
            "verdict": self.verdict,
            "effect": _finite(self.effect),
            "low": _finite(low),
            "high": _finite(high),
            "published": self.claim.published or None,
            "sentence": self.sentence,
            "experiments": list(self.experiments),
            "budget": self.budget,
            "kind": self.claim.kind,
            "parts": [
                {
                    "effect": found.part.effect,
                    "verdict": found.word,
                    "value": _finite(found.effect),
                    "low": _finite(found.low),
                    "high": _finite(found.high),
                    "claimed": limits(found.part),
                    "why": found.why,
                }
                for found in self.findings
            ],
        }


def limits(part: Part) -> str:
    """Between which limits a claim says that an effect lies."""
    above, below = (formatted(end, Form.READING) for end in part.limits)
    if math.isinf(part.limits.above):
        return f"below {below}"
    return f"above {above}" if math.isinf(part.limits.below) else f"between {above} and {below}"


def _said(found: Finding, word: str) -> str:
    if found.effect is None:
        return f"{found.part.effect} is not known{word}: {found.why}"
    number = estimate(found.effect, found.low, found.high, Form.READING)
    why = f", but nothing is decided: {found.why}" if found.why else ""
    return f"{found.part.effect} is {number}, and the claim says {limits(found.part)}{word}{why}"


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
