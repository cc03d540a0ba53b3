"""`from_upload`: a file that somebody uploaded to a ledger as a task. It is named by the hash of its content."""

import re
from pathlib import PurePath

from cooldown.objectives.data.arrays import ArrayTask
from cooldown.objectives.data.reading import files
from cooldown.objectives.data.reading.options import Reading
from cooldown.objectives.data.reading.svmlight import looks_like_svmlight
from cooldown.objectives.data.svmlight import refuse_columns, svmlight_task
from cooldown.objectives.data.table import table_task, text_columns, used_columns
from cooldown.objectives.data.task import Kind
from cooldown.objectives.errors import InputError

PREFIX = "dataset:"
DIGEST = re.compile("[0-9a-f]{64}")
"""SHA-256 of the content, in hexadecimal."""

PARQUET, SHORT = b"PAR1", 8
"""How a Parquet file begins; characters of a digest that tell data sets apart for a reader."""


def digest_in(text: str) -> str:
    """The digest in a task's name, `dataset:DIGEST`; raises InputError for none."""
    digest = text.removeprefix(PREFIX)
    if not DIGEST.fullmatch(digest):
        raise InputError(f"task {text!r:.90}: an uploaded data set is named {PREFIX} and its 64 hexadecimal digits")
    return digest


def is_upload(text: str) -> bool:
    """Whether a task or a test set is named as an uploaded data set is."""
    return text.startswith(PREFIX)


def in_short(text: str) -> str:
    """The name of a task as people read it: of an uploaded data set the first digits, any other as it is."""
    return text[: len(PREFIX) + SHORT] if is_upload(text) else text


def task_name(digest: str, file: str | None = None) -> str:
    """What an experiment on a data set is called after: the file that it came from, where that is known."""
    stem = "data" if file is None else PurePath(file).stem or "data"
    return f"{stem}-{digest[:SHORT]}"


def suffix_of(content: bytes) -> str:
    """The suffix of a file by its content alone: a Parquet file, or a delimited text."""
    return ".parquet" if content.startswith(PARQUET) else ".csv"


def from_upload(
    digest: str,
    content: bytes,
    *,
    target: str | None,
    sample_weight: str | None,
    groups: str | None,
    time: str | None,
    kind: Kind | None,
    reading: Reading,
    test: tuple[str, bytes] | None = None,
) -> ArrayTask:
    """A task from the content of a Parquet file, a delimited text or a svmlight file; the settings are those of
    `from_table`, or of `from_svmlight`.

    test: digest and content of another such file, whose rows are the test rows of every repeat.
    """
    short = digest[:SHORT]
    where = f"data set {short}"
    if test is not None and test[0] == digest:
        raise InputError(f"test: is the data set of the training rows, {short}; test rows must be others")
    if looks_like_svmlight(content):
        refuse_columns(where, {"target": target, "sample_weight": sample_weight, "time": time, **reading.given()})
        rows = None if test is None else (f"{where}: test set {test[0][:SHORT]}", test[1])
        return svmlight_task((where, content), f"data-{short}", kind, test=rows, groups=groups)
    table = files.read_content(content, suffix_of(content), where, reading, target)
    target, table = used_columns(where, table, target, reading, sample_weight, groups, time)
    tested = None
    if test is not None:
        told = f"{where}: test set {test[0][:SHORT]}"
        read = files.read_content(test[1], suffix_of(test[1]), told, reading, target, text_columns(table))
        tested = told, files.without(read, told, reading.drop)
    return table_task(
        where,
        table,
        target,
        task_name(digest),
        kind,
        test=tested,
        sample_weight=sample_weight,
        groups=groups,
        time=time,
        reading=reading,
    )
