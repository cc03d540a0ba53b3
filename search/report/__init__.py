"""An experiment as one web page that needs no network: its answer, the evidence, and the command that reproduces it.
Several experiments are one page too (`across`).

`report` collects the sections of `answer`, `trials`, `evidence` and `method` as blocks of text, tables and charts
(`blocks`). `page` renders them as HTML: the template arranges them, the style sheet formats them, `embedding` packs the
figures' numbers, and the script beside the template draws them.
"""

from cooldown.search.experiments.result import Result
from cooldown.search.report import answer, claims, evidence, method, trials
from cooldown.search.report.generalization import generalization as of_generalization
from cooldown.search.report.page import page
from cooldown.storage import ExperimentRecord


def report(experiment: Result | ExperimentRecord, *, generalization: bool = False) -> str:
    """The HTML document of an experiment in any state; the same bytes for the same record.

    generalization: whether it has a section on how the winners generalize, for which they are trained again.
    """
    result = experiment if isinstance(experiment, Result) else Result(experiment)
    sections = [
        answer.alarms(result),
        answer.pairs(result),
        answer.scores(result),
        answer.configs(result),
        evidence.learning(result),
        trials.search(result),
        trials.sensitivity(result),
        evidence.budget(result),
        evidence.credit(result),
        *(evidence.evidence(result, name) for name in evidence.TITLES),
        *([of_generalization(result)] if generalization else []),
        claims.claims(result),
        method.protocol(result),
        method.winners(result),
        method.reproduction_section(result),
    ]
    return page(result.name, result.status, answer.head(result), sections)


__all__ = ["report"]
