"""A user's table: what its columns become, that they are fitted on training rows only, what is refused."""

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from cooldown.objectives import TrainConfig, tasks, train
from cooldown.objectives.data.splits import split
from cooldown.objectives.errors import InputError

N = 60


def mixed() -> pd.DataFrame:
    """Numbers, texts and truth values with missing cells, and a target of two classes."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "age": rng.integers(20, 60, N).astype(float),
            "income": rng.lognormal(10, 1, N),
            "color": rng.choice(["red", "green", "blue"], N),
            "member": rng.choice([True, False], N).astype(object),
            "bought": np.tile(["no", "yes"], N // 2),
        }
    )
    table.loc[::7, "age"] = np.nan
    table.loc[::11, "color"] = None
    table.loc[::13, "member"] = None
    return table


def write(table: pd.DataFrame, path):
    if path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False)
    return path


@pytest.fixture(params=[".csv", ".parquet"])
def mixed_file(request, tmp_path):
    return write(mixed(), tmp_path / f"shop{request.param}")


def csv(tmp_path, text, name="table.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def numbers(columns="a,b", cells="{i},{i}.5", n=20, **replaced):
    """A CSV text of `n` rows, some of which (`r3="..."`, the first is r0) are replaced."""
    rows = [replaced.get(f"r{i}", cells.format(i=i)) for i in range(n)]
    return "\n".join([columns, *rows]) + "\n"


# --- what columns become


def test_a_mixed_table_trains(mixed_file):
    task = tasks.from_table(mixed_file, target="bought")
    assert (task.name, task.kind) == ("shop", "classification")
    [[curve]] = train(task, [TrainConfig(epochs=20)], [0])
    assert np.isfinite(curve.held_out_loss).all()
    assert curve.train_loss[-1] < curve.train_loss[0]


def test_csv_and_parquet_are_the_same_task(tmp_path):
    one, two = (
        tasks.from_table(write(mixed(), tmp_path / f"shop{end}"), target="bought") for end in (".csv", ".parquet")
    )
    np.testing.assert_allclose(one.search_problem().model.X, two.search_problem().model.X)


def test_preprocessing_is_fitted_on_the_training_rows_only(mixed_file):
    task, table = tasks.from_table(mixed_file, target="bought"), mixed()
    problem = task.search_problem(4, 1)
    labels = (table["bought"] == "yes").to_numpy().astype(int)
    train_rows, validation, _ = split(N, labels, 4, 1)
    # The same by scikit-learn's own means on the frame itself, a missing cell being the category "".
    table[["color", "member"]] = table[["color", "member"]].astype(object).fillna("").astype(str)
    reference = make_column_transformer(
        (
            make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()),
            ["age", "income"],
        ),
        (OneHotEncoder(sparse_output=False), ["color", "member"]),
    ).fit(table.iloc[train_rows])
    for rows, part in ((train_rows, problem.train), (validation, problem.held_out)):
        expected, got = reference.transform(table.iloc[rows]), problem.model.X[part]
        assert got.shape == expected.shape == (len(rows), 2 + 1 + 4 + 3)
        np.testing.assert_allclose(got[:, :3], expected[:, :3], atol=1e-12)
        # Columns of categories may stand in another order.
        assert sorted(map(tuple, got[:, 3:].T)) == sorted(map(tuple, expected[:, 3:].T))
        assert problem.model.y[part].tolist() == labels[rows].tolist()


def test_a_category_that_no_training_row_has_is_not_an_error(tmp_path):
    table = pd.DataFrame({"x": np.arange(float(N)), "color": "red", "y": np.tile([0, 1], N // 2)})
    _, validation, _ = split(N, table["y"].to_numpy(), 0, 0)
    table.loc[::2, "color"] = "green"
    table.loc[validation[0], "color"] = "only here"
    problem = tasks.from_table(write(table, tmp_path / "t.csv"), target="y").search_problem(0, 0)
    assert problem.model.X.shape[1] == 3
    assert problem.model.X[problem.held_out[0], 1:].tolist() == [0, 0]
    assert (problem.model.X[problem.train, 1:].sum(axis=1) == 1).all()


def test_rare_categories_and_identifiers_share_a_column(tmp_path):
    table = pd.DataFrame({"id": [f"row {i}" for i in range(N)], "x": np.arange(N), "y": np.tile([0, 1], N // 2)})
    problem = tasks.from_table(write(table, tmp_path / "t.csv"), target="y").search_problem()
    assert problem.model.X.shape[1] == 2
    assert (problem.model.X[:, 1] == 1).all()


def test_a_column_without_a_value_among_the_training_rows(tmp_path):
    table = pd.DataFrame({"x": np.arange(float(N)), "sparse": np.nan, "y": np.tile([0, 1], N // 2)})
    _, validation, _ = split(N, table["y"].to_numpy(), 0, 0)
    table.loc[validation[:1], "sparse"] = 5.0
    problem = tasks.from_table(write(table, tmp_path / "t.csv"), target="y").search_problem()
    assert np.isfinite(problem.model.X).all()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_separators_and_byte_order_marks(tmp_path, separator, mark):
    text = mark + numbers("a,b", "{i},{i}.5").replace(",", separator)
    task = tasks.from_table(csv(tmp_path, text), target="b")
    assert task.kind == "regression"
    assert task.data[0][:, 0].tolist() == list(range(20))


def test_parquet_types(tmp_path):
    table = pd.DataFrame(
        {
            "whole": pd.array([1, None] * 10, dtype="Int64"),
            "truth": pd.array([True, None] * 10, dtype="boolean"),
            "kind": pd.Categorical(["a", "b"] * 10),
            "y": pd.array([0, 1] * 10, dtype="Int64"),
        },
        index=range(100, 120),
    )
    task = tasks.from_table(write(table, tmp_path / "t.parquet"), target="y")
    assert task.categorical == (1, 2)
    assert task.kind == "classification"
    assert np.isfinite(task.search_problem().model.X).all()


def test_kind_name_and_hidden_may_be_given(tmp_path):
    path = csv(tmp_path, numbers("a,b", "{i},{i}"))
    task = tasks.from_table(path, target="b", kind="regression", name="mine", hidden=(4,))
    assert (task.kind, task.name, task.hidden) == ("regression", "mine", (4,))


def test_a_table_survives_a_pickle_and_a_changed_cell_shows(tmp_path):
    table = mixed()
    task = tasks.from_table(write(table, tmp_path / "t.csv"), target="bought")
    back = cloudpickle.loads(cloudpickle.dumps(task))
    assert back.fingerprint() == task.fingerprint()
    np.testing.assert_array_equal(back.evaluation_problem().model.X, task.evaluation_problem().model.X)
    table.loc[5, "color"] = {"red": "green"}.get(table.loc[5, "color"], "red")
    changed = tasks.from_table(write(table, tmp_path / "t.csv"), target="bought")
    assert changed.fingerprint() != task.fingerprint()


def test_resolve_reads_a_path(tmp_path):
    path = csv(tmp_path, numbers())
    assert tasks.resolve(str(path), target="b", hidden=()).hidden == ()
    with pytest.raises(
        InputError, match=r"needs the column to predict as target, .* --target COLUMN \(choose from: a, b\)"
    ):
        tasks.resolve(str(path))


@pytest.mark.parametrize("text", ["houses.csv", "data/houses.tsv", "houses.xlsx", "./digits", "x" * 5000 + ".csv"])
def test_what_looks_like_a_path_is_one(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        InputError,
        match=r"from_table\('.*'\): (there is no such file|cannot be read|the file name of a table must end in)",
    ):
        tasks.resolve(text, target="a")


# --- what is refused


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (numbers(), {}, "needs the column to predict as target"),
        (numbers("price,area"), {"target": "prise"}, "unknown column 'prise'; did you mean 'price'"),
        (numbers("a, b ", "{i}, 7"), {"target": "b"}, "target 'b': is only one class, 7"),
        ("", {"target": "b"}, "is empty"),
        (" \n\n", {"target": "b"}, "is empty"),
        ("a,b\n", {"target": "b"}, "a header but no rows"),
        (b"\x89PNG\r\n\x1a\n\x00", {"target": "b"}, "is not text in UTF-8: byte 0 is 0x89"),
        (b"a,b\n1,\x00\n", {"target": "b"}, "is not text: character 6 is NUL"),
        (numbers(r4="1,2,3"), {"target": "b"}, "is not a CSV file: .*line 6"),
        (numbers(cells="{i},{i},{i}"), {"target": "b"}, "is not a CSV file: .*loss of data"),
        (numbers("a,a", "{i},{i}"), {"target": "a"}, "column 'a' is 2 times in the header"),
        (numbers(",b"), {"target": "b"}, "column 1 has no name"),
        (numbers("b", "{i}.5"), {"target": "b"}, "has no informative column to predict 'b' from"),
        (numbers(cells="id{i},{i}.5"), {"target": "b"}, "predict 'b' from: all strings in 'a' are different"),
        (numbers(cells="{i},7.5"), {"target": "b"}, "target 'b': is constant, 7.5, in all 20 rows"),
        (numbers(cells="{i},yes"), {"target": "b"}, "target 'b': is only one class, 'yes'"),
        (numbers(r3="1,", r7="1,"), {"target": "b"}, r"target 'b': 2 missing \(NaN\), the first in row 4"),
        (numbers(cells="{i},"), {"target": "b"}, "target 'b': is empty in all 20 rows"),
        (numbers(r3="1,-inf"), {"target": "b"}, "target 'b': must be finite .*got -inf in row 4"),
        (numbers(r3="inf,1"), {"target": "b"}, "column 'a': must be finite .*got inf in row 4 .*1 such"),
        (numbers(r3="1e300,1"), {"target": "b"}, r"column 'a': must be finite .*got 1e\+300 in row 4"),
        (numbers(cells=",{i}.5"), {"target": "b"}, "column 'a': is empty in all 20 rows"),
        (numbers(n=9), {"target": "b"}, "at least 10 rows are needed to split them, got 9"),
        (numbers("a,b", "{i},no", r1="1,yes"), {"target": "b"}, "class 'yes' has too few rows, 1"),
        (numbers(cells="2020-01-{i},{i}.5"), {"target": "b"}, "column 'a': holds dates such as '2020-01-0'"),
        (numbers(cells="{i}.5,2020-01-{i}"), {"target": "b"}, "target 'b': holds dates"),
        (numbers(n=90, r4="x,1", r9="y,1"), {"target": "b"}, "'a': 'x' in row 5 .* is not a number, as 88 of 90 cells"),
        (numbers(n=90, r4="1,?"), {"target": "b"}, r"'b': 1 missing \(NaN\), the first in row 5 .*: '\?' marks"),
        (numbers(), {"target": "b", "kind": "regresion"}, "did you mean 'regression'"),
        (numbers(), {"target": "b", "name": ""}, "name must be a non-empty string"),
        (numbers(), {"target": "b", "hidden": (0,)}, "widths"),
    ],
)  # fmt: skip
def test_an_unusable_csv_is_refused(tmp_path, text, options, message):
    with pytest.raises(InputError, match=message) as raised:
        tasks.from_table(csv(tmp_path, text), **options)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pd.date_range("2020-01-01", periods=20), "column 'a': holds (dates|times)"),
        (pd.timedelta_range("1h", periods=20), "column 'a': holds (dates|times)"),
        ([[1, 2]] * 20, "column 'a': must hold numbers, strings or booleans, got mixed values"),
        ([b"x"] * 20, "column 'a': must hold numbers, strings or booleans, got bytes values"),
    ],
)
def test_an_unusable_parquet_column_is_refused(tmp_path, column, message):
    table = pd.DataFrame({"a": column, "x": np.arange(20), "b": [0, 1] * 10})
    with pytest.raises(InputError, match=message):
        tasks.from_table(write(table, tmp_path / "t.parquet"), target="b")


def test_files_that_are_no_tables(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    for path, message in (
        (tmp_path / "none.csv", "there is no such file"),
        (tmp_path / "folder.csv", "cannot be read: Is a directory"),
        (csv(tmp_path, "x", "table.ods"), r"must end in \.csv, \.tsv, \.txt, \.parquet, .*, got '\.ods'"),
        (csv(tmp_path, "no parquet", "t.parquet"), "is not a Parquet file"),
        (csv(tmp_path, b"PAR1" + b"\0" * 20 + b"PAR1", "u.parquet"), "is not a Parquet file"),
    ):
        with pytest.raises(InputError, match=message) as raised:
            tasks.from_table(path, target="a")
        assert path.name in str(raised.value)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = csv(tmp_path, numbers())

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "read_bytes", refuse)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        tasks.from_table(path, target="b")
