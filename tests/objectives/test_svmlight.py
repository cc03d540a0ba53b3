"""svmlight files as tasks: what is read, what stays sparse, and what is said of a file that cannot be used."""

import gzip
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array, csr_matrix
from sklearn.datasets import dump_svmlight_file

from cooldown.objectives import tasks
from cooldown.objectives.data.reading import svmlight
from cooldown.objectives.errors import InputError

N, D = 60, 200


def rows(seed: int = 0) -> tuple[Any, Any]:
    """Rows with five filled cells each, one of which tells the class, 1 or −1. Column 0 is empty."""
    rng = np.random.default_rng(seed)
    y = np.where(np.arange(N) % 2, 1.0, -1.0)
    filled = np.column_stack([np.where(y > 0, 1, 2), rng.integers(3, D, (N, 4))])
    X = csr_array((rng.integers(1, 9, filled.size) / 4, filled.ravel(), np.arange(0, filled.size + 1, 5)), (N, D))
    X.sum_duplicates()
    X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    return X, y


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "words.svm"
    X, y = rows()
    dump_svmlight_file(csr_matrix(X), y, str(path), comment="made for a test")
    return path


def written(folder: Path, text: str, name: str = "rows.svm") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def lines(*rows: str, n: int = 12) -> str:
    """A file of n rows that can be used, with these at its end."""
    return "\n".join([*(f"{i % 2} 1:{i + 1} {i % 3 + 2}:1" for i in range(n)), *rows]) + "\n"


def test_a_file_is_a_task_of_sparse_rows(file: Path) -> None:
    X, y = rows()
    task = tasks.resolve(str(file))
    assert task.name == "words"
    assert task.kind == "classification"
    assert task.labels == ("-1", "1")
    assert task.is_sparse
    assert np.array_equal(task.data[0].toarray()[:, :D], X.toarray())
    assert np.array_equal(task.data[1], y > 0)
    assert task.fingerprint() == tasks.from_arrays(X[:, : task.data[0].shape[1]], y).fingerprint()
    assert tasks.origin(str(file)) == "table"


@pytest.mark.parametrize("suffix", [".svmlight", ".libsvm", ".svm.gz"])
def test_other_names_of_a_file(file: Path, suffix: str) -> None:
    content = file.read_bytes()
    other = file.with_name(f"other{suffix}")
    other.write_bytes(gzip.compress(content) if suffix.endswith(".gz") else content)
    task = tasks.resolve(str(other))
    assert task.name == "other"
    assert task.fingerprint() == tasks.resolve(str(file)).fingerprint()


@pytest.mark.parametrize("first", [0, 1])
def test_indices_are_columns_as_they_are_written(tmp_path: Path, first: int) -> None:
    text = "".join(f"{i % 2} {first}:{i + 1} {first + i % 3 + 1}:1\n" for i in range(12))
    X, _ = tasks.from_svmlight(written(tmp_path, text)).data
    assert X.shape == (12, first + 4)
    assert np.array_equal(X[:, [first]].toarray().ravel(), np.arange(12) + 1.0)


def test_labels_are_the_target_of_a_regression(tmp_path: Path) -> None:
    text = "".join(f"{i / 3} 1:{i} {i % 3 + 2}:1\n" for i in range(20))
    path = written(tmp_path, text)
    task = tasks.resolve(path)
    assert task.kind == "regression"
    assert np.allclose(task.data[1], np.arange(20) / 3)
    assert tasks.resolve(written(tmp_path, lines()), kind="regression").kind == "regression"


def test_a_test_file_may_have_further_columns(tmp_path: Path) -> None:
    path, test = written(tmp_path, lines()), written(tmp_path, lines("1 1:3 9:4"), "test.svm")
    task = tasks.resolve(path, test=test)
    assert task.test_rows is not None
    assert task.data[0].shape == (25, 10)
    assert np.array_equal(task.test_rows, np.arange(12, 25))
    # A column that no training row fills is none of the network's.
    assert task.evaluation_problems(0, 0, [1])[0].model.X.shape[1] == 4


def test_queries_are_kept_together(tmp_path: Path) -> None:
    text = "".join(f"{i % 2} qid:{i // 4} 1:{i + 1} {i % 3 + 2}:1\n" for i in range(40))
    path = written(tmp_path, text)
    task = tasks.resolve(path, groups="qid")
    of_row, split = np.arange(40) // 4, task.split(0, 0, 1)
    assert not set(of_row[split.rest]) & set(of_row[split.test])
    with pytest.raises(InputError, match="has a qid in each row: --groups qid keeps the rows of a query together"):
        tasks.resolve(path)
    with pytest.raises(InputError, match="groups 'qid': no row has a qid"):
        tasks.resolve(written(tmp_path, lines()), groups="qid")
    with pytest.raises(InputError, match="groups can be 'qid', the queries of a svmlight file, got 'patient'"):
        tasks.resolve(path, groups="patient")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1:0.5 2:1", "line 13: has no label before its features, which begin with '1:0.5'"),
        ("1,3 1:2", "line 13: has several labels, '1,3': a task has one label for each row"),
        ("spam 1:2", "line 13: the label 'spam' is no number"),
        ("1 -1:2", "line 13: '-1:2' has no index: a whole number of at least 0"),
        ("1 a:2", "line 13: 'a:2' has no index"),
        ("1 3:x", "line 13: '3:x' is no index:value with a number as value"),
        ("1 3", "line 13: '3' is no index:value"),
        ("1 3:1 2:1", "line 13: '2:1' follows the index 3: the indices of a row must ascend"),
        ("1 3:1 3:1", "line 13: '3:1' follows the index 3"),
        ("1 3000000000:1", "line 13: '3000000000:1' has a larger index than 9,999,999"),
        ("1 1" + "0" * 100 + ":1", r"line 13: '10{39}…' has a larger index than"),
        ("1 " + "9" * 5000 + ":1", "line 13: '9{40}…' has a larger index than"),
        ("1 2000000000:1", "has the index 2,000,000,000; the largest is 9,999,999"),
        ("1 qid:x 3:1", "line 13: 'qid:x' is no qid"),
        ("1 qid:3 3:1", "has qid in 1 of its 25 rows: in all or in none"),
        ("nan 3:1", r"labels: 1 missing \(NaN\), the first in row 13"),
        ("1 3:inf", r"features: must be finite numbers up to 1e\+30, got inf at X\[12, 3\]"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    path = written(tmp_path, lines(line) + lines())
    with pytest.raises(InputError, match=said) as raised:
        tasks.resolve(path)
    assert str(raised.value).startswith(f"from_svmlight({path!r}): ")
    assert len(str(raised.value)) < 250 + len(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("# only a comment\n", "has no rows"),
        ("1\n0\n", "has no features"),
        ("a,b,c\n1,2,3\n", "line 1: has several labels, 'a,b,c'"),
        ("\x89PNG\r\n", "line 1: the label"),
    ],
)
def test_files_without_rows(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        tasks.resolve(written(tmp_path, text))


def test_settings_of_tables_are_refused(file: Path) -> None:
    for settings in ({"target": "price"}, {"sample_weight": "w"}, {"time": "sold"}):
        with pytest.raises(InputError, match=r"is for a table; the columns of '.*', a svmlight file, have no names"):
            tasks.resolve(str(file), **settings)
    with pytest.raises(InputError, match="drop 'id' is for a table"):
        tasks.given(str(file), drop="id")
    with pytest.raises(InputError, match="is the file of the training rows"):
        tasks.resolve(str(file), test=str(file))
    with pytest.raises(InputError, match=r"must end in \.svm, \.svmlight, \.libsvm, got '\.csv'"):
        tasks.resolve(str(file), test="rows.csv")
    with pytest.raises(InputError, match="there is no such file"):
        tasks.resolve(str(file.with_name("other.svm")))


def test_an_upload_is_known_by_its_content(file: Path) -> None:
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    task = tasks.resolve(f"dataset:{digest}", uploads={digest: content}.__getitem__)
    assert task.fingerprint() == tasks.resolve(str(file)).fingerprint()
    with pytest.raises(InputError, match=r"target 'price' is for a table; the columns of data set [0-9a-f]{8}, a svm"):
        tasks.resolve(f"dataset:{digest}", target="price", uploads={digest: content}.__getitem__)


@pytest.mark.parametrize(
    ("content", "is_one"),
    [
        (b"1 1:2 3:4\n", True),
        (b"# made by hand\n\n-1.5 qid:3 0:2 # first\n", True),
        (b"a,b,c\n1,2,3\n", False),
        (b"name time\nx 10:30\n", False),
        (b"time 10:30:00\n", True),
        (b"PAR1", False),
        (b"", False),
    ],
)
def test_what_looks_like_a_svmlight_file(content: bytes, is_one: bool) -> None:
    assert svmlight.looks_like_svmlight(content) is is_one
