"""`kept_in`: the files that a spec names, kept in the ledger, where every worker finds them."""

from pathlib import Path
from typing import Any

from cooldown.objectives import tasks
from cooldown.objectives.data.reading.files import EXCEL, content_of
from cooldown.objectives.data.uploaded import PREFIX
from cooldown.search.spec.experiment import Experiment
from cooldown.storage import Ledger


def kept_in(ledger: Ledger, spec: Experiment, owner: str) -> Experiment:
    """The spec of an experiment that any worker can load: its table and its test rows are data sets of the ledger.

    Spreadsheets are no uploads, which others may have made: they stay where they are, and are named by their whole
    paths. Raises InputError for a file that cannot be read, LedgerError where one cannot be kept.
    """
    if tasks.origin(spec.task) != "table":
        return spec
    files = {field: Path(text) for field in ("task", "test") if (text := getattr(spec, field)) is not None}
    named: dict[str, Any] = {}
    if any(path.suffix.lower() in EXCEL for path in files.values()):
        named = {field: str(path.absolute()) for field, path in files.items()}
    else:
        for field, path in files.items():
            data, _ = ledger.datasets.add(content_of(path, f"submit {str(path)!r}"), owner, path.name[-LONGEST:])
            named[field] = f"{PREFIX}{data.digest}"
    return spec.model_copy(update=named)


LONGEST = 200
"""Characters of a file's name that are kept."""
