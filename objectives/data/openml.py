"""`from_openml`: a data set of OpenML as a task. scikit-learn downloads it, and keeps it for the next time."""

import json
import re
import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

from cooldown.objectives.data.arrays import ArrayTask
from cooldown.objectives.data.downloads import fetched
from cooldown.objectives.data.table import from_frame, is_numeric
from cooldown.objectives.data.task import Kind
from cooldown.objectives.errors import InputError

PREFIX = "openml:"
# A name is not all digits and dots: it becomes part of an address and of a path.
ADDRESS = re.compile(r"(?P<id>\d+)|(?P<name>[\w.,()-]*[A-Za-z][\w.,()-]*)(@(?P<version>[1-9]\d*))?", re.ASCII)


def from_openml(text: str, *, target: str | None = None) -> ArrayTask:
    """A task of a data set on OpenML: predict one column from all others but those that its owner has set aside.

    text: `openml:NAME` of a data set with one active version, `openml:NAME@VERSION`, or `openml:ID`. target: the
        column to predict; the data set's own where it is None.

    OpenML says of each column whether it holds numbers: a target of numbers makes a regression, any other one a
    classification, and features are numbers or categories, as in `from_table`. A column without any value is
    left out. Raises InputError for whatever cannot be found, downloaded or used.
    """
    where = f"task {text!r}"
    address = ADDRESS.fullmatch(text.removeprefix(PREFIX))
    if address is None:
        raise InputError(f"{where}: a data set is written as openml:NAME, openml:NAME@VERSION (1, 2, …) or openml:ID")
    if address["id"]:
        which: dict[str, Any] = {"data_id": int(address["id"])}
    else:
        which = {"name": address["name"], "version": int(address["version"]) if address["version"] else "active"}
    # The data set's own target is asked for only where it is needed: it may be missing in some rows.
    own = "default-target" if target is None else None
    found = fetched(where, partial(_fetch, where), target_column=own, **which)
    table = found.frame.dropna(axis="columns", how="all")
    texts = [column for column in table.columns if not is_numeric(where, table[column])]
    if target is None:
        target = _only(where, found.target_names, table.columns)
    kind: Kind = "classification" if target in texts else "regression"
    # Texts are declared to be categories: nobody here can correct a ticket's number that looks mistyped.
    return from_frame(where, table.astype(dict.fromkeys(texts, "category")), target, found.details["name"], kind)


def _fetch(where: str, **options: Any) -> Any:
    """The data set with its cells in a `frame`. Raises InputError for what scikit-learn finds wrong with it."""
    from sklearn.datasets import fetch_openml

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "Multiple active versions")
            # With pandas 3.1 scikit-learn's quicker parser fails at categories that are numbers (its issue 34892).
            return fetch_openml(as_frame=True, parser="liac-arff", **options)
    except UserWarning as warning:
        versions = re.findall(r"- version (\d+)", str(warning))
        if not versions:
            raise
        raise InputError(
            f"{where}: has several active versions ({', '.join(versions)}, …), which may differ in anything: "
            f"say which, as in {PREFIX}{options['name']}@{versions[0]}"
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise  # not OpenML's answer, whatever else it is
    except ValueError as error:
        text = " ".join(str(error).split())
        if text.startswith("Sparse ARFF"):
            text = "is kept in the sparse ARFF format, which cannot be read as a table"
        elif options["target_column"] is not None and "target" in text.lower():
            text += " Name another column as target."
        raise InputError(f"{where}: {text}") from None


def _only(where: str, own: Sequence[str], columns: Sequence[str]) -> str:
    """The data set's own target, if there is one and no more."""
    if len(own) == 1:
        return own[0]
    has = f"has {len(own)} targets of its own" if own else "has no target of its own"
    raise InputError(f"{where}: {has}: name the column to predict as target (choose from: {', '.join(own or columns)})")
