"""How the winners generalize: their networks, trained again for it, under the probes."""

from typing import Any

from cooldown.search.evidence import sections
from cooldown.search.evidence.sections import Missing
from cooldown.search.experiments.result import Result
from cooldown.search.report.blocks import Chart, Section, Text, numbers, rendered


def generalization(result: Result) -> Section:
    """The probes of every arm's winners, and how much they rely on single units."""
    (found,) = sections.generalization(result.view)
    blocks: list[Any] = []
    if isinstance(found, Missing):
        blocks.append(Text(found.text, "missing"))
    else:
        # It loads the engine, and only a report that has this section needs it.
        from cooldown.search.evidence.generalization import generalization as probed
        from cooldown.search.figures.generalization import READING, ablation, ablation_table

        assert not isinstance(found, str)
        blocks.append(rendered(found))
        arms = probed(result.view)
        if any(len(arm.ablation[0]) for arm in arms):
            blocks.append(Chart("Single directions", READING, ablation(arms), numbers(ablation_table(arms))))
    return Section("Generalization", "generalization", tuple(blocks))
