"""Tasks whose data scikit-learn downloads: its own fetchers read small files in the form of its cache, without a
network; and what is said where the data cannot be had.
"""

import email.message
import sys
from dataclasses import replace
from http.client import IncompleteRead
from urllib.error import HTTPError, URLError

import joblib
import numpy as np
import pytest
from downloads import answer, without_network, works

from cooldown.objectives import tasks
from cooldown.objectives.errors import InputError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    return without_network(tmp_path, monkeypatch)


def fresh(name):
    """The built-in task, without what another test has read."""
    return replace(tasks.get(name))


# --- California housing

HOUSES = 20_640


def california_file(home):
    """The cached file of `fetch_california_housing`; the table in it: value, income, age, rooms, …, longitude."""
    table = np.random.default_rng(0).lognormal(5, 0.3, (HOUSES, 9))
    home.mkdir()
    joblib.dump(table, home / "cal_housing_py3.pkz", compress=1)
    return table


def test_california_housing(home):
    value, income, _, rooms, _, population, households, _, longitude = california_file(home).T
    task = fresh("california_housing")
    X, y = task.data
    assert (task.kind, X.shape) == ("regression", (HOUSES, 8))
    np.testing.assert_allclose(y, value / 100_000)
    for column, expected in ((0, income), (2, rooms / households), (5, population / households), (7, longitude)):
        np.testing.assert_allclose(X[:, column], expected)
    document = sys.modules["cooldown.objectives.tasks.california_housing"].__doc__
    assert f"{HOUSES:,} rows, 8 features, a regression" in document
    works(task)


# --- covertype

PATCHES = 21_000
SHARES = np.array([0.36, 0.48, 0.06, 0.01, 0.02, 0.03, 0.04])


def covertype_file(home):
    """The cached files of `fetch_covtype`, with the row's number as its elevation; the class of each row."""
    rng = np.random.default_rng(0)
    cover = rng.choice(np.arange(1, 8), PATCHES, p=SHARES)
    table = np.zeros((PATCHES, 54))
    table[:, 0], table[:, 1] = np.arange(PATCHES), cover + rng.normal(size=PATCHES)
    table[np.arange(PATCHES), 10 + rng.integers(0, 4, PATCHES)] = 1
    table[np.arange(PATCHES), 14 + np.minimum(rng.geometric(0.2, PATCHES), 40) - 1] = 1
    (home / "covertype").mkdir(parents=True)
    joblib.dump(table, home / "covertype" / "samples_py3", compress=1)
    joblib.dump(cover.astype(np.int32), home / "covertype" / "targets_py3", compress=1)
    return table, cover


def test_covertype_is_a_fixed_subset_with_the_classes_shares(home):
    table, cover = covertype_file(home)
    task = fresh("covertype")
    X, y = task.data
    assert (task.kind, X.shape) == ("classification", (20_000, 12))
    rows = X[:, 0].astype(int)
    assert (np.diff(rows) > 0).all()
    assert np.array_equal(y, cover[rows] - 1)
    np.testing.assert_allclose(np.bincount(y), np.bincount(cover)[1:] * 20_000 / PATCHES, atol=1)
    assert np.array_equal(X[:, 10], table[rows, 10:14].argmax(axis=1))
    assert np.array_equal(X[:, 11], table[rows, 14:].argmax(axis=1))
    np.random.seed(1)  # noqa: NPY002 - another state of the global stream changes nothing
    again, _ = fresh("covertype").data
    assert np.array_equal(again, X)
    document = sys.modules["cooldown.objectives.tasks.covertype"].__doc__
    assert "20,000 rows, 12 features, 7 classes" in document
    works(task)


def test_covertypes_areas_and_soils_are_encoded_as_categories(home):
    covertype_file(home)
    problem = fresh("covertype").search_problem()
    codes = problem.model.X[:, 10:]
    assert set(np.unique(codes)) == {0, 1}
    assert (codes[:, :4].sum(axis=1) == 1).all()
    assert (codes[:, 4:].sum(axis=1) == 1).all()
    np.testing.assert_allclose(problem.model.X[problem.train, 1].std(), 1)


# --- what is said where the data cannot be had

ERRORS = [
    (URLError("there is no network"), "<urlopen error there is no network>"),
    (TimeoutError("timed out"), "timed out"),
    (ConnectionResetError(104, "Connection reset by peer"), r"\[Errno 104\] Connection reset by peer"),
    (HTTPError("address", 503, "Service Unavailable", email.message.Message(), None), "HTTP Error 503: Service Unav"),
    (IncompleteRead(b"x", 10), "IncompleteRead: IncompleteRead"),
    (TimeoutError(), "TimeoutError: "),
]


@pytest.mark.parametrize(("error", "message"), ERRORS, ids=[type(error).__name__ for error, _ in ERRORS])
@pytest.mark.parametrize("text", ["california_housing", "covertype", "openml:iris", "openml:iris@1", "openml:61"])
def test_a_failed_download_is_one_clear_line(home, monkeypatch, text, error, message):
    answer(monkeypatch, error)
    with pytest.raises(InputError, match=message) as raised:
        tasks.resolve(text).search_problem()
    begin = f"task {text!r}: scikit-learn downloads the data on first use to {home}; this failed: "
    assert str(raised.value).startswith(begin)
    assert "\n" not in str(raised.value)


def test_a_fingerprint_needs_the_data_too():
    for name in ("california_housing", "covertype"):
        with pytest.raises(InputError, match=f"task '{name}': scikit-learn downloads"):
            fresh(name).fingerprint()


@pytest.mark.parametrize("name", ["california_housing", "covertype"])
@pytest.mark.parametrize("content", [b"", b"no pickle", None])
def test_a_damaged_file_is_named(home, name, content):
    paths = {"california_housing": "cal_housing_py3.pkz", "covertype": "covertype/targets_py3"}
    {"california_housing": california_file, "covertype": covertype_file}[name](home)
    path = home / paths[name]
    path.write_bytes(path.read_bytes()[:1000] if content is None else content)
    with pytest.raises(InputError, match=r"the data that scikit-learn keeps in .* cannot be read: ") as raised:
        fresh(name).search_problem()
    assert str(raised.value).startswith(f"task '{name}': the data that scikit-learn keeps in {home} ")
    assert "\n" not in str(raised.value)


def test_a_download_that_is_another_file(monkeypatch):
    answer(monkeypatch, b"<html>Please log in</html>")
    with pytest.raises(InputError, match=r"task 'california_housing': .*this failed: The SHA256 checksum of"):
        fresh("california_housing").search_problem()
    with pytest.raises(InputError, match=r"task 'openml:61': the data .* cannot be read: JSONDecodeError"):
        tasks.resolve("openml:61")


def test_a_folder_that_cannot_be_made(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "file" / "data"))
    for text in ("california_housing", "openml:61"):
        with pytest.raises(InputError, match=rf"task '{text}': .*this failed: .*{tmp_path}/file"):
            tasks.resolve(text).search_problem()
