"""What the answer of an experiment speaks of: other test rows of the same kind, or only those that were measured on."""

from cooldown.search.evidence.view import View, once
from cooldown.search.spec.task_fields import OWN_TEST


@once
def scope(view: View) -> str | None:
    """A sentence that says that losses and intervals speak of certain test rows only, or of groups that are new; None
    where each repeat has test rows drawn for it, so that the intervals cover other splits of the same table.
    """
    spec = view.spec
    if spec.test is not None:
        rows = "the task's own test rows" if spec.test == OWN_TEST else f"the rows of {spec.test}"
    elif spec.time is not None:
        rows = "the latest rows" + ("" if spec.time == OWN_TEST else f" by {spec.time}")
    elif spec.protocol == 1:
        rows = "one draw of test rows"
    elif spec.groups is not None:
        column = "" if spec.groups == OWN_TEST else f" of {spec.groups}"
        return f"Each repeat was measured on groups{column} that were not trained on: the answer is about new groups."
    else:
        return None
    return f"All repeats were measured on {rows}: test losses and intervals are about these rows only."
