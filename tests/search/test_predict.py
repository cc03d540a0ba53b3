"""`cooldown export NAME -o model.joblib` and `cooldown predict MODEL ROWS`."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from search_runs import TINY, run_in_threads, spec
from taken_home import READ, table_for

from cooldown import compare, load_model, tasks
from cooldown.search.evidence.view import View
from cooldown.search.export import export

Run = Callable[..., tuple[int, str, str]]
TARGETS = ("grade", "yes", "cost")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A model of each target, trained on a CSV file."""
    folder, made = tmp_path_factory.mktemp("predict"), {}
    for target in TARGETS:
        path = folder / f"{target}.csv"
        table_for(target).to_csv(path, index=False, sep=";")
        given = spec(task=str(path), target=target, arms=("adam",), epochs=3, **READ)
        record = run_in_threads(f"sqlite:///{folder}/l.db", given, name=target)
        content = export(View(record), "joblib").content
        assert isinstance(content, bytes)
        made[target] = content
    return made


@pytest.fixture
def folder(models: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the models, in which commands run."""
    for target, content in models.items():
        (tmp_path / f"{target}.joblib").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new_rows(target: str) -> pd.DataFrame:
    """Rows in another order of rows and columns, with missing cells, unseen labels and a further column."""
    rows = table_for(target).sample(frac=1, random_state=1).sample(frac=1, axis=1, random_state=1)
    rows = rows.drop(columns="id").astype({"price": object, "flag": object, "town": object}).reset_index(drop=True)
    rows.loc[3, "price"] = rows.loc[4, "flag"] = rows.loc[5, "town"] = None
    rows.loc[6, "town"] = "nowhere"
    return rows.assign(more="=1+1")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".csv.gz"])
def test_every_row_of_a_file_has_an_answer(target: str, suffix: str, folder: Path, run_here: Run) -> None:
    rows, path = new_rows(target), f"new{suffix}"
    if suffix == ".parquet":
        rows.astype({"town": str}).where(rows.notna()).to_parquet(path)
    else:
        rows.to_csv(path, index=False)
    code, out, err = run_here("predict", f"{target}.joblib", path)
    assert code == 0, err
    predicted, model = pd.read_csv(StringIO(out)), load_model(f"{target}.joblib")
    assert predicted["prediction"].tolist() == pytest.approx(model.predict(rows).tolist(), rel=1e-9)
    if target != "cost":
        labels = [f"probability_{label}" for label in model.classes_]
        assert list(predicted.columns) == ["prediction", *labels]
        np.testing.assert_allclose(predicted[labels], model.predict_proba(rows), rtol=1e-9)
        assert f"Accuracy on these rows: {model.score(rows, rows[target]):.4g}" in err
    else:
        assert list(predicted.columns) == ["prediction"]
        assert f"R² on these rows: {model.score(rows, rows[target]):.4g}" in err
    assert f"{target}.joblib says it is adam of experiment {target!r}" in err
    assert "open only files whose origin you know" in err
    assert "Note: columns that the model does not know are ignored: 'more'." in err


def test_files_are_written_by_their_suffix(folder: Path, run_here: Run) -> None:
    new_rows("yes").drop(columns=["yes", "more"]).to_csv("new.csv", index=False)
    expected = load_model("yes.joblib").predict_proba(new_rows("yes"))
    for suffix in (".csv", ".parquet", ".json"):
        code, out, err = run_here("predict", "yes.joblib", "new.csv", "-o", f"out{suffix}")
        assert (code, out) == (0, "")
        assert f"Wrote out{suffix}." in err
        assert "Note" not in err
        assert "on these rows" not in err
    written = [
        pd.read_csv("out.csv"),
        pd.read_parquet("out.parquet"),
        pd.DataFrame(json.loads(Path("out.json").read_text())),
    ]
    for table in written:
        assert table["prediction"].dtype == bool
        np.testing.assert_allclose(table[["probability_False", "probability_True"]], expected, rtol=1e-9)
    code, _, err = run_here("predict", "yes.joblib", "new.csv", "-o", "out.csv")
    assert (code, "already exists" in err) == (2, True)
    assert run_here("predict", "yes.joblib", "new.csv", "-o", "out.csv", "--force")[0] == 0
    code, _, err = run_here("predict", "yes.joblib", "new.csv", "-o", "out.xlsx")
    assert (code, "predictions are written as .csv, .parquet, .json" in err) == (2, True)


def test_a_score_needs_a_target_that_can_be_read(folder: Path, run_here: Run) -> None:
    rows = new_rows("yes").drop(columns="more").astype({"yes": object})
    rows.loc[::2, "yes"] = None
    rows.to_csv("half.csv", index=False)
    model, known = load_model("yes.joblib"), rows["yes"].notna()
    score = np.mean(model.predict(rows[known]) == rows.loc[known, "yes"].astype(bool))
    assert f"Accuracy on these rows: {score:.4g}" in run_here("predict", "yes.joblib", "half.csv")[2]
    rows.assign(yes=None).to_csv("none.csv", index=False)
    assert "on these rows" not in run_here("predict", "yes.joblib", "none.csv")[2]
    costs = new_rows("cost").drop(columns="more").assign(cost="dear")
    costs.to_csv("words.csv", index=False)
    code, out, err = run_here("predict", "cost.joblib", "words.csv")
    assert (code, len(out.splitlines())) == (0, len(costs) + 1)
    assert "Note: there is no score: 'words.csv': target 'cost': must hold numbers" in err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda rows: rows.drop(columns=["size", "flag"]),
            "'new.csv': columns of the training table are missing: 'size', 'flag'",
        ),
        (lambda rows: rows.assign(size="big"), "'new.csv': column 'size': must hold numbers"),
        (lambda rows: rows.assign(day="soon"), "'new.csv': column 'day': 'soon' in row 1"),
        (lambda rows: rows.head(0), "'new.csv': has a header but no rows"),
        (
            lambda rows: rows[["more"]],
            "'new.csv': has no column of the training table, which are 'yes', 'price', 'size'",
        ),
    ],
)
def test_rows_that_cannot_be_read_are_one_message(change: Any, said: str, folder: Path, run_here: Run) -> None:
    change(new_rows("yes")).to_csv("new.csv", index=False)
    code, out, err = run_here("predict", "yes.joblib", "new.csv", "-o", "out.csv")
    assert (code, out) == (2, "")
    assert f"cooldown: {said}" in err
    assert not Path("out.csv").exists()


def test_a_saved_index_is_a_column_that_is_ignored(folder: Path, run_here: Run) -> None:
    rows = new_rows("yes").drop(columns="more")
    rows.to_csv("new.csv")
    code, out, err = run_here("predict", "yes.joblib", "new.csv")
    assert (code, len(out.splitlines())) == (0, len(rows) + 1)
    assert "Note: columns that the model does not know are ignored: ''." in err


def test_files_that_are_no_models_are_one_message(folder: Path, run_here: Run) -> None:
    Path("new.csv").write_text("a,b\n1,2\n")
    for file, said in (("new.csv", "is not a model"), ("none.joblib", "there is no such file"), (".", "is a folder")):
        code, out, err = run_here("predict", file, "new.csv")
        assert (code, out, said in err) == (2, "", True)
        assert "says it is" not in err


def test_a_model_of_arrays_takes_columns_in_their_order(
    tmp_path: Path, run_here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    record = run_in_threads("sqlite:///l.db", spec(arms=("adam",)), name="iris")
    content = export(View(record), "joblib").content
    assert isinstance(content, bytes)
    Path("iris.joblib").write_bytes(content)
    rows = [[5, 3, 1, 0.2], [6, np.nan, 5, 2]]
    pd.DataFrame(rows, columns=list("abcd")).to_csv("new.csv", index=False)
    code, out, err = run_here("predict", "iris.joblib", "new.csv", "-o", "-")
    found = pd.read_csv(StringIO(out))
    assert (code, "those of the file are taken in their order" in err) == (0, True)
    np.testing.assert_array_equal(found["prediction"], load_model("iris.joblib").predict(rows))
    np.testing.assert_allclose(found.iloc[:, 1:], load_model("iris.joblib").predict_proba(rows))
    for text, said in (
        ("a,b,c\n1,2,3\n", "has 3 columns, but the model was trained on 4"),
        ("a,b,c,d\n1,x,3,4\n", "must hold numbers; 'b' does not"),
    ):
        Path("new.csv").write_text(text)
        code, out, err = run_here("predict", "iris.joblib", "new.csv")
        assert (code, out, said in err) == (2, "", True)


def test_a_model_with_several_targets(tmp_path: Path, run_here: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    X = np.random.default_rng(0).normal(size=(80, 3))
    task = tasks.ArrayTask("two", "regression", lambda: (X, np.column_stack([X[:, 0], X @ [1, 2, 3]])))
    small = {**TINY, "arms": ("adam",), "task": task}
    result = compare(**small, db="sqlite:///l.db", name="two", workers=1)
    Path("two.joblib").write_bytes(result.export("joblib"))
    pd.DataFrame(X).to_csv("new.csv", index=False)
    code, out, _ = run_here("predict", "two.joblib", "new.csv", "-o", "-")
    found = pd.read_csv(StringIO(out))
    assert (code, list(found)) == (0, ["prediction_0", "prediction_1"])
    np.testing.assert_allclose(found, load_model("two.joblib").predict(X))


def test_a_search_ends_with_a_model_that_predicts(
    tmp_path: Path, run_here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    table_for("word").to_csv(tmp_path / "t.csv", index=False)
    new_rows("word").drop(columns=["word", "more"]).to_csv(tmp_path / "new.csv", index=False)
    small = "--target word --drop id --dates day --categories zip --arm adam --trials 2 --repeats 1 --epochs 2"
    monkeypatch.chdir(tmp_path)
    assert run_here("tune", "t.csv", *small.split(), "--workers", "1", "--quiet")[0] == 0
    assert run_here("export", "t", "-o", "m.joblib", "--seeds", "2")[0] == 0
    code, out, _ = run_here("predict", "m.joblib", "new.csv")
    assert (code, len(out.splitlines())) == (0, len(table_for("word")) + 1)
    assert run_here("export", "t", "-o", "m.onnx")[0] == 2
    code, _, err = run_here("export", "t", "--seeds", "2")
    assert (code, "seeds: available for joblib and onnx, not for json" in err) == (2, True)
