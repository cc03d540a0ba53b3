"""`resolve`: the `Task` that the command line, a spec or a user names."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from cooldown.objectives.catalog import Catalog, UnknownNameError, unknown_name
from cooldown.objectives.data.openml import PREFIX, from_openml
from cooldown.objectives.data.reading.files import is_table
from cooldown.objectives.data.reading.options import AS_WRITTEN, Reading
from cooldown.objectives.data.reading.svmlight import is_svmlight
from cooldown.objectives.data.svmlight import from_svmlight, refuse_columns
from cooldown.objectives.data.table import from_table
from cooldown.objectives.data.task import Kind, Task
from cooldown.objectives.data.uploaded import digest_in, from_upload, is_upload
from cooldown.objectives.errors import InputError

Origin = Literal["built-in", "table", "OpenML", "upload", "module", "object"]

Content = Callable[[str], bytes]
"""From the digest of an uploaded data set to its content; raises InputError if it is not there."""


def resolve(
    catalog: Catalog[Task],
    text: str,
    target: str | None = None,
    hidden: tuple[int, ...] | None = None,
    test: str | None = None,
    sample_weight: str | None = None,
    groups: str | None = None,
    time: str | None = None,
    kind: Kind | None = None,
    reading: Reading = AS_WRITTEN,
    uploads: Content | None = None,
) -> Task:
    """The task that `text` names: see `objectives.tasks.resolve`."""
    columns: dict[str, Any] = {"target": target, "sample_weight": sample_weight, "groups": groups, "time": time}
    if text in catalog.names():
        task = catalog.get(text)
    elif text.startswith(PREFIX):
        task = from_openml(text, kind=kind, drop=reading.drop, **columns)
    elif is_upload(text):
        tested = None if test is None or not is_upload(test) else (digest_in(test), _content(test, uploads))
        content = _content(text, uploads)
        task = from_upload(digest_in(text), content, kind=kind, reading=reading, test=tested, **columns)
    elif is_svmlight(Path(text)):
        others = {"target": target, "sample_weight": sample_weight, "time": time}
        refuse_columns(repr(text), {**others, **reading.given()})
        task = from_svmlight(text, test=test, kind=kind, groups=groups)
    elif _is_path(text):
        task = from_table(text, test=test, kind=kind, **columns, **reading.given())
    elif ":" in text:
        task = catalog.get(text)
    else:
        raise UnknownNameError(
            f"{unknown_name('task', text, catalog.names())}; "
            f"or give openml:NAME, a path to a CSV, Parquet or svmlight file, or module:attribute"
        )
    for setting, value in {**columns, "kind": kind, "drop": reading.drop or None}.items():
        if value is not None and not (text.startswith(PREFIX) or is_upload(text) or _is_path(text)):
            raise InputError(
                f"{setting} {_told(value)} is for a CSV or Parquet file or for openml:NAME; {text!r} is neither"
            )
    if test is not None and is_upload(text) and not is_upload(test):
        raise InputError(f"test {test!r:.90}: the test rows of an uploaded data set are another one, dataset:DIGEST")
    if test is not None and not (is_upload(text) or _is_path(text)):
        raise InputError(
            f"test {test!r} is for a task that is a CSV or Parquet file; {text!r} is none (in Python, "
            "tasks.from_arrays takes test rows too)"
        )
    for setting, value in reading.given().items():
        if setting != "drop" and not (is_upload(text) or _is_path(text)):
            raise InputError(f"{setting} {_told(value)} is for a task that is a file; {text!r} is none")
    return task if hidden is None else task.with_hidden(hidden)


def origin(catalog: Catalog[Task], text: str) -> Origin:
    """The origin of the task called `text`: see `objectives.tasks.origin`."""
    if text in catalog.names():
        return "built-in"
    if text.startswith(PREFIX):
        return "OpenML"
    if is_upload(text):
        return "upload"
    if is_table(Path(text)) or is_svmlight(Path(text)):
        return "table"
    module, _, attribute = text.partition(":")
    parts = [*module.split("."), attribute]
    return "module" if all(part.isidentifier() for part in parts) else "object"


def _content(text: str, uploads: Content | None) -> bytes:
    """The content of an uploaded data set."""
    digest = digest_in(text)
    if uploads is None:
        raise InputError(f"task {text!r}: an uploaded data set is in a ledger, and can be used there alone")
    return uploads(digest)


def _is_path(text: str) -> bool:
    suffix = Path(text).suffix
    separators = {os.sep, os.altsep} - {None}
    return (
        is_table(Path(text))
        or is_svmlight(Path(text))
        or any(str(separator) in text for separator in separators)
        or (bool(suffix) and ":" not in text)
    )


def _told(value: str | tuple[str, ...]) -> str:
    return repr(value) if isinstance(value, str) else ", ".join(map(repr, value))
