"""What an experiment says: the document of `cooldown show --json`, its sentence, and the numbers behind both."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from objectives import optimizers
from objectives.records import Curve, Outcome
from search.alarms import alarms, arm_curse, boundary_alarms
from search.arms import Arm
from search.budgets import budget_document, finite
from search.statistics.verdict import Verdict, verdicts
from storage import ExperimentRecord, Purpose, StudyRecord
from storage.fingerprint import arm_fingerprints, fingerprint


@dataclass(frozen=True)
class ArmSummary:
    """One arm over its repeats; None where nothing has been evaluated yet.

    evaluated: repeats that have an evaluation. test_loss, test_score: means over the repeats' winners. spread: standard
    deviation of the repeats' mean test losses. validation_loss: mean over repeats of the loss that chose the winner.
    diverged: share of the search's replicates that diverged. capped: share of all replicates whose loss was capped.
    winners_curse: how much worse the winners' validation loss is on fresh seeds than on those they were chosen on.
    updates: parameter updates of a winner's run, the mean over all evaluations.
    gradient_evaluations, seconds: the whole cost, diverged runs included: `search_…` that of trials and finalists,
    `evaluation_…` that of the winners' evaluations.
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
    seconds: float
    search_seconds: float
    evaluation_seconds: float


def test_losses(record: ExperimentRecord) -> dict[str, dict[int, list[float]]]:
    """Per arm and repeat, the winner's test losses over the fresh seeds; arms in the spec's order."""
    return _evaluated(record, lambda curve: curve.final_loss)


def test_scores(record: ExperimentRecord) -> dict[str, dict[int, list[float]]]:
    """Likewise the test scores; NaN for a run that has none."""
    return _evaluated(record, lambda curve: curve.final_score)


def _evaluated(record: ExperimentRecord, measured: Callable[[Curve], float]) -> dict[str, dict[int, list[float]]]:
    found: dict[str, dict[int, list[float]]] = {arm: {} for arm in record.spec["arms"]}
    for study in record.studies:
        if study.evaluations:
            found[study.arm][study.repeat] = [measured(curve) for curve in study.evaluations]
    return found


def primary_pair(record: ExperimentRecord) -> tuple[str, str] | None:
    """The pair that answers the experiment's question, chosen by validation loss alone: the best arm of annealed SGD
    and the best arm of an adaptive method; where one of these is missing, the two best arms. None for a single arm.
    """

    def validation_loss(arm: str) -> float:
        loss = winners_loss(record, arm)
        return float("inf") if loss is None else loss

    ranked = sorted(record.spec["arms"], key=validation_loss)
    sgd = [arm for arm in ranked if _family(arm) == "sgd" and "constant" not in Arm.parse(arm).schedules]
    adaptive = [arm for arm in ranked if _family(arm) == "adaptive"]
    if sgd and adaptive:
        return sgd[0], adaptive[0]
    return (ranked[0], ranked[1]) if len(ranked) > 1 else None


def winners_loss(record: ExperimentRecord, arm: str) -> float | None:
    """The mean validation loss that the winners of an arm's studies were chosen by; None before there is one."""
    losses = [_selection_loss(study) for study in record.studies if study.arm == arm]
    known = [loss for loss in losses if loss is not None]
    return float(np.mean(known)) if known else None


def pair_verdicts(record: ExperimentRecord) -> list[Verdict]:
    """The verdicts of all pairs, the primary one first; withheld where an arm's best lies at the edge of a range."""
    unlearned = [arm for arm in record.spec["arms"] if _unlearned(record, arm)]
    withheld = {
        alarm.arm: f"boundary: the best of {alarm.arm} lie at the edge of a range, as its alarm says"
        for alarm in boundary_alarms(record)
    }
    return verdicts(test_losses(record), primary_pair(record), unlearned, scores=test_scores(record), withheld=withheld)


def arm_summaries(record: ExperimentRecord) -> list[ArmSummary]:
    """Every arm in numbers, in the spec's order."""
    return [_arm_summary(arm, [study for study in record.studies if study.arm == arm]) for arm in record.spec["arms"]]


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
    prints = arm_fingerprints(record.studies)
    return {
        "name": record.name,
        "task": record.spec["task"],
        "status": record.status.value,
        "message": record.message,
        "fingerprint": fingerprint(record.studies),
        "answer": sentence(record, found),
        "spec": dict(record.spec),
        "extended_from": list(record.extended_from),
        "arms": [
            {
                **asdict(arm),
                "fingerprint": prints[arm.arm],
                "repeats": [_repeat(study) for study in record.studies if study.arm == arm.arm],
            }
            for arm in arm_summaries(record)
        ],
        "verdicts": [verdict.to_json() for verdict in found],
        "alarms": [asdict(alarm) for alarm in alarms(record, found)],
        "budget": budget_document(record, (found[0].a, found[0].b) if found else None),
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


def _arm_summary(arm: str, studies: Sequence[StudyRecord]) -> ArmSummary:
    evaluated = [study for study in studies if study.evaluations]
    losses = [np.mean([curve.final_loss for curve in study.evaluations]) for study in evaluated]
    scores = [curve.final_score for study in evaluated for curve in study.evaluations]
    updates = [curve.updates for study in evaluated for curve in study.evaluations]
    selected = [loss for loss in map(_selection_loss, studies) if loss is not None]
    searched = [curve for study in studies for curve in study.curves(Purpose.SEARCH)]
    tuned = [curve for study in studies for curve in study.curves(Purpose.SEARCH, Purpose.FINALIST)]
    tested = [curve for study in studies for curve in study.curves(Purpose.EVALUATION)]
    every: list[Curve] = tuned + tested
    return ArmSummary(
        arm=arm,
        evaluated=len(evaluated),
        test_loss=float(np.mean(losses)) if losses else None,
        spread=float(np.std(losses, ddof=1)) if len(losses) > 1 else None,
        test_score=finite(float(np.mean([score for score in scores if score == score] or [np.nan]))),
        validation_loss=float(np.mean(selected)) if selected else None,
        diverged=_share([curve.outcome is Outcome.DIVERGED for curve in searched]),
        capped=_share([curve.capped for curve in every]),
        winners_curse=arm_curse(studies),
        updates=float(np.mean(updates)) if updates else None,
        gradient_evaluations=_evaluations(every),
        search_gradient_evaluations=_evaluations(tuned),
        evaluation_gradient_evaluations=_evaluations(tested),
        seconds=_seconds(every),
        search_seconds=_seconds(tuned),
        evaluation_seconds=_seconds(tested),
    )


def _unlearned(record: ExperimentRecord, arm: str) -> bool:
    """Whether at least half of an arm's evaluations are no better than the uninformed predictor."""
    return _share([curve.capped for study in record.studies if study.arm == arm for curve in study.evaluations]) >= 0.5


def _selection_loss(study: StudyRecord) -> float | None:
    """The validation loss that a study's winner was chosen by."""
    if study.winner is None:
        return None
    return study.winner.validation_loss if study.winner.finalist_loss is None else study.winner.finalist_loss


def _family(arm: str) -> str | None:
    """The family of all optimizers of an arm; None for an arm of both."""
    families = {optimizers.get(name).family for name in Arm.parse(arm).optimizers}
    return families.pop() if len(families) == 1 else None


def _evaluations(curves: Sequence[Curve]) -> int:
    return sum(curve.gradient_evaluations for curve in curves)


def _seconds(curves: Sequence[Curve]) -> float:
    return sum(curve.seconds for curve in curves)


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0
