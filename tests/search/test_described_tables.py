"""How a table was read, from the command to the record: printed once, in JSON, in the spec, and read again alike."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cli_examples import QUICK
from search_runs import run_in_threads, spec

from cooldown.objectives import tasks
from cooldown.objectives.errors import InputError
from cooldown.search.cli.settings import merged_settings
from cooldown.search.evidence.columns import MANY, MOST, columns_table, doubts, heading, table_document
from cooldown.search.evidence.view import View
from cooldown.search.experiments.retrain import retrain
from cooldown.search.export import export
from cooldown.search.report.commands import reproduction
from cooldown.search.spec.experiment import read_spec
from cooldown.search.spec.task_fields import data_options
from cooldown.search.tuning.splits import recorded_task

N = 60


def german() -> str:
    """A table as it is saved by a spreadsheet program in Germany, with a column of each kind."""
    rng = np.random.default_rng(0)
    lines = ["Kundennummer;Einkommen;Stadt;Kaufdatum;Gewicht;aktiv;Anteil;gekauft"]
    for row in range(N):
        income = f"{rng.integers(10**5, 10**6) / 100:,.2f}".translate(str.maketrans(",.", ".,"))
        day = pd.Timestamp("2019-01-01") + pd.Timedelta(days=int(rng.integers(0, 700)))
        weight = "-" if row % 17 == 0 else f"{rng.integers(500, 900) / 10:.1f}".replace(".", ",")
        lines.append(
            f"{row + 1000};{income} €;{rng.choice(['München ', 'Köln'])};{day:%d.%m.%Y};{weight};"
            f"{rng.choice(['True', 'False'])};1.{100 + rng.integers(0, 900)};{rng.choice(['ja', 'nein'])}"
        )
    return "\n".join(lines) + "\n"


READ: dict[str, Any] = {"decimal": ".", "dates": ["Kaufdatum"], "drop": ["Kundennummer"]}
GIVEN: dict[str, Any] = {"task": "kunden.csv", "target": "gekauft", **READ}
OPTIONS = ("--decimal", ".", "--dates", "Kaufdatum", "--drop", "Kundennummer")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "kunden.csv").write_text(german(), encoding="utf-8-sig")
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- what is printed


def test_describe_shows_how_each_column_is_read(folder: Path, run_here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as in_a_terminal:
        in_a_terminal.setenv("TTY_COMPATIBLE", "1")
        code, out, _ = run_here("describe", "kunden.csv", "--target", "gekauft", *OPTIONS)
        assert code == 0
        assert max(map(len, out.splitlines())) <= 80
    code, out, _ = run_here("describe", "kunden.csv", "--target", "gekauft", *OPTIONS)
    assert code == 0
    lines = [" ".join(line.split()) for line in out.splitlines() if line.strip()]
    assert lines[0] == "kunden: classification of gekauft, 60 rows."
    assert lines[1] == "Column Holds Read as Missing"
    assert "gekauft target, categories labels 0" in lines
    assert any(line.startswith("Einkommen numbers decimal comma, thousands with points, ") for line in lines)
    assert "Stadt categories labels 0" in lines
    assert "Gewicht numbers decimal comma; - missing 4" in lines
    assert "aktiv booleans true or false 0" in lines
    assert "Kundennummer left out –" in lines
    assert "Warning" not in out
    code, out, _ = run_here("describe", "kunden.csv", "--target", "gekauft", *OPTIONS[:4])
    said = " ".join(out.split())
    assert "Warning: Kundennummer may be an identifier: all 60 values are different" in said
    assert "--drop Kundennummer" in said


def test_describe_as_json(folder: Path, run_here: Any) -> None:
    code, out, _ = run_here("describe", "kunden.csv", "--target", "gekauft", *OPTIONS[:4], "--json")
    found = json.loads(out)
    assert (code, found["kind"], found["rows"], found["test_rows"]) == (0, "classification", N, 0)
    columns = {column.pop("name"): column for column in found["columns"]}
    assert columns["Gewicht"] == {"role": "feature", "kind": "numbers", "how": "decimal comma; - missing", "missing": 4}
    assert columns["gekauft"] == {"role": "target", "kind": "categories", "how": "labels", "missing": 0}
    assert [(doubt["column"], doubt["kind"]) for doubt in found["doubts"]] == [("Kundennummer", "identifier")]


def test_describe_says_all_that_is_refused(folder: Path, run_here: Any) -> None:
    code, out, err = run_here("describe", "kunden.csv", "--target", "gekauft")
    assert (code, out) == (2, "")
    assert "2 columns cannot be read:\n  column 'Kaufdatum': holds dates such as" in err
    assert "\n  column 'Anteil': '1." in err
    code, _, err = run_here("describe", "kunden.csv")
    assert code == 2
    assert "--target COLUMN (choose from: Kundennummer, Einkommen" in err
    code, out, _ = run_here("describe", "iris")
    assert (code, out) == (0, "iris: classification, 150 rows.\n")


def test_a_wide_table_is_told_in_few_rows() -> None:
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(N, 200)), columns=[f"pixel{place}" for place in range(200)])
    wide.loc[3, "pixel100"] = np.nan
    task = tasks.from_frame(wide.assign(y=np.arange(N) % 2), target="y", name="wide")
    rows = [(name, missing) for name, *_, missing in columns_table(task).rows]
    assert rows == [("y", 0), ("pixel0 … pixel99 (100)", 0), ("pixel100", 1), ("pixel101 … pixel199 (99)", 0)]
    for place in range(0, 200, 2):
        wide.loc[:place, f"pixel{place}"] = np.nan
    wide = wide.iloc[:, : N - 10]
    shown = columns_table(tasks.from_frame(wide.assign(y=np.arange(N) % 2), target="y", name="wide"))
    assert len(wide.columns) > MANY
    assert (len(shown), shown.total) == (MOST, N - 9)


def test_long_names_are_shortened_and_all_columns_are_in_the_document() -> None:
    table = pd.DataFrame({"x" * 200: np.arange(N) / 7, "y": np.arange(N) % 2})
    task = tasks.from_frame(table, target="y", name="t")
    assert max(len(row[0]) for row in columns_table(task).rows) < 30
    assert table_document(task)["columns"][1]["name"] == "x" * 200
    assert heading(task) == "t: classification of y, 60 rows."
    assert doubts(tasks.get("two_moons")) == []


# --- what is run


def test_compare_prints_the_table_once_and_records_how_it_was_read(folder: Path, run_here: Any) -> None:
    command = ["compare", "kunden.csv", "--target", "gekauft", *OPTIONS[:4], *QUICK, "--workers", "1"]
    code, out, err = run_here(*command, "--json")
    assert code == 0
    assert err.count("Read as") == 1
    shown = json.loads(out)
    assert [column["name"] for column in shown["table"]["columns"]][:2] == ["gekauft", "Kundennummer"]
    assert (shown["spec"]["decimal"], shown["spec"]["dates"]) == (".", ["Kaufdatum"])
    code, _, err = run_here(*command, "--quiet")
    assert code == 0
    assert "Read as" not in err
    assert "Warning: Kundennummer may be an identifier" in err
    # The record is enough to read the table in the same way.
    code, out, _ = run_here("resume", "kunden", "--repeats", "2", "--workers", "1", "--quiet", "--json")
    assert (code, json.loads(out)["spec"]["repeats"]) == (0, 2)


def test_the_record_reads_the_table_again(folder: Path) -> None:
    record = run_in_threads(f"sqlite:///{folder}/cooldown.db", spec(**GIVEN), name="kunden")
    assert {name: record.spec[name] for name in READ} == READ
    again = recorded_task(record, read_spec(**record.spec))
    assert again.fingerprint() == record.task_fingerprint
    assert reproduction(record).spec_file.startswith(
        'task = "kunden.csv"\ntarget = "gekauft"\ndecimal = "."\ndates = [\n    "Kaufdatum",\n]\n'
    )
    path = folder / "best.json"
    path.write_text(str(export(View(record), "json").content))
    found = retrain(path)
    assert (found.difference, found.test_loss) == (0.0, found.recorded_test)
    assert {name: merged_settings(None, {}, exported=path)[name] for name in READ} == READ
    assert not set(READ) & set(merged_settings("iris", {}, exported=path))


def test_train_reads_another_table(folder: Path, run_here: Any) -> None:
    record = run_in_threads(f"sqlite:///{folder}/cooldown.db", spec(), name="iris")
    Path("best.json").write_text(str(export(View(record), "json").content))
    code, _, err = run_here("train", "best.json", "kunden.csv", "--target", "gekauft", "--seeds", "1")
    assert code == 2
    assert "--dates 'Kaufdatum'" in err
    code, out, err = run_here("train", "best.json", "kunden.csv", "--target", "gekauft", "--seeds", "1", *OPTIONS)
    assert code == 0
    assert "on kunden, one seed" in out
    assert "Read as" in err


# --- the spec


def test_a_spec_has_the_fields_only_where_they_are_set() -> None:
    assert not {"kind", *READ, "missing", "categories"} & set(read_spec(task="iris").to_json())
    given = read_spec(**GIVEN, kind="classification", missing="unknown", categories=["Stadt"])
    assert given.missing == ("unknown",)
    assert read_spec(**json.loads(json.dumps(given.to_json()))) == given
    assert data_options(given.to_json()) == [
        *("--target=gekauft", "--kind=classification", "--decimal=.", "--missing=unknown", "--categories=Stadt"),
        *("--dates=Kaufdatum", "--drop=Kundennummer"),
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"decimal": ";"}, r"unknown decimal ';' \(choose from: ,, \.\)"),
        ({"kind": "regresion"}, "unknown kind 'regresion'; did you mean 'regression'"),
        ({"drop": [3]}, r"drop\[0\]"),
        ({"dates": 3}, "dates: should be a list, got 3"),
    ],
)
def test_fields_that_are_no_reading(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_spec(task="t.csv", target="y", **fields)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_spec_file_in_any_encoding_with_a_mark(encoding: str, end: str, folder: Path) -> None:
    lines = [
        'task = "kunden.csv"',
        'target = "gekauft"',
        "# größe",
        'decimal = "."',
        'dates = ["Kaufdatum"]',
        'drop = "Kundennummer"',
    ]
    mark = "\ufeff" if encoding == "utf-16-le" else ""
    (folder / "spec.toml").write_bytes((mark + end.join([*lines, ""])).encode(encoding))
    assert read_spec(**merged_settings("spec.toml", {})) == read_spec(**GIVEN)


def test_an_exported_file_in_utf_16_is_read(folder: Path) -> None:
    record = run_in_threads(f"sqlite:///{folder}/cooldown.db", spec(), name="iris")
    for format in ("json", "toml"):
        (folder / f"best.{format}").write_text(str(export(View(record), format).content), encoding="utf-16")
        assert retrain(folder / f"best.{format}").difference == 0.0
