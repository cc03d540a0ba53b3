"""Tasks from OpenML: what `openml:NAME` finds, what it makes of a data set, and what is refused."""

import email.message
import gzip
import hashlib
import json
from urllib.error import HTTPError, URLError

import numpy as np
import pytest
from downloads import answer, without_network, works

from cooldown.objectives import tasks
from cooldown.objectives.errors import InputError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    return without_network(tmp_path, monkeypatch)


API = "api/v1/json/data"


def put(home, path, content):
    """A file of the cache of `fetch_openml`."""
    file = home / "openml" / "openml.org" / f"{path}.gz"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(content if isinstance(content, bytes) else json.dumps(content).encode()))


def put_data_set(home, columns, rows, number=99, name="Flowers", version=3, file_format="ARFF"):
    """A data set as OpenML describes it, found by number, by name and by version.

    columns: per name its type in ARFF and whether it is the "target", to "ignore", or neither. rows: texts.
    """
    types = {column: "nominal" if kind.startswith("{") else kind for column, (kind, _) in columns.items()}
    features = [
        {
            "index": str(i),
            "name": column,
            "data_type": types[column],
            "is_target": str(role == "target").lower(),
            "is_ignore": str(role == "ignore").lower(),
            "is_row_identifier": str(role == "row").lower(),
            "number_of_missing_values": str(sum(row.split(",")[i] == "?" for row in rows)),
        }
        for i, (column, (_, role)) in enumerate(columns.items())
    ]
    head = ["@relation r", *(f"@attribute '{column}' {kind}" for column, (kind, _) in columns.items()), "@data"]
    arff = "\n".join([*head, *rows]).encode() + b"\n"
    path = f"data/v1/download/{number}/{name}.arff"
    entry = {"did": number, "name": name, "version": version, "status": "active", "format": file_format}
    put(home, f"{API}/{number}", {
        "data_set_description": {
            **{"id": str(number), "name": name, "version": str(version), "description": "", "format": file_format},
            **{"status": "active", "md5_checksum": hashlib.md5(arff).hexdigest(), "url": f"https://openml/{path}"},
        }
    })  # fmt: skip
    put(home, f"{API}/features/{number}", {"data_features": {"feature": features}})
    put(home, f"{API}/qualities/{number}", {"data_qualities": {"quality": []}})
    put(home, path, arff)
    listed = f"{API}/list/data_name/{name.lower()}/limit/2"
    put(home, f"{listed}/status/active/", {"data": {"dataset": [entry]}})
    put(home, f"{listed}/data_version/{version}", {"data": {"dataset": [entry]}})
    return entry


FLOWERS = {
    "id": ("integer", "row"),
    "length": ("numeric", ""),
    "leaves": ("integer", ""),
    "color": ("{red,'light blue'}", ""),
    "picked": ("string", ""),
    "nothing": ("numeric", ""),
    "note": ("string", "ignore"),
    "kind": ("{0,1}", "target"),
}


def flowers(n=40):
    """Rows with numbers, categories, dates, missing cells, a column without a value, and classes called 0 and 1."""
    colors = ["red", "'light blue'", "?"]
    return [
        f"{i},{'?' if i % 7 == 0 else i / 2},{i % 3 or '?'},{colors[i % 3]},2020-01-{i % 28 + 1:02},?,x{i},{i % 2}"
        for i in range(n)
    ]


@pytest.mark.parametrize("text", ["openml:Flowers", "openml:flowers", "openml:flowers@3", "openml:99"])
def test_a_data_set_by_name_version_or_number(home, text):
    put_data_set(home, FLOWERS, flowers())
    task = tasks.resolve(text)
    X, y = task.data
    assert (task.name, task.kind, task.categorical) == ("Flowers", "classification", (2, 3))
    assert y.tolist() == [0, 1] * 20
    assert X.shape == (40, 4), "neither row numbers, nor what is to be ignored, nor what has no value"
    np.testing.assert_array_equal(X[:8, 0], [np.nan, 0.5, 1, 1.5, 2, 2.5, 3, np.nan])
    np.testing.assert_array_equal(X[:4, 1], [np.nan, 1, 2, np.nan])
    np.testing.assert_array_equal(X[:4, 2], [1, 0, np.nan, 1])
    works(task)


def test_a_target_of_numbers_makes_a_regression_and_any_other_one_a_classification(home):
    columns = {"price": ("real", "target"), "rank": ("integer", ""), "street": ("string", ""), "floor": ("{1,2}", "")}
    put_data_set(home, columns, [f"{i},{i % 4},{'ab'[i % 2]},{i % 2 + 1}" for i in range(30)])
    kinds = {target: tasks.resolve("openml:99", target=target).kind for target in (None, *columns)}
    assert [target for target, kind in kinds.items() if kind == "regression"] == [None, "price", "rank"]
    other = tasks.resolve("openml:99", target="rank", hidden=())
    assert other.hidden == ()
    assert other.data[1].tolist() == [i % 4 for i in range(30)]
    assert other.data[0].shape == (30, 3), "the data set's own target is a feature then"
    with pytest.raises(InputError, match=r"task 'openml:99': unknown column 'prise'; did you mean 'price'\?"):
        tasks.resolve("openml:99", target="prise")


def test_the_same_data_set_as_a_file_is_the_same_task(home, tmp_path):
    columns = {"a": ("numeric", ""), "color": ("{red,blue}", ""), "y": ("{no,yes}", "target")}
    rows = [f"{i / 3},{['red', 'blue'][i % 2]},{['no', 'yes'][i % 5 > 2]}" for i in range(40)]
    put_data_set(home, columns, rows)
    (tmp_path / "same.csv").write_text("\n".join(["a,color,y", *rows]) + "\n")
    from_file = tasks.from_table(tmp_path / "same.csv", target="y")
    assert tasks.resolve("openml:99").fingerprint() == from_file.fingerprint()


def test_a_column_of_texts_is_taken_at_its_word(home):
    columns = {"ticket": ("string", ""), "a": ("numeric", ""), "y": ("{no,yes}", "target")}
    rows = [f"{i if i != 5 else 'PC17'},{i},{['no', 'yes'][i % 2]}" for i in range(80)]
    put_data_set(home, columns, rows)
    assert tasks.resolve("openml:99").categorical == (0,)


NO_NAMES = ["", "@1", "..", "../x", "a b", "iris@new", "iris@0", "61@1", "é", "-1", "a/b.csv", "iris@1@2"]


@pytest.mark.parametrize("text", [f"openml:{name}" for name in NO_NAMES])
def test_what_is_no_name_of_a_data_set(text):
    with pytest.raises(InputError, match="write a data set as openml:NAME, openml:NAME@VERSION") as raised:
        tasks.resolve(text)
    assert str(raised.value).startswith(f"task {text!r}: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("openml:flowerz", "task 'openml:flowerz': No active dataset flowerz found."),
        ("openml:flowers@4", "task 'openml:flowers@4': Dataset flowers with version 4 not found."),
        ("openml:98", "task 'openml:98': Dataset with data_id 98 not found."),
    ],
)
def test_a_data_set_that_openml_does_not_know(home, monkeypatch, text, message):
    put_data_set(home, FLOWERS, flowers())
    answer(monkeypatch, HTTPError("address", 412, "Precondition Failed", email.message.Message(), None))
    with pytest.raises(InputError) as raised:
        tasks.resolve(text)
    assert str(raised.value) == message


def test_a_name_of_several_active_versions(home):
    entry = put_data_set(home, FLOWERS, flowers())
    both = [entry, {**entry, "did": 100, "version": 5}]
    put(home, f"{API}/list/data_name/flowers/limit/2/status/active/", {"data": {"dataset": both}})
    with pytest.raises(InputError, match=r"task 'openml:Flowers': has several active versions \(3, 5, …\)") as raised:
        tasks.resolve("openml:Flowers")
    assert str(raised.value).endswith("choose one, as in openml:Flowers@3")
    assert tasks.resolve("openml:Flowers@3").name == "Flowers"


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        (("", "", ""), r"has no default target: name the column .*as target \(choose from: a, b, y\)"),
        (("", "target", "target"), r"has 2 default targets: .*\(choose from: b, y\)"),
        (("target", "", "target"), "Can only handle homogeneous multi-target .* Name another column as target"),
    ],
)
def test_a_data_set_without_one_target_of_its_own(home, roles, message):
    types = ("numeric", "{u,v}", "{0,1}")
    columns = dict(zip("aby", zip(types, roles, strict=True), strict=True))
    put_data_set(home, columns, [f"{i},{'uv'[i % 2]},{i % 3 % 2}" for i in range(30)])
    with pytest.raises(InputError, match=f"task 'openml:99': {message}"):
        tasks.resolve("openml:99")
    assert tasks.resolve("openml:99", target="y").kind == "classification"


def test_a_target_with_missing_cells(home):
    columns = {"a": ("numeric", ""), "b": ("numeric", ""), "y": ("{0,1}", "target")}
    put_data_set(home, columns, [f"{i},{i or '?'},{'?' if i == 3 else i % 2}" for i in range(30)])
    with pytest.raises(InputError, match=r"Target column 'y' has 1 missing values.* Name another column as target"):
        tasks.resolve("openml:99")
    with pytest.raises(InputError, match=r"task 'openml:99': target 'b': 1 missing \(NaN\), the first in row 1"):
        tasks.resolve("openml:99", target="b")
    assert tasks.resolve("openml:99", target="a").data[0].shape == (30, 2)


def test_a_class_too_small_to_be_split(home):
    put_data_set(home, {"a": ("numeric", ""), "y": ("{0,1}", "target")}, [f"{i},{int(i == 4)}" for i in range(30)])
    with pytest.raises(InputError, match="task 'openml:99': target 'y': class '1' has too few rows, 1"):
        tasks.resolve("openml:99")


def test_a_data_set_that_is_no_table(home):
    put_data_set(home, FLOWERS, flowers(), file_format="Sparse_ARFF")
    with pytest.raises(InputError, match="task 'openml:99': is kept in the sparse ARFF format, which cannot be read"):
        tasks.resolve("openml:99")


def test_a_cell_that_contradicts_its_description(home, monkeypatch):
    columns, rows = {"a": ("numeric", ""), "y": ("{0,1}", "target")}, [f"{i},{i % 2}" for i in range(30)]
    put_data_set(home, columns, [*rows, "3,7"])
    # scikit-learn downloads again what it cannot read.
    answer(monkeypatch, gzip.decompress((home / "openml/openml.org/data/v1/download/99/Flowers.arff.gz").read_bytes()))
    with pytest.raises(InputError, match=r"'openml:99': the data .* cannot be read: BadNominalValue: .*line") as raised:
        tasks.resolve("openml:99")
    assert "\n" not in str(raised.value)


def test_a_second_attempt_may_succeed(home, monkeypatch):
    put_data_set(home, FLOWERS, flowers())
    path = home / "openml" / "openml.org" / f"{API}/99.gz"
    description = gzip.decompress(path.read_bytes())
    path.unlink()
    answer(monkeypatch, URLError("once"), TimeoutError("twice"), description)
    assert tasks.resolve("openml:99").name == "Flowers"


def test_a_warning_about_a_data_set_is_passed_on(home):
    put_data_set(home, FLOWERS, flowers())
    path = home / "openml" / "openml.org" / f"{API}/99.gz"
    described = json.loads(gzip.decompress(path.read_bytes()))
    described["data_set_description"]["status"] = "deactivated"
    put(home, f"{API}/99", described)
    with pytest.warns(UserWarning, match="Version 3 of dataset Flowers is inactive"):
        assert tasks.resolve("openml:99").name == "Flowers"
