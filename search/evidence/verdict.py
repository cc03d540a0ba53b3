"""What an experiment says: the document of `cooldown show --json`, its sentence, and the numbers behind both."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from cooldown.objectives.records import Curve, Outcome
from cooldown.search.evidence.alarms import alarms, arm_curse, boundary_alarms, under_tuned
from cooldown.search.evidence.budgets import budget_document, finite
from cooldown.search.evidence.credit import credit_document
from cooldown.search.evidence.edges import worse_than_default
from cooldown.search.evidence.losses import mean_selection_loss, primary_pair, test_losses, test_scores
from cooldown.search.evidence.sensitivity import sensitivity_document
from cooldown.search.spec.experiment import Experiment, experiment
from cooldown.search.statistics.verdict import Verdict, verdicts
from cooldown.search.tuning.pruning import pruning_document
from cooldown.storage import ExperimentRecord, Purpose, StudyRecord
from cooldown.storage.fingerprint import arm_fingerprints, experiment_fingerprint


@dataclass(frozen=True)
class ArmSummary:
    """One arm over its repeats; None where nothing has been evaluated yet.

    evaluated: repeats that have an evaluation. test_loss, test_score: means over the repeats' winners. spread: standard
    deviation of the repeats' mean test losses. validation_loss: mean over repeats of the loss that chose the winner.
    diverged: share of the search's replicates that diverged. capped: share of the search's, finalists' and evaluations'
    replicates whose loss was capped.
    winners_curse: how much worse the winners' validation loss is on fresh seeds than on those they were chosen on.
    updates: parameter updates of a winner's run, the mean over all evaluations.
    gradient_evaluations, seconds: the whole cost, diverged and pruned runs included: `search_…` that of trials and
    finalists, `evaluation_…` that of the winners' evaluations, `default_…` that of the default config, `superseded_…`
    that of searches over ranges that have been widened since.
    """

    arm: str
    evaluated: int
    test_loss: float | None
    spread: float | None
    test_score: float | None
    validation_loss: float | None
    diverged: float
    capped: float
    winners_curse: float | None
    updates: float | None
    gradient_evaluations: int
    search_gradient_evaluations: int
    evaluation_gradient_evaluations: int
    default_gradient_evaluations: int
    superseded_gradient_evaluations: int
    seconds: float
    search_seconds: float
    evaluation_seconds: float
    default_seconds: float
    superseded_seconds: float


def pair_verdicts(record: ExperimentRecord) -> list[Verdict]:
    """The verdicts of all pairs, the primary one first; withheld where an arm's best lies at the edge of a range."""
    spec = experiment(**record.spec)
    unlearned = [arm for arm in record.spec["arms"] if _unlearned(record, arm)]
    withheld = {
        arm: f"{arm}'s default config does better than what its searches found, as its alarm says"
        for arm in record.spec["arms"]
        if worse_than_default(record, arm)
    }
    withheld |= {
        alarm.arm: f"boundary: the best of {alarm.arm} lie at the edge of a range, as its alarm says"
        for alarm in boundary_alarms(record)
    }
    found = verdicts(
        test_losses(record), primary_pair(record), unlearned, scores=test_scores(record), withheld=withheld
    )
    return [_unless_under_tuned(spec, verdict) for verdict in found]


def _unless_under_tuned(spec: Experiment, verdict: Verdict) -> Verdict:
    """The verdict, but none where it only says that an arm was not tuned as well as its own special case."""
    general = under_tuned(spec, verdict)
    if general is None or verdict.verdict == "undecided":
        return verdict
    why = f"{general} contains the other as a special case: doing worse, it was not tuned as well, as its alarm says"
    return replace(verdict, verdict="undecided", why=why)


def arm_summaries(record: ExperimentRecord) -> list[ArmSummary]:
    """Every arm in numbers, in the spec's order."""
    return [_arm_summary(arm, record) for arm in record.spec["arms"]]


def sentence(record: ExperimentRecord, found: Sequence[Verdict]) -> str:
    """The answer in one sentence."""
    if not found:
        return f"On {record.spec['task']}, one arm was tuned; two are needed for a verdict."
    first = found[0]
    by_arm = {arm.arm: arm for arm in arm_summaries(record)}
    a, b = by_arm[first.a], by_arm[first.b]
    if first.difference is None or a.test_loss is None or b.test_loss is None:
        return f"On {record.spec['task']} there is no verdict yet: {first.why}."
    verbs = {"a_better": "beats", "b_better": "loses to", "tie": "ties with"}
    claim = (
        f"it is undecided whether tuned {a.arm} beats tuned {b.arm}"
        if first.verdict == "undecided"
        else f"tuned {a.arm} {verbs[first.verdict]} tuned {b.arm}"
    )
    return (
        f"On {record.spec['task']}, {claim}: test loss {a.test_loss:.4f} against {b.test_loss:.4f}, "
        f"difference {first.difference:+.4f} [{first.low:+.4f}, {first.high:+.4f}], "
        f"{min(a.evaluated, b.evaluated)} repeats."
    )


def document(record: ExperimentRecord) -> dict[str, Any]:
    """The document of `show --json`."""
    found = pair_verdicts(record)
    pair = (found[0].a, found[0].b) if found else None
    prints = arm_fingerprints(record.studies)
    return {
        "name": record.name,
        "task": record.spec["task"],
        "status": record.status.value,
        "message": record.message,
        "fingerprint": experiment_fingerprint(record),
        "answer": sentence(record, found),
        "spec": dict(record.spec),
        "extended_from": [dict(step) for step in record.extended_from],
        "arms": [
            {
                **asdict(arm),
                "fingerprint": prints[arm.arm],
                "repeats": [_repeat(study) for study in record.of(arm.arm)],
            }
            for arm in arm_summaries(record)
        ],
        "one_shots": [
            {"arm": arm, "repeats": [_repeat(study) for study in record.default_configs if study.arm == arm]}
            for arm in dict.fromkeys(study.arm for study in record.default_configs)
        ],
        "verdicts": [verdict.to_json() for verdict in found],
        "alarms": [asdict(alarm) for alarm in alarms(record, found)],
        "budget": budget_document(record, pair),
        "credit": credit_document(record, pair),
        "sensitivity": sensitivity_document(record),
        "pruning": pruning_document(record),
        "task_fingerprint": record.task_fingerprint,
        "environment": dict(record.environment),
    }


def _repeat(study: StudyRecord) -> dict[str, Any]:
    winner = study.winner
    return {
        "repeat": study.repeat,
        "trials": len(study.trials),
        "gradient_evaluations": sum(curve.gradient_evaluations for curve in study.curves()),
        "best": winner
        and {
            "trial": winner.number,
            "config": winner.config.to_json(),
            "validation_loss": winner.validation_loss,
            "finalist_loss": winner.finalist_loss,
        },
        "evaluations": [
            {"seed": curve.seed, "test_loss": curve.final_loss, "test_score": finite(curve.final_score)}
            for curve in study.evaluations
        ],
    }


def _arm_summary(arm: str, record: ExperimentRecord) -> ArmSummary:
    studies = record.of(arm)
    evaluated = [study for study in studies if study.evaluations]
    losses = [np.mean([curve.final_loss for curve in study.evaluations]) for study in evaluated]
    scores = [curve.final_score for study in evaluated for curve in study.evaluations]
    updates = [curve.updates for study in evaluated for curve in study.evaluations]
    searched = [curve for study in studies for curve in study.curves(Purpose.SEARCH)]
    tuned = [curve for study in studies for curve in study.curves(Purpose.SEARCH, Purpose.FINALIST)]
    tested = [curve for study in studies for curve in study.curves(Purpose.EVALUATION)]
    default = [curve for study in record.default_configs if study.arm == arm for curve in study.curves()]
    before = [curve for study in record.superseded if study.arm == arm for curve in study.curves()]
    every: list[Curve] = tuned + tested + default + before
    return ArmSummary(
        arm=arm,
        evaluated=len(evaluated),
        test_loss=float(np.mean(losses)) if losses else None,
        spread=float(np.std(losses, ddof=1)) if len(losses) > 1 else None,
        test_score=finite(float(np.mean([score for score in scores if score == score] or [np.nan]))),
        validation_loss=mean_selection_loss(studies),
        diverged=_share([curve.outcome is Outcome.DIVERGED for curve in searched]),
        capped=_share([curve.capped for curve in tuned + tested]),
        winners_curse=arm_curse(studies),
        updates=float(np.mean(updates)) if updates else None,
        gradient_evaluations=_evaluations(every),
        search_gradient_evaluations=_evaluations(tuned),
        evaluation_gradient_evaluations=_evaluations(tested),
        default_gradient_evaluations=_evaluations(default),
        superseded_gradient_evaluations=_evaluations(before),
        seconds=_seconds(every),
        search_seconds=_seconds(tuned),
        evaluation_seconds=_seconds(tested),
        default_seconds=_seconds(default),
        superseded_seconds=_seconds(before),
    )


def _unlearned(record: ExperimentRecord, arm: str) -> bool:
    """Whether at least half of an arm's evaluations are no better than the uninformed predictor."""
    return _share([curve.capped for study in record.of(arm) for curve in study.evaluations]) >= 0.5


def _evaluations(curves: Sequence[Curve]) -> int:
    return sum(curve.gradient_evaluations for curve in curves)


def _seconds(curves: Sequence[Curve]) -> float:
    return sum(curve.seconds for curve in curves)


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0
