"""A regression in the target's own units: root mean squared and mean absolute error of arms and references."""

from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.references import reference_summaries
from cooldown.search.evidence.summary import arm_summaries
from cooldown.search.evidence.table import Column, Table
from cooldown.search.evidence.view import View


def errors_table(view: View) -> Table:
    """The errors of arms and references on the test rows, the arms with the lowest loss first; without rows for a
    classification, a user's own model, and an experiment of an older version.
    """
    arms = sorted(arm_summaries(view), key=lambda arm: float("inf") if arm.test_loss is None else arm.test_loss)
    rows = [(arm.arm, arm.test_rmse, arm.test_mae, arm.test_loss) for arm in arms]
    if all(rmse is None for _, rmse, *_ in rows):
        rows = []
    else:
        references = sorted(reference_summaries(view), key=lambda each: each.loss)
        rows += [(each.name, each.rmse, each.mae, each.loss) for each in references]
    return Table(
        (
            Column("Arm or reference", Form.ARM),
            Column("RMSE", Form.TARGET),
            Column("MAE", Form.TARGET),
            Column("Test loss", Form.LOSS),
        ),
        rows,
        "RMSE and MAE: root mean squared and mean absolute error in the target's own units, means over runs. Where the "
        "loss is capped, they are those of the mean target. Test loss: of the standardized target.",
    )
