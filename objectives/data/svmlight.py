"""`from_svmlight`: a user's svmlight file as a task of sparse rows; `svmlight_task`: one whose content is read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cooldown.objectives.data.arrays import ArrayTask
from cooldown.objectives.data.checks import check_name
from cooldown.objectives.data.own_arrays import arrays_task
from cooldown.objectives.data.reading import files
from cooldown.objectives.data.reading.svmlight import SUFFIXES, is_svmlight, read_svmlight
from cooldown.objectives.data.task import Kind
from cooldown.objectives.errors import InputError

QUERIES = "qid"
"""What `groups` of a svmlight file can be: its only column with a name."""

Part = tuple[str, bytes]
"""The start of messages about a file, and its content."""


def from_svmlight(
    path: str | Path,
    *,
    name: str | None = None,
    kind: Kind | None = None,
    hidden: tuple[int, ...] = (32,),
    test: str | Path | None = None,
    groups: str | None = None,
) -> ArrayTask:
    """A task from a svmlight file (.svm, .svmlight, .libsvm; also compressed, as .svm.gz), whose rows stay sparse.

    A line is a label and the row's filled cells as `index:value`, in ascending order of their indices, which are the
    columns' numbers as they are written, from 0 or from 1. A comment begins with #. Labels are numbers: classes, or the
    target of a regression.
    name: None for the file's name without its suffix. kind, hidden: as for `from_arrays`. test: another such file,
        whose rows are the test rows of every repeat. groups: "qid", so that no query of a file with `qid:` has rows in
        two parts of a split; None for a file without.

    Raises InputError with file, line and value for anything that is not such a file, and as `from_arrays` does.
    """
    if not isinstance(path, str | Path):
        raise InputError(f"from_svmlight(path=...): must be the path of a file, got {type(path).__name__}")
    if test is not None and not isinstance(test, str | Path):
        raise InputError(f"from_svmlight(test=...): must be the path of a file, got {type(test).__name__}")
    where, path = f"from_svmlight({str(path)!r})", Path(path)
    name = files.name_of(path) if name is None else check_name("from_svmlight", name)
    tested = None if test is None else _read(Path(test), f"from_svmlight(test={str(test)!r})")
    if test is not None and path.exists() and path.samefile(test):
        raise InputError(f"{where}: test {str(test)!r} is the file of the training rows; test rows must be others")
    return svmlight_task(_read(path, where), name, kind, hidden, tested, groups)


def svmlight_task(
    part: Part,
    name: str,
    kind: Kind | None,
    hidden: tuple[int, ...] = (32,),
    test: Part | None = None,
    groups: str | None = None,
) -> ArrayTask:
    """A task from the content of a svmlight file, and of one of test rows: see `from_svmlight`."""
    where, content = part
    X, y, queries = read_svmlight(content, where)
    if groups not in (None, QUERIES):
        raise InputError(f"{where}: groups can be {QUERIES!r}, the queries of a svmlight file, got {groups!r}")
    if queries is None and groups is not None:
        raise InputError(f"{where}: groups {groups!r}: no row has a {QUERIES}")
    if queries is not None and groups is None:
        raise InputError(
            f"{where}: has a {QUERIES} in each row: --groups {QUERIES} keeps the rows of a query together; without "
            "queries, leave them out of the file"
        )
    tested = None
    if test is not None:
        tested = read_svmlight(test[1], test[0])
        columns = max(X.shape[1], tested.X.shape[1])
        for rows in (X, tested.X):
            rows.resize(rows.shape[0], columns)
    told = {"X": f"{where}: features", "y": f"{where}: labels", "groups": f"{where}: {QUERIES}"}
    told["test"] = told["y"] if test is None else test[0]
    return arrays_task(
        told,
        X,
        y,
        name=name,
        kind=kind,
        hidden=hidden,
        test=None if tested is None else tested[:2],
        groups=queries,
    )


def refuse_columns(where: str, settings: Mapping[str, Any]) -> None:
    """Raise InputError for settings that name columns of a table; None and () are none."""
    for setting, value in settings.items():
        if value not in (None, ()):
            shown = value if isinstance(value, str) else ", ".join(value)
            raise InputError(
                f"{setting} {shown!r} is for a table; the columns of {where}, a svmlight file, have no names, and its "
                "labels are the target"
            )


def _read(path: Path, where: str) -> Part:
    if not is_svmlight(path):
        raise InputError(f"{where}: the name of a svmlight file must end in {', '.join(SUFFIXES)}, got {path.suffix!r}")
    return where, files.content_of(path, where)
