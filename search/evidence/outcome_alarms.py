"""Alarms about the winners on the test rows: no better than no model, behind the references, moved by a single run."""

from collections.abc import Iterable

import numpy as np

from cooldown.objectives.references import NO_MODEL
from cooldown.search.evidence.alarm import Alarm
from cooldown.search.evidence.losses import mean_test_losses, test_losses
from cooldown.search.evidence.measures import best_score
from cooldown.search.evidence.numbers import Form, formatted, interval, percent
from cooldown.search.evidence.references import reference_losses
from cooldown.search.evidence.view import View
from cooldown.search.spec.arms import spoken
from cooldown.search.statistics.doubts import ahead_of_all, one_run
from cooldown.search.statistics.paired import paired, scale_of


def outcome_alarms(view: View) -> list[Alarm]:
    """All of them."""
    return [*_no_better_than_no_model(view), *_references_ahead(view), *_one_run(view)]


def _no_better_than_no_model(view: View) -> Iterable[Alarm]:
    """Arms that score no better than the predictor that knows no features."""
    for arm in view.arms:
        runs = [curve for study in view.searches(arm) for curve in study.evaluations]
        if not runs:
            continue
        score = float(np.mean([curve.final_score for curve in runs]))
        without = float(np.mean([curve.uninformed_score for curve in runs]))
        if score >= without if best_score(view.spec) == "lowest" else score <= without:
            yield Alarm(
                "no model",
                arm,
                f"its test score of {formatted(score, Form.SCORE)} is no better than that of the largest class or "
                f"the mean target, {formatted(without, Form.SCORE)}; with rare classes judge by the loss or by "
                "--metric balanced_accuracy, else compare again with more --epochs or --trials",
            )


def _references_ahead(view: View) -> Iterable[Alarm]:
    """References that are surely ahead of every arm: then the question which arm is better hardly matters."""
    losses = mean_test_losses(view)
    references = {name: of_repeats for name, of_repeats in reference_losses(view).items() if name != NO_MODEL}
    if not all(losses.values()):
        return
    best = min(losses, key=lambda arm: float(np.mean(list(losses[arm].values()))))
    scale = scale_of({**losses, **references})
    leads = {name: ahead_of_all(of_repeats, losses, scale) for name, of_repeats in references.items()}
    ahead = [name for name, is_ahead in leads.items() if is_ahead]
    if not ahead:
        return
    first = min(ahead, key=lambda name: float(np.mean(list(references[name].values()))))
    lead = -float(np.mean(paired(references[first], losses[best], scale).x))
    lower = f"{percent(1 - np.exp(-lead))} lower loss" if scale == "ratio" else ""
    amount = lower or f"a loss lower by {formatted(lead, Form.LOSS)}"
    yield Alarm(
        "references",
        "",
        f"{' and '.join(ahead)}, untuned, {'is' if len(ahead) == 1 else 'are'} ahead of every arm: "
        f"{first} has {amount} than {spoken(best)}; use it for this task, or compare again with other --hidden layers "
        "or more --epochs",
    )


def _one_run(view: View) -> Iterable[Alarm]:
    """Arms whose mean hangs on a single run."""
    for arm, by_repeat in test_losses(view).items():
        repeats = sorted(by_repeat)
        found = one_run([np.array(by_repeat[repeat]) for repeat in repeats])
        if found is None:
            continue
        study = next(study for study in view.searches(arm) if study.repeat == repeats[found.repeat])
        curve = study.evaluations[found.run]
        others = found.without
        yield Alarm(
            "one run",
            arm,
            f"one run of repeat {study.repeat} (seed {curve.seed}, loss {formatted(curve.final_loss, Form.LOSS)}"
            f"{', the cap' if curve.capped else ''}) moves its mean test loss from "
            f"{formatted(others.estimate, Form.LOSS)} to {formatted(found.mean, Form.LOSS)}, out of the 95 % interval "
            f"without it, {interval(others.low, others.high, Form.LOSS)}; more repeats give a single run less weight",
            f"--repeats {2 * view.spec.repeats}",
        )
