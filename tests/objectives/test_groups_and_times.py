"""Splits that keep groups together, or go by time: over random tables, no group is in two parts and no future is
trained on.
"""

import datetime as dt
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cooldown.objectives import tasks
from cooldown.objectives.data.splits import Apart, split
from cooldown.objectives.errors import InputError

SEEDS = [11, 12, 13]


def numbered(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows whose one feature is their number, and a target."""
    return np.arange(float(n))[:, None], np.random.default_rng(seed).normal(size=n)


def rows_of(problem, part):
    """The original numbers of a problem's rows; the task must not standardize them."""
    return problem.model.X[getattr(problem, part), 0].astype(int)


def raw(task):
    object.__setattr__(task, "standardize", False)
    return task


# --- groups

GROUPS = st.lists(st.integers(0, 12), min_size=10, max_size=90).filter(lambda groups: len(set(groups)) >= 3)


@settings(max_examples=150)
@given(GROUPS, st.integers(0, 2**31), st.integers(0, 30), st.integers(0, 2**31), st.data())
def test_no_group_is_in_two_parts(groups, seed, repeat, replicate, data):
    groups = np.array(groups)
    labels = data.draw(st.none() | st.just(np.random.default_rng(seed).integers(0, 3, len(groups))))
    own = data.draw(st.booleans())
    # Test rows of the user's own have groups of their own.
    test = np.flatnonzero(groups == groups[0]) if own else None
    rows = split(len(groups), labels, seed, repeat, replicate, test, Apart(groups=groups))
    parts = [set(groups[part]) for part in rows]
    assert sum(map(len, parts)) == len(set().union(*parts))
    assert sorted(np.concatenate(rows)) == list(range(len(groups)))
    assert all(len(part) for part in rows)
    assert all((np.diff(part) > 0).all() for part in rows)


def test_whole_groups_are_as_many_rows_and_as_many_of_each_class_as_can_be():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 120, 2000)
    labels = (rng.random(2000) < 0.15).astype(int)
    for repeat in range(5):
        rows = split(2000, labels, 1, repeat, 7, apart=Apart(groups=groups))
        assert [len(part) for part in rows] == pytest.approx([1200, 400, 400], abs=60)
        assert [labels[part].mean() for part in rows] == pytest.approx([labels.mean()] * 3, abs=0.04)


def test_a_huge_group_is_trained_on():
    groups = np.repeat([0, 1, 2, 3, 4, 5], [80, 4, 4, 4, 4, 4])
    for repeat in range(9):
        rows = split(100, None, 0, repeat, 3, apart=Apart(groups=groups))
        assert set(groups[rows.train]) >= {0}


def test_groups_are_drawn_for_each_repeat_and_each_seed():
    groups = np.repeat(np.arange(20), 5)
    X, y = numbered(100)
    task = tasks.from_arrays(X, y, groups=groups)
    rows = {(repeat, seed): task.split(3, repeat, seed) for repeat in range(4) for seed in SEEDS}
    for repeat in range(4):
        assert len({tuple(rows[repeat, seed].test) for seed in SEEDS}) == 1, "one test set for all seeds of a repeat"
        assert len({tuple(rows[repeat, seed].validation) for seed in SEEDS}) > 1
    assert len({tuple(rows[repeat, 11].test) for repeat in range(4)}) == 4


@pytest.mark.parametrize("watching", [False, True])
def test_problems_have_the_groups_of_their_split(watching):
    groups = np.array(["ann", "bob", "cid", "dan", "eve"])[np.random.default_rng(0).integers(0, 5, 60)]
    X, y = numbered(60)
    task = raw(tasks.from_arrays(X, y, groups=groups))
    for repeat in range(3):
        for problem in task.search_problems(5, repeat, SEEDS):
            assert not set(groups[rows_of(problem, "train")]) & set(groups[rows_of(problem, "held_out")])
        for problem in task.evaluation_problems(5, repeat, SEEDS, watching=watching):
            assert not set(groups[rows_of(problem, "train")]) & set(groups[rows_of(problem, "held_out")])
            if watching:
                assert not set(groups[rows_of(problem, "train")]) & set(groups[rows_of(problem, "watched")])


# --- times


@settings(max_examples=150)
@given(st.lists(st.integers(0, 25), min_size=6, max_size=90), st.integers(0, 2**31), st.booleans())
def test_no_future_is_trained_on_and_one_time_is_in_one_part(times, seed, own):
    times = np.array(times)
    assume(len(set(times)) >= 3)
    test = np.flatnonzero(times == times.max()) if own else None
    rows = split(len(times), None, seed, 0, 4, test, Apart(times=times))
    assert times[rows.train].max() < times[rows.validation].min()
    assert times[rows.validation].max() < times[rows.test].min()
    assert sorted(np.concatenate(rows)) == list(range(len(times)))
    again = split(len(times), None, seed + 1, 9, 5, test, Apart(times=times))
    assert all(np.array_equal(*parts) for parts in zip(rows, again, strict=True)), "nothing is drawn"


def test_the_latest_fifth_is_tested_on_and_the_latest_quarter_of_the_others_validates():
    order = np.random.default_rng(0).permutation(100)
    X, y = numbered(100)
    task = tasks.from_arrays(X, y, time=order)
    rows = task.split(0, 2, 11)
    assert sorted(order[rows.test]) == list(range(80, 100))
    assert sorted(order[rows.validation]) == list(range(60, 80))


@pytest.mark.parametrize("watching", [False, True])
def test_problems_train_on_the_past_of_what_they_measure_and_watch(watching):
    times = np.random.default_rng(0).integers(0, 30, 90)
    X, y = numbered(90)
    task = raw(tasks.from_arrays(X, y, time=times))
    for repeat in range(2):
        problems = task.search_problems(5, repeat, SEEDS)
        problems += task.evaluation_problems(5, repeat, SEEDS, watching=watching)
        for problem in problems:
            past = times[rows_of(problem.reacting, "train")].max()
            assert past < times[rows_of(problem, "held_out")].min()
            assert past < times[rows_of(problem, "watched")].min()
    assert len({tuple(rows_of(problem, "held_out")) for problem in task.search_problems(5, 0, SEEDS)}) == 1


NOW = dt.datetime(2024, 5, 31, 18, 30)


@pytest.mark.parametrize(
    "clock",
    [
        lambda i: i,
        lambda i: -1.5 + i / 3,
        lambda i: str(1000 + i),
        lambda i: NOW + dt.timedelta(hours=7 * i),
        lambda i: (NOW + dt.timedelta(days=40 * i)).date(),
        lambda i: (NOW + dt.timedelta(days=40 * i)).date().isoformat(),
        lambda i: (NOW + dt.timedelta(hours=7 * i)).isoformat(sep=" "),
        lambda i: (NOW + dt.timedelta(hours=7 * i)).replace(tzinfo=dt.timezone(dt.timedelta(hours=i % 5))).isoformat(),
        lambda i: pd.Period("2024-01", "M") + i,
        lambda i: pd.Timedelta(minutes=i),
    ],
    ids=["int", "float", "digits", "datetime", "date", "day", "second", "zones", "period", "delta"],
)
def test_times_are_numbers_or_dates(clock):
    X, y = numbered(40)
    order = np.random.default_rng(0).permutation(40)
    times = pd.Series([clock(int(i)) for i in order])
    frame = pd.DataFrame({"x": X[:, 0], "when": times, "y": y})
    task = tasks.from_frame(frame, target="y", time="when")
    assert task.data[0].shape == (40, 1), "the time is no feature"
    instants = pd.to_datetime(times, utc=True) if isinstance(times[0], str) and "T" in times[0] else pd.Series(order)
    rows = task.split(0, 0, 1)
    assert instants[rows.train].max() < instants[rows.validation].min()
    assert instants[rows.validation].max() < instants[rows.test].min()
    assert len(rows.test) == 8


# --- what is refused

X, Y = numbered(20)
X_40, Y_40 = numbered(40)
TWO = np.repeat(["a", "b"], 10)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"groups": np.repeat([1, 2], 10)},
            "groups=...): at least 3 groups are needed, one for each part of a split, got 2",
        ),
        ({"groups": np.arange(19)}, "groups=...): must have shape (20,), one value for each row, got (19,)"),
        ({"groups": [None, *range(19)]}, "groups=...): 1 missing, the first in row 1"),
        (
            {"y": TWO, "groups": [*"rrrrrrrrrr", *"stustustus"]},
            "all rows of class 'a' are of group 'r': it needs another",
        ),
        ({"time": np.repeat([1, 2], 10)}, "time=...): at least 3 different times are needed, one for each part, got 2"),
        ({"time": [*range(19), np.nan]}, "time=...): 1 missing, the first in row 20"),
        ({"time": [*map(str, range(19)), "soon"]}, "must hold numbers, or dates such as 2024-05-31"),
        ({"time": [True, False] * 10}, "must hold numbers, or dates such as 2024-05-31 or 2024-05-31 18:30, got True"),
        (
            {"time": [*range(19), 19], "groups": range(20)},
            "groups and time are both given; rows are split by one of them",
        ),
        (
            {"y": np.repeat(["a", "b"], [12, 8]), "time": np.arange(20)},
            "the latest rows, which are the validation rows, have class 'b', which no",
        ),
        (
            {"y": [*range(16), 0.5, 0.5, 0.5, 0.5], "kind": "regression", "time": range(20)},
            "all have the target 0.5, so R²",
        ),
        ({"time": [*range(19), 18.5], "test": ([[1.0], [2.0]], [0.5, 0.7])}, None),
    ],
    ids=lambda value: str(value)[:60],
)
def test_groups_and_times_on_which_nothing_can_be_learned_are_refused(options, said):
    y = options.pop("y", Y)
    if said is None:
        assert tasks.from_arrays(X, y, **options).split(0, 0, 1).test.tolist() == [20, 21]
        return
    with pytest.raises(InputError, match=re.escape(said)):
        tasks.from_arrays(X, y, **options)


def shop(n: int, first: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(first)
    return pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "shop": [f"s{first + i % 6}" for i in range(n)],
            "day": first + np.arange(n),
            "y": rng.normal(size=n),
        }
    )


def test_own_test_rows_are_of_other_groups_and_later(tmp_path):
    shop(30).to_csv(tmp_path / "train.csv", index=False)
    shop(12, 30).to_csv(tmp_path / "test.csv", index=False)
    options = {"target": "y", "test": tmp_path / "test.csv"}
    for setting in ({"groups": "shop"}, {"time": "day"}):
        task = tasks.from_table(tmp_path / "train.csv", **options, **setting)
        assert task.test_rows.tolist() == list(range(30, 42))
        assert len(task.split(0, 0, 1).validation) in range(5, 11)
    shop(12, 3).to_csv(tmp_path / "test.csv", index=False)
    with pytest.raises(InputError, match=r"groups 'shop': group 's3' in row 1 .* has training rows too"):
        tasks.from_table(tmp_path / "train.csv", groups="shop", **options)
    with pytest.raises(InputError, match=r"time 'day': 3.* in row 1 .* is not after all training rows, the last .* 29"):
        tasks.from_table(tmp_path / "train.csv", time="day", **options)


# --- tables in memory


def test_a_column_of_groups_is_no_feature_and_an_array_leaves_all_columns():
    table = shop(30)
    named = tasks.from_frame(table, target="y", groups="shop")
    assert named.data[0].shape == (30, 2)
    beside = tasks.from_frame(table, target="y", groups=table["shop"])
    assert beside.data[0].shape == (30, 3)
    for setting in ("groups", "time"):
        with pytest.raises(InputError, match=f"{setting}: unknown column 'shpo'; did you mean 'shop'"):
            tasks.from_frame(table, target="y", **{setting: "shpo"})
        with pytest.raises(InputError, match=f"column 'y' is in both target and {setting}"):
            tasks.from_frame(table, target="y", **{setting: "y"})


def test_fingerprints_tell_groups_and_times_and_stay_without():
    table = shop(30)
    kinds = [tasks.from_frame(table.drop(columns="shop"), target="y")]
    kinds += [tasks.from_frame(table, target="y", **{setting: "shop"}) for setting in ("groups",)]
    numbers = table.drop(columns="shop").assign(same=table["day"])
    kinds.append(tasks.from_frame(numbers, target="y", time="same"))
    kinds.append(tasks.from_frame(numbers, target="y", groups="same"))
    assert len({task.fingerprint() for task in kinds}) == 4


def test_frames_of_other_libraries_are_read_too():
    import pyarrow as pa

    table = shop(30)
    ours, theirs = (tasks.from_frame(frame, target="y", time="day") for frame in (table, pa.Table.from_pandas(table)))
    assert theirs.fingerprint() == ours.fingerprint()
    assert (
        tasks.from_frame(table.set_index("day", drop=False), target="y", time="day").fingerprint() == ours.fingerprint()
    )


@pytest.mark.parametrize(
    ("frame", "options", "said"),
    [
        ([[1, 2]], {}, "from_frame(frame=...): must be a DataFrame, as of pandas or Polars, got list"),
        (np.zeros((3, 3)), {}, "from_frame(frame=...): must be a DataFrame, as of pandas or Polars, got ndarray"),
        (shop(20), {}, "frame: needs the column to predict as target (choose from: x, shop, day, y)"),
        (shop(20), {"target": "z"}, "frame: unknown column 'z'"),
        (shop(20), {"target": "y", "test": "a.csv"}, "from_frame(test=...): must be a DataFrame"),
        (shop(0), {"target": "y"}, "from_frame(frame=...): has no rows or no columns"),
        (
            pd.DataFrame(np.eye(9), columns=[*"abcdefgh", "a"]),
            {"target": "b"},
            "column 'a' is there 2 times: rename one",
        ),
        (
            shop(20).groupby("shop").agg({"x": ["min", "max"]}),
            {"target": "x"},
            "one name per column, got 2 levels of names",
        ),
        (shop(20), {"target": "y", "name": ""}, "from_frame(name=''): a name must be a non-empty string"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else "",
)
def test_what_is_no_table_is_refused(frame, options, said):
    with pytest.raises(InputError, match=re.escape(said)):
        tasks.from_frame(frame, **options)


def test_a_task_may_be_given_in_any_way(tmp_path):
    from cooldown.objectives import TrainConfig, train

    table = shop(30)
    table.to_csv(tmp_path / "shop.csv", index=False)
    config, columns = TrainConfig(epochs=1), {"target": "y", "groups": "shop"}
    (expected,) = train(tasks.from_frame(table, **columns), [config], [0])[0]
    for given_ in (table, tmp_path / "shop.csv", str(tmp_path / "shop.csv")):
        (curve,) = train(given_, [config], [0], **columns)[0]
        assert curve.final_loss == expected.final_loss
    with pytest.raises(InputError, match="target: is for a table; 'iris' is a Task object"):
        train(tasks.get("iris"), [config], [0], target="y")
    problem = tasks.get("iris").search_problem()
    with pytest.raises(InputError, match=r"train\(groups=...\): is for a table, got Problem"):
        train(problem, [config], [0], groups="shop")
    for other in (3, "iris"):
        with pytest.raises(InputError, match=r"train\(task=...\): must be a Task, like tasks.get\('digits'\)"):
            train(other, [config], [0])


def test_times_are_read_as_dates_of_a_table_are_and_a_column_may_be_a_feature_too(tmp_path):
    days = pd.date_range("2023-11-20", periods=40)[np.random.default_rng(0).permutation(40)]
    table = pd.DataFrame({"x": X_40[:, 0], "day": days.strftime("%d.%m.%Y"), "shop": [*"abcdefgh"] * 5, "y": Y_40})
    table.to_csv(tmp_path / "sales.csv", index=False)
    options = {"target": "y", "drop": ["shop"]}
    task = tasks.from_table(tmp_path / "sales.csv", time="day", **options)
    train, validation, test = (days[rows] for rows in task.split(0, 0, 1))
    assert train.max() < validation.min()
    assert validation.max() < test.min()
    assert task.data[0].shape == (40, 1)
    asked = tasks.from_table(tmp_path / "sales.csv", time="day", dates=["day"], **options)
    assert asked.data[0].shape == (40, 5), "year, month, day of week and elapsed days"
    named = tasks.from_table(tmp_path / "sales.csv", target="y", groups="shop", categories=["shop"], drop=["day"])
    assert named.data[0].shape == (40, 2)
    assert tasks.from_frame(table, target="y", groups="shop", drop=["day"]).data[0].shape == (40, 1)
