"""An uploaded data set is a task of the ledger that has it, and of no other."""

import gzip
import io
import pickle
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from search_runs import TINY, spec
from served import API, SPEC, Served, served

from cooldown import tasks
from cooldown.objectives.errors import InputError
from cooldown.search.experiments import Submitted, compare, delete, load, resume, submit
from cooldown.search.service.worker import Worker
from cooldown.search.tuning.splits import task_of
from cooldown.storage import Ledger, LedgerError
from cooldown.storage.copying import copy_experiment

CSV = b"length;kind\n" + b"".join(b"%d,5;%s\n" % (i, b"ab"[i % 2 :][:1]) for i in range(40))
TESTED = b"kind;length\n" + b"".join(b"%s;%d,25\n" % (b"ab"[i % 2 :][:1], i) for i in range(10))
SETTINGS = {name: value for name, value in SPEC.items() if name != "task"}


def made_before(made: Submitted) -> Submitted:
    return replace(made, new=False)


def table() -> pd.DataFrame:
    return pd.DataFrame({"length": [i + 0.5 for i in range(40)], "kind": ["ab"[i % 2] for i in range(40)]})


def test_a_file_is_kept_once_for_all_who_upload_it(empty: Served) -> None:
    datasets = empty.service.ledger.datasets
    first, new = datasets.add(CSV, "ada", "mine.csv")
    assert new
    assert (first.owner, first.file, first.size) == ("ada", "mine.csv", len(CSV))
    assert datasets.add(CSV, "ada", "again.csv") == (first, False)
    second, new = datasets.add(CSV, "bob", "his.csv")
    assert new
    assert second.digest == first.digest
    assert [found.owner for found in datasets.list()] == ["bob", "ada"]
    assert datasets.list("ada") == [first]
    assert datasets.of("carl", first.digest) is None
    assert datasets.content(first.digest) == CSV


def test_the_files_of_an_owner_have_a_limit_together(empty: Served) -> None:
    datasets = empty.service.ledger.datasets
    datasets.add(CSV, "ada", "a.csv", room=len(CSV))
    with pytest.raises(LedgerError, match="more than"):
        datasets.add(CSV + b"1;a\n", "ada", "b.csv", room=2 * len(CSV))
    assert len(datasets.list()) == 1
    datasets.add(CSV + b"1;a\n", "bob", "b.csv", room=2 * len(CSV))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_it_is_read_as_the_file_itself(empty: Served, tmp_path: Path, kind: str) -> None:
    buffer = io.BytesIO()
    table().to_parquet(buffer)
    content = CSV if kind == "csv" else buffer.getvalue()
    file = tmp_path / f"mine.{kind}"
    file.write_bytes(content)
    uploaded, _ = empty.service.ledger.datasets.add(content, "ada", file.name)
    record_of = empty.service.ledger.datasets.content
    named = spec(task=f"dataset:{uploaded.digest}", target="kind")
    task = task_of(named, uploads=record_of)
    assert task.name == f"data-{uploaded.digest[:8]}"
    assert task.fingerprint() == tasks.from_table(file, target="kind", name=task.name).fingerprint()


def test_an_experiment_on_it_runs_resumes_and_is_exported(empty: Served) -> None:
    ledger = empty.service.ledger
    uploaded, _ = ledger.datasets.add(CSV, "ada", "mine.csv")
    settings = {**TINY, "task": f"dataset:{uploaded.digest}", "target": "kind", "arms": ["adam"], "repeats": 1}
    result = compare(**settings, db=empty.service.url, workers=1)
    assert result.name == f"data-{uploaded.digest[:8]}"
    again = resume(result.name, repeats=2, db=empty.service.url, workers=1)
    assert again.status.value == "done"
    loaded = load(result.name, db=empty.service.url)
    assert loaded.fit_best().predict(pd.DataFrame({"length": ["3,5"]})).shape == (1,)
    assert f'"task": "dataset:{uploaded.digest}"' in loaded.export("json")
    copy = pickle.loads(pickle.dumps(loaded))
    assert copy.record.uploads(uploaded.digest) == CSV


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ("dataset:", "64 hexadecimal digits"),
        ("dataset:../../etc/passwd", "64 hexadecimal digits"),
        (f"dataset:{'A' * 64}", "64 hexadecimal digits"),
        (f"dataset:{'0' * 64}", "has no data set"),
    ],
)
def test_what_was_not_uploaded_is_no_task(empty: Served, task: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        compare(**{**TINY, "task": task, "target": "kind"}, db=empty.service.url, workers=1)


def test_it_belongs_to_its_ledger(empty: Served, tmp_path: Path) -> None:
    uploaded, _ = empty.service.ledger.datasets.add(CSV, "ada", "mine.csv")
    (tmp_path / "other").mkdir()
    other = served(tmp_path / "other")
    named = spec(task=f"dataset:{uploaded.digest}", target="kind")
    with pytest.raises(LedgerError, match="has no data set"):
        task_of(named, uploads=other.service.ledger.datasets.content)
    with pytest.raises(InputError, match="can be used there alone"):
        task_of(named)
    with pytest.raises(InputError, match="target COLUMN"):
        task_of(spec(task=f"dataset:{uploaded.digest}"), uploads=empty.service.ledger.datasets.content)


def test_a_damaged_one_is_not_used(empty: Served) -> None:
    ledger = empty.service.ledger
    uploaded, _ = ledger.datasets.add(CSV, "ada", "mine.csv")
    with Ledger(empty.service.url)._database.writing() as connection:
        connection.exec_driver_sql("UPDATE cooldown_datasets SET content = x'00'")
    with pytest.raises(LedgerError, match="damaged"):
        ledger.datasets.content(uploaded.digest)


TEST = CSV.replace(b"\n1", b"\n2")
"""Other rows with the same columns."""


def test_another_one_is_its_test_set(empty: Served, tmp_path: Path) -> None:
    datasets = empty.service.ledger.datasets
    rows, test = (datasets.add(content, "ada", "file.csv")[0] for content in (CSV, TEST))
    files = [tmp_path / name for name in ("rows.csv", "test.csv")]
    for file, content in zip(files, (CSV, TEST), strict=True):
        file.write_bytes(content)
    named = spec(task=f"dataset:{rows.digest}", target="kind", test=f"dataset:{test.digest}")
    task = task_of(named, uploads=datasets.content)
    as_files = tasks.from_table(files[0], target="kind", test=files[1], name=task.name)
    assert task.fingerprint() == as_files.fingerprint()
    assert task.test_rows is not None


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        ("rows.csv", "the test rows of an uploaded data set are another one"),
        (f"dataset:{'0' * 64}", "has no data set"),
        ("same", "test rows must be others"),
    ],
)
def test_what_is_no_test_set(empty: Served, test: str, reason: str) -> None:
    datasets = empty.service.ledger.datasets
    rows, _ = datasets.add(CSV, "ada", "file.csv")
    named = f"dataset:{rows.digest}"
    with pytest.raises(InputError, match=reason):
        task_of(spec(task=named, target="kind", test=named if test == "same" else test), uploads=datasets.content)


def test_a_test_set_is_its_owners_and_needed_by_experiments(empty: Served, tmp_path: Path) -> None:
    datasets = empty.service.ledger.datasets
    rows, test = (datasets.add(content, "ada", "file.csv")[0] for content in (CSV, TEST))
    datasets.add(CSV, "bob", "file.csv")
    asked = {**SPEC, "task": f"dataset:{rows.digest}", "target": "kind", "test": f"dataset:{test.digest}"}
    assert empty.client("bob").post(API, json=asked).status_code == 404
    made = empty.client("ada").post(API, json=asked)
    assert made.status_code == 201
    with pytest.raises(LedgerError, match="delete it first"):
        datasets.remove(test.digest, "ada")
    copy = Ledger(f"sqlite:///{tmp_path}/copy.db")
    copy_experiment(empty.service.ledger, copy, made.json()["name"])
    assert copy.datasets.content(test.digest) == TEST


def test_a_submitted_table_is_run_where_its_file_is_not(
    empty: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    settings = {**SETTINGS, "target": "kind", "db": empty.service.url}
    for name, rows in (("houses.csv", CSV), ("tested.csv", TESTED)):
        Path(name).write_bytes(rows)
    with gzip.open("houses.csv.gz", "wb") as file:
        file.write(CSV)
    made = submit("houses.csv", test="tested.csv", **settings)
    assert (made.name, made.new) == ("houses", True)
    assert submit(Path("houses.csv.gz"), test="tested.csv", **settings) == made_before(made)
    expected = compare("houses.csv", test="tested.csv", name="calm", workers=1, **settings)
    monkeypatch.chdir(tmp_path)
    Worker(empty.service.url, workers=1, exit_when_idle=True).work()
    ran = load("houses", db=empty.service.url)
    assert ran.status.value == "done"
    assert ran.record.task_fingerprint == expected.record.task_fingerprint
    assert ran.view.fingerprint == expected.view.fingerprint
    assert {data.file for data in empty.service.ledger.datasets.list("")} == {"houses.csv", "tested.csv"}


def test_a_table_that_was_kept_for_a_submission_goes_with_its_last_experiment(empty: Served, tmp_path: Path) -> None:
    ledger, file = empty.service.ledger, tmp_path / "houses.csv"
    file.write_bytes(CSV)
    settings = {**SETTINGS, "target": "kind", "db": empty.service.url}
    first, second = (submit(file, seed=seed, **settings) for seed in (0, 1))
    (data,) = ledger.datasets.list()
    spec = ledger.load(first.name).spec
    delete(first.name, db=empty.service.url)
    assert ledger.datasets.content(data.digest) == CSV
    delete(second.name, db=empty.service.url)
    assert not ledger.datasets.list()
    with pytest.raises(LedgerError, match="has no data set"):
        ledger.datasets.content(data.digest)
    # Of somebody who looked at the file before it was removed.
    with pytest.raises(LedgerError, match="removed meanwhile: submit its file again"):
        ledger.create("late", spec, "data", [])
    # What was uploaded stays with whoever did.
    ledger.datasets.add(CSV, "ada", "mine.csv")
    delete(submit(file, **settings).name, db=empty.service.url)
    assert [data.owner for data in ledger.datasets.list()] == ["ada"]
    assert ledger.datasets.content(data.digest) == CSV
