"""A svmlight file as sparse rows: each line a label and the filled cells of a row as `index:value`, and if it has one
the number of its query, `qid:7`.

An index is a column's number as it is written, whether a file counts from 0 or from 1: then column 0 is empty. So rows
that come later, as those to predict, have the same columns without a word about it. What the format allows and what a
number looks like is decided by scikit-learn's reader; what is wrong with a line is said here.
"""

import re
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.data.reading.files import COMPRESSIONS, suffix_of
from cooldown.objectives.errors import InputError

SUFFIXES = (".svm", ".svmlight", ".libsvm")

MOST = 10_000_000
"""Columns that a file may number: some arrays have a number for each, filled or not."""

LONG, SHOWN = 20, 40
"""Digits that no index has, of which Python would read only some thousands; characters that a message shows."""

ROW = re.compile(rb"[^\s:,]+(\s+qid:\d+)?(\s+\d+:\S+)+\s*(#.*)?")
"""A line that no other format has."""


class SparseFile(NamedTuple):
    """X: (n, d) a CSR array. labels: (n,). queries: (n,) the number of each row's query; None if rows have none."""

    X: Any
    labels: NDArray[np.float64]
    queries: NDArray[np.int64] | None


def is_svmlight(path: Path) -> bool:
    """Whether a file is a svmlight file by its name, also compressed."""
    return suffix_of(path) in SUFFIXES and (path.suffix.lower() in (*SUFFIXES, *COMPRESSIONS))


def looks_like_svmlight(content: bytes) -> bool:
    """Whether the first line of a content that is no comment is a row of a svmlight file."""
    lines = (line.strip() for line in BytesIO(content[:100_000]))
    first = next((line for line in lines if line and not line.startswith(b"#")), b"")
    return ROW.fullmatch(first) is not None


def read_svmlight(content: bytes, where: str) -> SparseFile:
    """The rows of a svmlight file. where: the start of messages.

    Raises InputError for content that is none, with the number of the first line that cannot be read.
    """
    from scipy.sparse import csr_array

    try:
        X, labels, queries = _parsed(content)
    except (ValueError, OverflowError):
        number, line = _first_unreadable(content)
        raise InputError(f"{where}: line {number}: {_fault(line)}") from None
    if not len(labels):
        raise InputError(f"{where}: has no rows")
    if not X.nnz:
        raise InputError(f"{where}: has no features: a row is a label and cells as index:value, such as 1 3:0.5")
    if X.shape[1] > MOST:
        raise InputError(f"{where}: has the index {X.shape[1] - 1:,}; the largest is {MOST - 1:,}")
    if len(queries) not in (0, len(labels)):
        raise InputError(f"{where}: has qid in {len(queries):,} of its {len(labels):,} rows: in all or in none")
    return SparseFile(csr_array(X), labels, queries if len(queries) else None)


def _parsed(content: bytes) -> tuple[Any, NDArray[np.float64], NDArray[np.int64]]:
    from sklearn.datasets import load_svmlight_file

    X, labels, queries = load_svmlight_file(BytesIO(content), zero_based=True, query_id=True)
    return X, labels, queries


def _first_unreadable(content: bytes) -> tuple[int, str]:
    """The first line that cannot be read, and its number from 1."""
    lines = content.split(b"\n")
    readable, unreadable = 0, len(lines)
    # Half of the lines again and again, since a call for each would take minutes for a large file.
    while unreadable - readable > 1:
        middle = (readable + unreadable) // 2
        try:
            _parsed(b"\n".join(lines[readable:middle]))
            readable = middle
        except (ValueError, OverflowError):
            unreadable = middle
    return unreadable, lines[unreadable - 1].decode(errors="replace").strip()


def _fault(line: str) -> str:
    """What is wrong with a line that cannot be read."""
    label, *cells = line.partition("#")[0].split()
    if ":" in label:
        return f"has no label before its features, which begin with {_shown(label)}"
    if "," in label:
        return f"has several labels, {_shown(label)}: a task has one label for each row"
    if not _is_number(label):
        return f"the label {_shown(label)} is no number"
    last = -1
    for cell in cells:
        index, colon, value = cell.partition(":")
        if index == "qid" and colon:
            if not value.isascii() or not value.isdigit():
                return f"{_shown(cell)} is no qid: the number of a query is a whole one"
            continue
        if not colon or not _is_number(value):
            return f"{_shown(cell)} is no index:value with a number as value"
        if not index.isascii() or not index.isdigit():
            return f"{_shown(cell)} has no index: a whole number of at least 0, the column's"
        if len(index) > LONG or int(index) >= MOST:
            return f"{_shown(cell)} has a larger index than {MOST - 1:,}"
        if int(index) <= last:
            return f"{_shown(cell)} follows the index {last}: the indices of a row must ascend"
        last = int(index)
    return "is no row of a svmlight file: a label and cells as index:value"


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}…")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
