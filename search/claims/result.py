"""`ClaimResult`: what came out for one claim on one task, in words and as JSON."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cooldown.search.claims.budgets import Budget
from cooldown.search.claims.entry import Claim
from cooldown.search.evidence.numbers import Form, counted, estimate, formatted
from cooldown.search.evidence.table import Column, Table
from cooldown.search.statistics.claims import Finding, Part, Word, whole


@dataclass(frozen=True)
class ClaimResult:
    """A claim on a task. budget: None where it is judged on an experiment that was not made for it. findings: what is
    known of each of its parts; none where it does not apply, for the reason
    `why_not`. experiments: the names of those in the ledger that it rests on.
    """

    claim: Claim
    task: str
    budget: Budget | None
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
        """What was found, in one sentence: the part that decided, and how many of several are supported."""
        if not self.findings:
            return f"Not applicable to {self.task}: {self.why_not}."
        words = [finding.word for finding in self.findings]
        supported = f"; {words.count('supported')} of {len(words)} parts are supported" if len(words) > 1 else ""
        return f"{self.verdict.capitalize()} on {self.task}: {_said(whole(self.findings))}{supported}."

    def table(self) -> Table:
        """The parts: what was measured, with its interval, and what the claim says."""
        return parts_table(self.to_json()["parts"])

    def to_json(self) -> dict[str, Any]:
        """The document of `cooldown claim --json`."""
        low, high = self.interval or (None, None)
        return {
            "id": self.claim.id,
            "statement": self.claim.statement,
            "source": self.claim.source,
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
                    "repeats": len(found.part.x),
                }
                for found in self.findings
            ],
        }


def parts_table(parts: Sequence[Mapping[str, Any]]) -> Table:
    """The parts of a result's document as a table."""
    columns = (
        Column("Verdict"),
        Column("Measured", Form.READING),
        Column("Interval", Form.READING, ends=True),
        Column("The claim says"),
        Column("Effect"),
    )
    rows = [
        (
            part["verdict"],
            part["value"],
            ends(part),
            part["claimed"],
            part["effect"] + (f" ({part['why']})" if part["why"] else ""),
        )
        for part in parts
    ]
    repeats = counted(max((part["repeats"] for part in parts), default=0), "repeat")
    caption = f"What was measured, in the mean over {repeats}, with 95 % intervals"
    return Table(columns, rows, f"{caption} that hold at once." if len(rows) > 1 else f"{caption}.")


def ends(document: Mapping[str, Any]) -> tuple[float, float] | None:
    """The interval in the document of a result, or of a part of it."""
    return None if document["low"] is None else (document["low"], document["high"])


def limits(part: Part) -> str:
    """Between which limits a claim says that an effect lies."""
    above, below = (formatted(end, Form.READING) for end in part.limits)
    if math.isinf(part.limits.above):
        return f"below {below}"
    return f"above {above}" if math.isinf(part.limits.below) else f"between {above} and {below}"


def _said(found: Finding) -> str:
    if found.effect is None:
        return f"{found.part.effect} is not known, because {found.why}"
    number = estimate(found.effect, found.low, found.high, Form.READING)
    why = f", but nothing is decided: {found.why}" if found.why else ""
    return f"{found.part.effect} is {number}, and the claim says {limits(found.part)}{why}"


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
