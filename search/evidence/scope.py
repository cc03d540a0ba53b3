"""What the answer of an experiment speaks of: other test rows of the same kind, or only those that were measured on."""

from cooldown.search.evidence.view import View, once
from cooldown.search.spec.task_fields import OWN_TEST


@once
def scope(view: View) -> str | None:
    """A sentence that says that losses and intervals speak of certain test rows only; None where each repeat has test
    rows drawn for it, so that the intervals cover other splits of the same table.
    """
    if view.spec.test is not None:
        rows = "the task's own test rows" if view.spec.test == OWN_TEST else f"the rows of {view.spec.test}"
    elif view.spec.protocol == 1:
        rows = "one draw of test rows"
    else:
        return None
    return f"All repeats were measured on {rows}: test losses and intervals speak of these rows only."
