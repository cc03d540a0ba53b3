"""`from_openml`: a data set of OpenML as a task, downloaded and cached by scikit-learn."""

import json
import re
import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

from cooldown.objectives.data.arrays import ArrayTask
from cooldown.objectives.data.downloads import fetched
from cooldown.objectives.data.reading import files
from cooldown.objectives.data.reading.columns import is_number
from cooldown.objectives.data.reading.options import Reading
from cooldown.objectives.data.table import table_task
from cooldown.objectives.data.task import Kind
from cooldown.objectives.errors import InputError

PREFIX = "openml:"
# A name is not all digits and dots: it becomes part of an address and of a path.
ADDRESS = re.compile(r"(?P<id>\d+)|(?P<name>[\w.,()-]*[A-Za-z][\w.,()-]*)(@(?P<version>[1-9]\d*))?", re.ASCII)


def from_openml(
    text: str,
    *,
    target: str | None = None,
    sample_weight: str | None = None,
    groups: str | None = None,
    time: str | None = None,
    kind: Kind | None = None,
    drop: tuple[str, ...] = (),
) -> ArrayTask:
    """A task from a data set on OpenML: predict one column from all others, except those that the data set excludes.

    text: `openml:NAME` for a data set with one active version, `openml:NAME@VERSION`, or `openml:ID`. target: the
        column to predict; None for the data set's default target. sample_weight, groups, time, drop: as for
        `from_table`.

    OpenML declares which columns are numeric: a numeric target gives a regression, unless `kind` says otherwise, any
    other a classification, and features are numbers or categories, as in `from_table`. Empty columns are left out.
    Raises InputError if the data set cannot be found, downloaded or used.
    """
    where = f"task {text!r}"
    address = ADDRESS.fullmatch(text.removeprefix(PREFIX))
    if address is None:
        raise InputError(f"{where}: write a data set as openml:NAME, openml:NAME@VERSION (1, 2, …) or openml:ID")
    if address["id"]:
        selection: dict[str, Any] = {"data_id": int(address["id"])}
    else:
        selection = {"name": address["name"], "version": int(address["version"]) if address["version"] else "active"}
    # The default target is requested only if it is needed: it may be missing in some rows.
    target_column = "default-target" if target is None else None
    data_set = fetched(where, partial(_fetch, where), target_column=target_column, **selection)
    table = data_set.frame.dropna(axis="columns", how="all")
    reading = Reading(drop=drop)
    if target is None:
        target = _only(where, data_set.target_names, table.columns)
    reading.check(
        where,
        list(data_set.frame.columns),
        {"target": target, "sample_weight": sample_weight, "groups": groups, "time": time},
    )
    table = files.without(table, where, reading.drop)
    texts = [column for column in table.columns if not is_number(table[column])]
    inferred: Kind = "classification" if target in texts else "regression"
    # Strings are declared categories: the user cannot correct cells that look mistyped.
    table, name = table.astype(dict.fromkeys(texts, "category")), data_set.details["name"]
    rows: dict[str, Any] = {"sample_weight": sample_weight, "groups": groups, "time": time}
    return table_task(where, table, target, name, kind or inferred, reading=reading, **rows)


def _fetch(where: str, **options: Any) -> Any:
    """The data set with its cells in a `frame`. Raises InputError with scikit-learn's message."""
    from sklearn.datasets import fetch_openml

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "Multiple active versions")
            # With pandas 3.1, scikit-learn's faster parser fails for numeric categories (its issue 34892).
            return fetch_openml(as_frame=True, parser="liac-arff", **options)
    except UserWarning as warning:
        versions = re.findall(r"- version (\d+)", str(warning))
        if not versions:
            raise
        raise InputError(
            f"{where}: has several active versions ({', '.join(versions)}, …), which may differ: "
            f"choose one, as in {PREFIX}{options['name']}@{versions[0]}"
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise  # not an answer of OpenML
    except ValueError as error:
        text = " ".join(str(error).split())
        if text.startswith("Sparse ARFF"):
            text = "is kept in the sparse ARFF format, which cannot be read as a table"
        elif options["target_column"] is not None and "target" in text.lower():
            text += " Name another column as target."
        raise InputError(f"{where}: {text}") from None


def _only(where: str, targets: Sequence[str], columns: Sequence[str]) -> str:
    """The data set's default target, if there is exactly one."""
    if len(targets) == 1:
        return targets[0]
    count = f"{len(targets)} default targets" if targets else "no default target"
    choices = ", ".join(targets or columns)
    raise InputError(f"{where}: has {count}: name the column to predict as target (choose from: {choices})")
