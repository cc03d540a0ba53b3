"""Wrong, huge, nested, foreign and hostile requests: a problem document with a reason, and nothing has changed."""

import json
from pathlib import Path
from typing import Any

import pytest
from served import API, CHANGES, SPEC, Served, dump, served, with_experiments

from cooldown.search.experiments import compare

DEEP = "[" * 100_000 + "]" * 100_000
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "text": b"hello",
    "half": b'{"task": "iris"',
    "a list": b"[]",
    "a number": b"7",
    "null": b"null",
    "not UTF-8": b'{"task": "\xff\xfe"}',
    "half a character": b'{"task": "\\ud800"}',
    "deep": DEEP.encode(),
    "deep in a field": f'{{"task": "iris", "ranges": {DEEP}}}'.encode(),
    "huge": b'{"task": "' + b"x" * 2_000_000 + b'"}',
    "many fields": json.dumps({f"field{number}": 1 for number in range(10_000)}).encode(),
    "a huge number": b'{"task": "iris", "trials": ' + b"9" * 10_000 + b"}",
    "not finite": b'{"task": "iris", "margin": NaN, "trials": Infinity, "time_limit": 1e999}',
    "a zip bomb": b"PK\x03\x04" + b"\x00" * 1000,
}

TELL = f"{API}/begun/trials/{'0' * 32}/tell"

FIELDS: dict[str, tuple[dict[str, Any], str]] = {
    "a path": ({"task": "/etc/passwd"}, "task"),
    "a path of a table": ({"task": "../secret.csv", "target": "x"}, "task"),
    "a path by URL": ({"task": "file:///etc/passwd"}, "task"),
    "an address": ({"task": "http://169.254.169.254/latest.csv", "target": "a"}, "task"),
    "OpenML": ({"task": "openml:credit-g"}, "task"),
    "a module": ({"task": "os:system"}, "task"),
    "a file of test rows": ({"test": "/etc/passwd"}, "test"),
    "an arm of a module": ({"arms": ["mymodule:Lion", "adam"]}, "arms"),
    "an arm of a module in a table": ({"arms": {"mine": {"is": "mymodule:Lion"}}}, "arms"),
    "a schedule of a module": ({"arms": ["adam+mymodule:wsd", "adam"]}, "arms"),
    "a sampler of a module": ({"sampler": "mymodule:Mine"}, "sampler"),
    "a range of a module": ({"ranges": {"mymodule:Lion.beta1": [0.1, 0.2]}}, "ranges"),
    "a database": ({"db": "sqlite:////tmp/other.db"}, "db"),
    "an executor": ({"executor": "tcp://evil.example:8786"}, "executor"),
    "an owner": ({"owner": "bob"}, "owner"),
    "widened ranges": ({"widened": {"adam": []}}, "widened"),
    "a name that is a folder": ({"name": ".."}, "name"),
    "a name that is none": ({"name": "\u202e\x1b[31m"}, "name"),
    "a name that is too long": ({"name": "x" * 201}, "name"),
    "a tag that is none": ({"tags": [{"a": 1}]}, "tags"),
    "notes that are too long": ({"notes": "x" * 10_001}, "notes"),
    "a priority that is none": ({"priority": "first"}, "priority"),
    "a time that is none": ({"time_limit": "soon"}, "time_limit"),
    "a type": ({"trials": "9"}, "trials"),
    "a boolean": ({"epochs": True}, "epochs"),
    "too many studies": ({"trials": 10**9}, "trials"),
    "deep ranges": ({"ranges": {"a": [[[[[[[[1]]]]]]]]}}, "ranges"),
}


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """A service that the tests of this file try to change."""
    return with_experiments(served(tmp_path_factory.mktemp("attacked")))


@pytest.fixture(autouse=True)
def _nothing_changes(attacked: Served) -> Any:
    before = dump(attacked)
    yield
    assert dump(attacked) == before


def refused(answer: Any, *statuses: int) -> dict[str, Any]:
    """The problem document of an answer with one of these statuses."""
    assert answer.status_code in statuses, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["detail"]
    return problem


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("path", [API, "/api/v1/estimate", f"{API}/begun/extend", TELL])
def test_a_body_that_is_no_spec(attacked: Served, path: str, body: str) -> None:
    answer = attacked.client("root").post(path, content=BODIES[body], headers={"Content-Type": "application/json"})
    refused(answer, 400, 413, 422)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_form_of_another_site_is_no_submission(attacked: Served, kind: str) -> None:
    content = json.dumps(SPEC).encode()
    refused(attacked.client("root").post(API, content=content, headers={"Content-Type": kind}), 415, 422)


@pytest.mark.parametrize("case", FIELDS)
def test_fields_that_name_what_callers_may_not(attacked: Served, case: str) -> None:
    fields, field = FIELDS[case]
    problem = refused(attacked.client("ada").post(API, json={**SPEC, **fields}), 422)
    assert field in [error["field"] for error in problem["errors"]]
    assert all(error["message"] for error in problem["errors"])


def test_all_mistakes_are_listed(attacked: Served) -> None:
    wrong = {**SPEC, "trials": 0, "epochs": "many", "arms": ["adm"], "hiden": [1]}
    problem = refused(attacked.client("ada").post(API, json=wrong), 422)
    assert {error["field"] for error in problem["errors"]} == {"hiden"}, "names that are none come first"
    del wrong["hiden"]
    problem = refused(attacked.client("ada").post(API, json=wrong), 422)
    assert {error["field"] for error in problem["errors"]} == {"trials", "epochs", "arms"}
    assert "adam" in json.dumps(problem)


FILES: dict[str, bytes] = {
    "pickle": b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94.",
    "spreadsheet": b"PK\x03\x04xl/workbook.xml",
    "half a Parquet file": b"PAR1" + b"\x00" * 100,
    "no table": b"\x00\x01\x02\x03",
    "one line": b"a,b\n",
    "a wide line": b"a" * 1_100_000 + b"\n1\n",
}


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_no_table_is_no_task(tmp_path: Path, file: str, empty: Served) -> None:
    client = empty.client("ada")
    data = client.post("/api/v1/datasets", content=FILES[file]).json()
    assert data["size"] == len(FILES[file]), "it is only kept"
    refused(client.post(API, json={**SPEC, "task": data["task"], "target": "b"}), 422)
    assert empty.service.ledger.summaries() == []


@pytest.mark.parametrize("name", ["", "a\0b", "\x1b[31m", "\u202e", "x" * 201])
def test_a_name_of_a_file_that_is_none(attacked: Served, name: str) -> None:
    answer = attacked.client("ada").post("/api/v1/datasets", params={"file": name}, content=b"a,b\n1,2\n")
    assert refused(answer, 422)["errors"][0]["field"] == "file"


def test_the_file_of_an_experiment_is_not_opened_for_others(empty: Served, tmp_path: Path) -> None:
    file = tmp_path / "secret.csv"
    file.write_text("a,b\n" + "".join(f"{number},{number % 2}\n" for number in range(40)))
    task = {**SPEC, "task": str(file), "target": "b", "name": "local"}
    result = compare(**task, db=empty.service.url, workers=1)
    file.unlink()
    client = empty.client("reader")
    assert client.get(f"{API}/local/export?format=toml").text == result.export("toml")
    for format in ("torch", "sklearn"):
        problem = refused(client.get(f"{API}/local/export?format={format}"), 422)
        assert "a server does not open it" in problem["detail"]


def test_a_digest_that_is_none(attacked: Served) -> None:
    client = attacked.client("ada")
    for digest in ("x", "../../etc/passwd", "0" * 63, "A" * 64):
        refused(client.post(API, json={**SPEC, "task": f"dataset:{digest}", "target": "b"}), 404, 422)
    for digest in ("x", "0" * 63, "A" * 64):
        refused(client.get(f"/api/v1/datasets/{digest}"), 422)
    refused(client.get(f"/api/v1/datasets/{'0' * 64}"), 404)


@pytest.mark.parametrize("name", ["none", "a%2Fb", "%2e%2e", "%00", "x" * 500, "%F0%9F%94%A5", "'; DROP TABLE x; --"])
def test_verbs_of_an_experiment_that_there_is_not(attacked: Served, name: str) -> None:
    client = attacked.client("root")
    for method, path, body in CHANGES:
        if "/done" in path:
            answer = getattr(client, method)(
                path.replace("/done", f"/{name}"), **({} if body is None else {"json": body})
            )
            refused(answer, 404, 405)


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_that_is_none(attacked: Served, key: str) -> None:
    refused(attacked.client("ada").post(API, json=SPEC, headers={"Idempotency-Key": key}), 422)


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "bearer " + "x" * 5000, "Bearer \xe9", "Token x"]
)
def test_a_header_that_is_no_token(attacked: Served, header: str) -> None:
    answer = attacked.client().get(API, headers={"Authorization": header.encode("latin-1")})
    refused(answer, 401)


@pytest.mark.parametrize("method", ["put", "patch", "options", "head"])
def test_other_methods(attacked: Served, method: str) -> None:
    assert getattr(attacked.client("root"), method)(API).status_code == 405
