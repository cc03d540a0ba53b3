"""A test set of the user's own: its rows are the test rows of every repeat, and what is refused of it."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training_runs import same

from cooldown.objectives import TrainConfig, tasks, train
from cooldown.objectives.conformance import task_checks
from cooldown.objectives.data.checks import ROWS_OF_A_CLASS_TO_TRAIN, ROWS_TO_TRAIN
from cooldown.objectives.data.splits import split
from cooldown.objectives.errors import InputError

SEEDS = [11, 12, 13]
N, M = 60, 20


def shop(n: int, seed: int) -> pd.DataFrame:
    """Numbers, strings and truth values with missing cells, and a target of two classes."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "age": rng.integers(20, 60, n).astype(float),
            "color": rng.choice(["red", "green", "blue"], n),
            "member": rng.choice([True, False], n).astype(object),
            "bought": np.tile(["no", "yes"], n // 2),
        }
    )
    table.loc[::7, "age"] = np.nan
    table.loc[::5, "color"] = None
    return table


def write(table, path):
    (table.to_parquet if path.suffix == ".parquet" else table.to_csv)(path, index=False)
    return path


def from_files(tmp_path, training, test, **options):
    """The task of two tables, or of two texts, by way of files."""
    paths = []
    for name, content in (("train.csv", training), ("test.csv", test)):
        paths.append(tmp_path / name)
        if isinstance(content, pd.DataFrame):
            write(content, paths[-1])
        else:
            paths[-1].write_text(content)
    return tasks.from_table(paths[0], test=paths[1], **options)


# --- which rows


@pytest.mark.parametrize("watching", [False, True])
def test_the_test_rows_are_the_same_in_every_repeat_and_all_others_are_trained_on_or_validate(watching):
    rng = np.random.default_rng(0)
    X = np.arange(80.0)[:, None]
    y = rng.integers(0, 2, 80)
    task = tasks.from_arrays(X[:N], y[:N], test=(X[N:], y[N:]))
    object.__setattr__(task, "standardize", False)
    for repeat in range(3):
        validation = set()
        for problem in task.search_problems(5, repeat, SEEDS):
            train_rows, held_out = (problem.model.X[rows, 0].tolist() for rows in (problem.train, problem.held_out))
            assert sorted(train_rows + held_out) == list(range(N)), "and no test row"
            assert len(held_out) == 15
            validation.add(tuple(held_out))
        assert len(validation) == 3, "drawn for each seed"
        for problem in task.evaluation_problems(5, repeat, SEEDS, watching=watching):
            assert problem.model.X[problem.held_out, 0].tolist() == list(range(N, 80))
            assert problem.model.y[problem.held_out].tolist() == y[N:].tolist()
            assert len(problem.train) == (45 if watching else N)
    # Protocol 1 too.
    assert task.evaluation_problem(5).model.X[task.evaluation_problem(5).held_out, 0].tolist() == list(range(N, 80))


def test_a_search_does_not_depend_on_the_test_rows_in_any_bit(tmp_path):
    training, config = shop(N, 0), TrainConfig(epochs=2)
    ours = shop(M, 1)
    others = ours.assign(age=1e6, color="a color that sorts first", member=None)
    curves = []
    for number, test in enumerate((ours, others)):
        (folder := tmp_path / str(number)).mkdir()
        task = from_files(folder, training, test, target="bought")
        curves.append(train(task.search_problems(0, 1, SEEDS), [config], SEEDS)[0])
    assert all(same(one, other) for one, other in zip(*curves, strict=True))


@settings(max_examples=60)
@given(st.lists(st.integers(ROWS_OF_A_CLASS_TO_TRAIN, 30), min_size=2, max_size=8), st.integers(0, 2**31))
def test_every_class_of_the_fewest_rows_is_trained_on_and_validates(counts, seed):
    labels = np.repeat(range(len(counts)), counts)
    rows = split(len(labels) + 2, np.append(labels, [0, 1]), 0, 0, seed, np.arange(len(labels), len(labels) + 2))
    assert set(labels[rows.train]) == set(labels[rows.validation]) == set(labels)


def test_fewer_training_rows_are_enough_than_where_test_rows_are_drawn():
    X, y = np.arange(float(ROWS_TO_TRAIN))[:, None], np.arange(ROWS_TO_TRAIN) / 3
    task = tasks.from_arrays(X, y, test=([[1.0], [2.0]], [0.5, 0.7]))
    assert [len(rows) for rows in task.split(0, 0, 1)] == [6, 2, 2]
    labels = np.repeat(["a", "b"], 4)
    assert tasks.from_arrays(X, labels, test=([[1.0], [2.0]], ["a", "a"])).data[1].tolist() == [0] * 4 + [1] * 4 + [
        0,
        0,
    ]
    for target in (y, labels):
        with pytest.raises(InputError, match="are needed to split them"):
            tasks.from_arrays(X, target)


def test_a_score_is_that_of_the_test_rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    task = tasks.from_arrays(X[:120], X[:120, 0] > 0, test=(X[120:], X[120:, 0] > 0))
    [[curve]] = train(task.evaluation_problems(0, 0, [1]), [TrainConfig(epochs=20)], [1])
    assert curve.final_score > 0.9
    wrong = tasks.from_arrays(X[:120], X[:120, 0] > 0, test=(X[120:], X[120:, 0] < 0))
    [[curve]] = train(wrong.evaluation_problems(0, 0, [1]), [TrainConfig(epochs=20)], [1])
    assert curve.final_score < 0.1


# --- the task


def test_only_a_test_set_changes_a_fingerprint():
    X, y = np.arange(40.0)[:, None], np.tile([0, 1], 20)
    drawn, own = tasks.from_arrays(X, y), tasks.from_arrays(X[:30], y[:30], test=(X[30:], y[30:]))
    # As it was before a task could have test rows of its own.
    assert drawn.fingerprint() == "75a73198f08b2825f17a0cfd1262daffbafeb15b100675113b1dcd513bf3bb0f"
    assert [each.tobytes() for each in drawn.data] == [each.tobytes() for each in own.data]
    assert drawn.fingerprint() != own.fingerprint()
    assert own.fingerprint() != tasks.from_arrays(X[:20], y[:20], test=(X[20:], y[20:])).fingerprint()
    assert own.with_hidden((3,)).test_rows.tolist() == list(range(30, 40))


def test_columns_stand_in_any_order_and_files_may_be_of_two_formats(tmp_path):
    training, test = shop(N, 0), shop(M, 1)
    one = from_files(tmp_path, training, test, target="bought")
    turned = write(test[list(test.columns[::-1])], tmp_path / "test.parquet")
    other = tasks.from_table(tmp_path / "train.csv", target="bought", test=str(turned))
    assert other.fingerprint() == one.fingerprint()
    assert (one.name, one.n_test, one.n_rows) == ("train", M, N + M)


def test_labels_and_categories_are_coded_together(tmp_path):
    training = "kind,size,label\n" + "b,1,yes\nd,2,no\nd,3,yes\nb,4,no\n" * 3
    test = "label,size,kind\nyes,5,d\nyes,6,c\nyes,,\n"
    task = from_files(tmp_path, training, test, target="label")
    X, y = task.data
    assert X[:2, 0].tolist() == [0, 2]
    assert X[-3:, 0].tolist()[:2] == [2, 1]
    assert np.isnan(X[-1]).all()
    assert y.tolist() == [1, 0, 1, 0] * 3 + [1, 1, 1]
    problem = task.evaluation_problem()
    # A category that only test rows have is one that is not known.
    assert problem.model.X[-2, -2:].tolist() == [0, 0]


def test_an_empty_column_of_the_test_set_is_missing_cells(tmp_path):
    training = shop(N, 0)
    for name in ("age", "color", "member"):
        task = from_files(tmp_path, training, shop(M, 1).assign(**{name: None}), target="bought")
        assert np.isnan(task.data[0][N:, list(training.columns).index(name)]).all()
        assert np.isfinite(task.evaluation_problem().model.X).all()


def test_whole_numbers_may_be_written_as_decimals(tmp_path):
    task = from_files(tmp_path, "a,b\n" + "1,0\n2,1\n" * 5, "a,b\n1.0,1.0\n2.5,0.0\n", target="b")
    assert task.data[1][-2:].tolist() == [1, 0]


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_such_a_task_keeps_all_the_laws_of_tasks(kind):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 3))
    y = X[:, 0] > 0 if kind == "classification" else X[:, 0] + 0.1 * X[:, 1]
    for check in task_checks(tasks.from_arrays(X[:70], y[:70], test=(X[70:], y[70:]))):
        assert check.reason() is None, check.name


@pytest.mark.parametrize(
    ("y", "n_test", "message"),
    [
        ([0, 1] * 10 + [2, 2], 2, "2 in row 1 .* is a class that no training row has"),
        ([0, 1] * 3 + [0, 1] * 10, 20, "class 0 has too few rows, 3"),
        ([0.5, 1.5] * 10 + [7.5] * 3, 3, "is constant, 7.5, in all 3 rows, so R² is not defined"),
    ],
)
def test_what_a_module_loads_is_checked_like_it(y, n_test, message):
    kind = "regression" if isinstance(y[0], float) else "classification"
    task = tasks.ArrayTask("own", kind, lambda: (np.arange(float(len(y)))[:, None], np.array(y)), n_test=n_test)
    loaded = next(check for check in task_checks(task) if check.name == "its data can be used")
    assert re.search(message, loaded.reason())


def test_a_number_of_test_rows_that_leaves_no_others():
    for wrong in (-1, 2.0, True, "3"):
        with pytest.raises(InputError, match=r"n_test=.*whole number of at least 0"):
            tasks.ArrayTask("own", "classification", lambda: None, n_test=wrong)
    task = tasks.ArrayTask("own", "regression", lambda: (np.zeros((5, 1)), np.arange(5.0)), n_test=5)
    with pytest.raises(InputError, match="'own': n_test=5 of its 5 rows are test rows"):
        task.split(0, 0, 1)


# --- what is refused of files

S = "size,town,price\n"
TRAINING = S + "".join(f"{i},{'ab'[i % 2]},{i}.5\n" for i in range(20))
LABELLED = "size,label\n" + "".join(f"{i},{'xy'[i % 2]}\n" for i in range(20))
COUNTED = "size,label\n" + "".join(f"{i},{i % 2}\n" for i in range(20))


@pytest.mark.parametrize(
    ("training", "test", "message"),
    [
        (TRAINING, "", r"test\.csv'\): is empty"),
        (TRAINING, S, r"test\.csv'\): has a header but no rows"),
        (TRAINING, S + "1,a,2.5\n", r"test\.csv'\): target 'price': at least 2 rows are needed"),
        (TRAINING, "size,town\n1,a\n2,b\n", r"test\.csv'\): must have the columns .* but has no target column 'price'"),
        (TRAINING, "size,price\n1,1.5\n2,2\n", "but has no column 'town'$"),
        (TRAINING, "Size,town,price,when\n1,a,1\n2,b,2\n", "no column 'size', column 'Size', which they have not, "),
        (TRAINING, "a,b,c,d,e,f\n1,2,3,4,5,6\n", r"no target column 'price', .*\(4 more\)$"),
        (TRAINING, "size,town,price,price\n1,a,1,1\n2,b,2,2\n", r"test\.csv'\): column 'price' is 2 times"),
        (TRAINING, S + "1,a,2.5\nbig,a,3\n", r"test\.csv.*column 'size': must hold numbers .*'big' in row 2"),
        (TRAINING, S + "True,a,2\nFalse,a,3\n", "column 'size': must hold numbers .*got 'True' in row 1"),
        (TRAINING, S + "1,7,2.5\n2,8,3.5\n", "column 'town': must hold strings or booleans .*got '7' in row 1"),
        (TRAINING, S + "1e40,a,2.5\n2,b,3.5\n", r"test\.csv.*column 'size': must be finite .*got 1e\+40 in row 1"),
        (TRAINING, S + "1,a,\n2,b,3.5\n", r"test\.csv.*target 'price': 1 missing \(NaN\), the first in row 1"),
        (TRAINING, S + "1,a,\n2,b,\n", r"test\.csv.*target 'price': is empty in all 2 rows"),
        (TRAINING, S + "1,a,cheap\n2,b,3\n", "target 'price': must hold numbers .*'cheap' in row 1"),
        (TRAINING, S + "1,a,-inf\n2,b,3.5\n", r"test\.csv.*target 'price': must be finite .*-inf in row 1"),
        (TRAINING, S + "1,a,3\n2,b,3\n", "target 'price': is constant, 3, in all 2 rows, so R² is not"),
        (LABELLED, "size,label\n1,x\n2,z\n", "target 'label': 'z' in row 2 .* is a class that no training row has$"),
        (LABELLED, "size,label\n1,1\n2,0\n", "target 'label': must hold strings or booleans .*got '1' in row 1"),
        (LABELLED, "size,label\n1,x\n2,\n", r"test\.csv.*target 'label': 1 missing \(NaN\), the first in row 2"),
        (COUNTED, "size,label\n1,1\n2,5\n", "5 in row 2 .*; if the numbers are not classes, use kind="),
        (LABELLED[:LABELLED.index("7,y")], LABELLED, "train.*class 'y' has too few rows, 3: at least 4"),
        (TRAINING[:TRAINING.index("7,b")], TRAINING, "train.*at least 8 rows are needed to split them, got 7"),
        ("a,b\n" + ",1\n,2\n" * 10, "a,b\n1,1\n2,2\n", "train.*column 'a': is empty in all 20 rows"),
        ("a,b\n" + "".join(f"i{i},{i % 2}\n" for i in range(20)), "a,b\ni1,0\ni1,1\n", "strings in 'a' are different"),
    ],
)  # fmt: skip
def test_a_test_file_that_does_not_fit_is_refused_in_one_line(tmp_path, training, test, message):
    target = next(name for name in ("price", "label", "b") if name in training.partition("\n")[0])
    with pytest.raises(InputError, match=message) as raised:
        from_files(tmp_path, training, test, target=target)
    assert "\n" not in str(raised.value)


def test_what_is_no_other_file_is_refused(tmp_path):
    (path := tmp_path / "train.csv").write_text(TRAINING)
    (tmp_path / "link.csv").symlink_to(path)
    for test, message in (
        (path, "is the file of the training rows"),
        (tmp_path / "link.csv", r"link\.csv'\): is the file of the training rows"),
        (tmp_path / "none.csv", r"none\.csv'\): there is no such file"),
        ("", "must end in"),
        ("test.ods", r"from_table\(test='test\.ods'\): .*must end in"),
        ((1, 2), "must be the path of a CSV or Parquet file, got tuple"),
    ):
        with pytest.raises(InputError, match=message):
            tasks.from_table(path, target="price", test=test)


# --- what is refused of arrays

X, Y = np.arange(40.0).reshape(20, 2), np.tile([0, 1], 10)


@pytest.mark.parametrize(
    ("y", "test", "message"),
    [
        (Y, (X[:3, :1], Y[:3]), "X must have the 2 columns of the training rows, got 1"),
        (Y, X, "must be two arrays, got ndarray"),
        (Y, (X,), "must be two arrays"),
        (Y, (X[:3], Y[:2]), r"test=\(X, y\)\): y: must have shape \(3,\)"),
        (Y, (X[:1], Y[:1]), "at least 2 rows are needed to test on, got 1"),
        (Y, (X[:0], Y[:0]), "at least 2 rows are needed to test on, got 0"),
        (Y, (X[:2] * np.nan, Y[:2]), r"test=\(X, y\)\): X: must be finite.*got nan at X\[0, 0\]"),
        (Y, (X[:2], [0, 2]), "y: 2 in row 2 .* is a class that no training row has"),
        (Y, (X[:2], [0, np.nan]), "1 missing"),
        (Y, (X[:2], ["0", "1"]), "must hold numbers as the training rows do, got strings: '0' in row 1"),
        (Y, (X[:2], [True, False]), "must hold numbers as the training rows do, got booleans: True in row 1"),
        (Y * 0.5 + X[:, 0], (X[:2], [1.0, 1.0]), "is constant, 1.0, in all 2 rows, so R² is not defined"),
        (Y * 0.5 + X[:, 0], (X[:2], [1.0, np.inf]), "must be finite numbers up to 1e.30, got inf in row 2"),
    ],
)
def test_test_arrays_that_do_not_fit_are_refused(y, test, message):
    with pytest.raises(InputError, match=message):
        tasks.from_arrays(X, y, test=test)


def test_frames_given_as_arrays_must_have_their_columns_in_one_order():
    frame = pd.DataFrame(X, columns=["a", "b"])
    assert tasks.from_arrays(frame, Y, test=(frame[:4], Y[:4])).n_test == 4
    with pytest.raises(InputError, match="must have the columns a, b in this order, got b, a"):
        tasks.from_arrays(frame, Y, test=(frame[["b", "a"]][:4], Y[:4]))


# --- by a name


def test_resolve_takes_a_test_file_for_a_file_only(tmp_path):
    from_files(tmp_path, TRAINING, TRAINING, target="price")
    task = tasks.resolve(str(tmp_path / "train.csv"), target="price", test=str(tmp_path / "test.csv"), hidden=(4,))
    assert (task.n_test, task.hidden) == (20, (4,))
    with pytest.raises(InputError, match=r"test 'x\.csv' is for a task that is a CSV or Parquet file; 'iris' is none"):
        tasks.resolve("iris", test="x.csv")
