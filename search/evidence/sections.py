"""The sections of an experiment's evidence: sentences and tables, for `cooldown show NAME SECTION` and the report."""

from collections.abc import Callable
from dataclasses import dataclass

from cooldown.objectives.errors import InputError
from cooldown.objectives.trust import UntrustedModuleError
from cooldown.search.evidence import search_tables, tables
from cooldown.search.evidence.answer import answer
from cooldown.search.evidence.budgets import budget_curves, crossover_sentence
from cooldown.search.evidence.credit import credit_split, missing_sentence, tuning_gains
from cooldown.search.evidence.measures import best_score
from cooldown.search.evidence.numbers import formatted
from cooldown.search.evidence.pruning import pruned_arms, replayed_arms
from cooldown.search.evidence.references import references_table
from cooldown.search.evidence.scope import scope
from cooldown.search.evidence.sensitivity import sensitivities
from cooldown.search.evidence.table import Table
from cooldown.search.evidence.tables import arms_table
from cooldown.search.evidence.target import target_ratio_sentence, times_to_target
from cooldown.search.evidence.target_units import errors_table
from cooldown.search.evidence.verdict import compared_pair, pair_verdicts
from cooldown.search.evidence.view import View
from cooldown.search.spec.arms import spoken


@dataclass(frozen=True)
class Missing:
    """What a section says in place of evidence that there is not, or not yet."""

    text: str


Block = str | Table | Missing


def answered(view: View) -> list[Block]:
    """The answer, and the tables beside it."""
    found = answer(view)
    sentences = filter(None, (found.sentence, found.why, scope(view)))
    return [
        *sentences,
        *(table for table in (arms_table(view), references_table(view), errors_table(view)) if len(table)),
    ]


def pairs(view: View) -> list[Block]:
    """Every pair of arms."""
    if compared_pair(view) is None:
        return [Missing("Only one arm was tuned; a pair needs two.")]
    return [tables.pairs_table(pair_verdicts(view), best_score(view.spec))]


def credit(view: View) -> list[Block]:
    """What tuning, the optimizer and the schedule contributed."""
    pair = compared_pair(view)
    split = credit_split(view, pair) if pair else None
    blocks: list[Block] = []
    if tuning_gains(view):
        blocks.append(tables.gains_table(view))
    else:
        blocks.append(Missing("No arm has both its default config and a tuned one evaluated yet."))
    if split and split.missing:
        blocks.append(Missing(missing_sentence(split)))
    elif split:
        blocks += tables.credit_tables(split)
    return blocks


def budget(view: View) -> list[Block]:
    """What a larger search would have bought."""
    if not budget_curves(view):
        return [Missing("There are no trials yet.")]
    blocks: list[Block] = [tables.expected_best_table(view), tables.whole_search_table(view)]
    pair = compared_pair(view)
    if pair and (crossed := crossover_sentence(view, *pair)):
        blocks.append(crossed)
    return blocks


def sensitivity(view: View) -> list[Block]:
    """How much each hyperparameter matters."""
    if not sensitivities(view):
        return [Missing("There are no trials yet that show which hyperparameters matter.")]
    return [search_tables.sensitivity_table(view)]


def cost(view: View) -> list[Block]:
    """What the experiment cost."""
    return [tables.cost_table(view), tables.cost_table(view, "seconds")]


def target(view: View, loss: float | None = None) -> list[Block]:
    """How fast the winners reached a validation loss; by default that of each repeat's best default config."""
    if not times_to_target(view, loss):
        return [Missing("No winner has been trained with further seeds yet.")]
    goal = formatted(loss) if loss is not None else f"that of {_own_target(view)} of the same repeat"
    blocks: list[Block] = [
        f"Gradient evaluations until the winners' mean validation loss is at most {goal}.",
        tables.target_table(view, loss),
    ]
    if pair := compared_pair(view):
        few = f"Too few repeats of {spoken(pair[0])} and {spoken(pair[1])} reached it for a ratio."
        blocks.append(target_ratio_sentence(view, *pair, loss) or few)
    return blocks


def _own_target(view: View) -> str:
    return "the best default config" if view.record.default_configs else "the worst winner"


def pruning(view: View) -> list[Block]:
    """What a pruner saved, or would have saved and changed."""
    if view.spec.pruner != "none":
        return [search_tables.pruned_table(view)] if pruned_arms(view) else [Missing("There are no trials yet.")]
    return [search_tables.replayed_table(view)] if replayed_arms(view) else [Missing("No search is complete yet.")]


def generalization(view: View) -> list[Block]:
    """How the winners generalize, by probes of their networks, which are trained again."""
    # No other section trains, and loads the engine.
    from cooldown.search.evidence.generalization import generalization as probed
    from cooldown.search.evidence.generalization import generalization_table

    try:
        measured = generalization_table(probed(view))
    except UntrustedModuleError:
        raise
    except InputError as error:
        return [Missing(f"There are no probes: {error}.")]
    return [measured] if len(measured) else [Missing("No winner has been evaluated yet.")]


MADE: dict[str, Callable[..., list[Block]]] = {
    "pairs": pairs,
    "credit": credit,
    "budget": budget,
    "sensitivity": sensitivity,
    "cost": cost,
    "target": target,
    "pruning": pruning,
    "generalization": generalization,
}
