"""Submit and control through the API: what a token may, once for each key, with a line in the audit for each change."""

from typing import Any

import pytest
from served import API, CHANGES, SPEC, Served, dump

from cooldown.search.experiments import compare, load, queued
from cooldown.storage import LedgerError, Status, audit
from cooldown.storage.tokens import Role


def lines(one: Served) -> list[tuple[str, str, str]]:
    """Who did what of what, oldest first."""
    return [(line.who, line.action, line.subject) for line in reversed(audit.lines(one.service.ledger, 100))]


def test_a_submission_is_queued_with_its_terms(empty: Served) -> None:
    terms = {"name": "mine", "priority": 7, "time_limit": "2h", "tags": ["a", "b"], "notes": "first\nsecond"}
    answer = empty.client("ada").post(API, json={**SPEC, **terms})
    assert (answer.status_code, answer.json()) == (201, {"name": "mine", "status": "queued", "new": True})
    assert answer.headers["location"] == f"{API}/mine"
    (waiting,) = queued(empty.service.url)
    found = waiting.terms
    assert (found.owner, found.priority, found.time_limit, found.tags) == ("ada", 7, 7200.0, ("a", "b"))
    assert lines(empty) == [("ada", "submit", "mine")]
    # It is the experiment that `compare` makes of the same spec.
    result = compare(**{**SPEC, "name": "mine"}, db=empty.service.url, workers=1)
    other = compare(**{**SPEC, "name": "other"}, db=empty.service.url, workers=1)
    assert result.to_json()["fingerprint"] == other.to_json()["fingerprint"]


def test_the_same_again_is_the_same_experiment(empty: Served) -> None:
    client = empty.client("ada")
    first = client.post(API, json=SPEC)
    again = client.post(API, json=SPEC)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {**first.json(), "new": False}
    assert len(queued(empty.service.url)) == 1


def test_a_key_makes_one_experiment(empty: Served) -> None:
    client, key = empty.client("ada"), {"Idempotency-Key": "one"}
    first = client.post(API, json=SPEC, headers=key).json()
    # Also when the same spec without a key would be another one: that one is deleted, or extended.
    assert client.post(API, json=SPEC, headers=key).json() == {**first, "new": False}
    other = client.post(API, json={**SPEC, "seed": 5}, headers=key)
    assert other.status_code == 409
    assert "with other content" in other.json()["detail"]
    theirs = empty.client("bob").post(API, json={**SPEC, "name": "theirs"}, headers=key)
    assert theirs.status_code == 201, "a key belongs to its token"
    assert len(queued(empty.service.url)) == 2
    client.delete(f"{API}/{first['name']}")
    assert client.post(API, json=SPEC, headers=key).status_code == 201


def test_a_key_is_kept_in_the_transaction_that_makes_the_experiment(empty: Served) -> None:
    from cooldown.search.spec.experiment import read_spec
    from cooldown.storage.submissions import submission

    ledger, spec = empty.service.ledger, read_spec(**SPEC).to_json()
    sent = submission("ada", "one", "x")
    # Two servers that both saw no such key make one experiment.
    assert [ledger.create("a", spec, "", [], numbered=True, submission=sent) for _ in range(2)] == ["a", "a"]
    assert len(ledger.summaries()) == 1


def test_two_owners_have_experiments_of_their_own(empty: Served) -> None:
    ada, bob = empty.client("ada"), empty.client("bob")
    assert ada.post(API, json=SPEC).json()["name"] == "iris"
    assert bob.post(API, json=SPEC).json() == {"name": "iris-2", "status": "queued", "new": True}
    taken = bob.post(API, json={**SPEC, "name": "iris"})
    assert taken.status_code == 422
    for verb in ("pause", "resume", "stop", "cancel"):
        answer = bob.post(f"{API}/iris/{verb}")
        assert answer.status_code == 403
        assert "belongs to 'ada'" in answer.json()["detail"]
    assert bob.delete(f"{API}/iris").status_code == bob.post(f"{API}/iris/extend", json={}).status_code == 403
    assert [summary.status for summary in queued(empty.service.url)] == [Status.QUEUED] * 2
    assert [line[0] for line in lines(empty)] == ["ada", "bob"]
    assert empty.client("root").delete(f"{API}/iris").status_code == 204, "an admin may all"


def test_each_verb_and_its_line(empty: Served) -> None:
    client = empty.client("ada")
    client.post(API, json={**SPEC, "name": "a"})
    client.post(API, json={**SPEC, "name": "b", "seed": 1})

    def status(verb: str, name: str = "a") -> Any:
        return client.post(f"{API}/{name}/{verb}").json()["status"]

    assert [status(verb) for verb in ("pause", "pause", "resume", "pause", "stop")] == [
        "paused",
        "paused",
        "queued",
        "paused",
        "stopped",
    ]
    assert status("cancel", "b") == "cancelled"
    assert client.post(f"{API}/b/pause").status_code == 409
    assert client.delete(f"{API}/b").status_code == 204
    assert client.get(f"{API}/b").status_code == 404
    done = [action for _, action, _ in lines(empty)]
    # The second pause has changed nothing.
    assert done == ["submit", "submit", "pause", "resume", "pause", "stop", "cancel", "delete"]


def test_tags_and_notes_of_an_experiment(empty: Served) -> None:
    client, at = empty.client("ada"), f"{API}/mine"
    client.post(API, json={**SPEC, "name": "mine", "tags": ["old"]})
    read = client.get(at)
    changed = client.patch(at, json={"notes": "Before the move."}, headers={"If-Match": read.headers["etag"]})
    assert changed.json() == {"name": "mine", "status": "queued", "tags": ["old"], "notes": "Before the move."}
    assert lines(empty)[-1] == ("ada", "annotate", "mine")
    now = client.get(at).headers["etag"]
    assert now != read.headers["etag"]
    before = dump(empty)
    refused: list[tuple[str, dict[str, str], Any, int]] = [
        # Somebody else has changed it meanwhile.
        ("ada", {"If-Match": read.headers["etag"]}, {"tags": []}, 412),
        ("ada", {"If-Match": f"W/{now}"}, {"tags": []}, 412),
        ("ada", {}, {}, 422),
        ("ada", {}, {"tags": None, "notes": None}, 422),
        ("ada", {}, {"tags": ["a" * 51]}, 422),
        ("ada", {}, {"tags": ["x"] * 21}, 422),
        ("ada", {}, {"tags": "baseline"}, 422),
        ("ada", {}, {"notes": "\x1b[2J"}, 422),
        ("ada", {}, {"notes": "a" * 10_001}, 422),
        ("ada", {}, {"priority": 3}, 422),
        ("bob", {}, {"notes": "mine now"}, 403),
        ("reader", {}, {"notes": "mine now"}, 403),
    ]
    for who, headers, body, status in refused:
        answer = empty.client(who).patch(at, json=body, headers=headers)
        assert (answer.status_code, bool(answer.json()["detail"])) == (status, True), (body, answer.text)
    assert client.patch(f"{API}/none", json={"notes": ""}).status_code == 404
    assert dump(empty) == before
    for if_match in (f'"other", {now}', "*"):
        assert empty.client("root").patch(at, json={"tags": []}, headers={"If-Match": if_match}).json()["tags"] == []


def test_a_name_may_have_slashes(empty: Served) -> None:
    client, name = empty.client("ada"), "team/a b/trials"
    at = client.post(API, json={**SPEC, "name": name}).headers["location"]
    assert at == f"{API}/team%2Fa%20b%2Ftrials"
    assert client.get(at).json()["name"] == name
    assert client.get(f"{at}/trials").json() == {"trials": []}
    assert client.post(f"{at}/pause").json() == {"name": name, "status": "paused"}
    missing = client.get(f"{API}/team%2Fx")
    assert (missing.status_code, missing.json()["instance"]) == (404, f"{API}/team/x")
    assert client.get(f"{API}/team/x").status_code == 404
    assert client.delete(at).status_code == 204
    assert [subject for _, _, subject in lines(empty)] == [name] * 3


def test_a_change_and_its_line_are_one_transaction(empty: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    client = empty.client("ada")
    client.post(API, json={**SPEC, "name": "mine"})

    def broken(*_: object, **__: object) -> None:
        raise LedgerError("the disk is full")

    monkeypatch.setattr("cooldown.storage.queue.note", broken)
    assert client.post(f"{API}/mine/pause").status_code == 409
    assert [summary.status for summary in queued(empty.service.url)] == [Status.QUEUED]
    assert lines(empty) == [("ada", "submit", "mine")]


def test_an_experiment_that_is_done_is_extended(empty: Served) -> None:
    empty.tokens["small"] = empty.service.ledger.tokens.create("small", Role.SUBMIT, quota=1)
    client = empty.client("small")
    name = client.post(API, json=SPEC).json()["name"]
    compare(**SPEC, db=empty.service.url, workers=1)
    assert client.post(API, json={**SPEC, "name": "other", "seed": 1}).status_code == 201
    before = dump(empty)
    assert client.post(f"{API}/{name}/extend", json={"repeats": 2}).status_code == 403
    assert dump(empty) == before, "also not extended"
    client.post(f"{API}/other/cancel")
    assert client.post(f"{API}/{name}/extend", json={"repeats": 2}).json() == {"name": name, "status": "queued"}
    assert load(name, db=empty.service.url).record.spec["repeats"] == 2
    for wrong, reason in ({"repeats": 0}, "repeats"), ({"repeat": 3}, "repeat"), ({"trials": "9"}, "trials"):
        answer = client.post(f"{API}/{name}/extend", json=wrong)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == reason
    assert lines(empty)[-1] == ("small", "extend", name)


def test_a_quota_counts_what_waits_or_runs(empty: Served) -> None:
    tokens = empty.service.ledger.tokens
    empty.tokens["small"] = tokens.create("small", Role.SUBMIT, quota=1)
    client = empty.client("small")
    assert client.post(API, json={**SPEC, "name": "a"}).status_code == 201
    over = client.post(API, json={**SPEC, "name": "b", "seed": 1})
    assert over.status_code == 403
    assert "quota of 'small' is 1" in over.json()["detail"]
    client.post(f"{API}/a/pause")
    assert client.post(API, json={**SPEC, "name": "b", "seed": 1}).status_code == 201
    assert client.post(f"{API}/a/resume").status_code == 403
    assert empty.client("ada").post(API, json={**SPEC, "name": "c", "seed": 2}).status_code == 201


@pytest.mark.parametrize(("method", "path", "body"), CHANGES, ids=lambda value: str(value)[:40])
def test_a_read_token_changes_nothing(shown: Served, method: str, path: str, body: Any) -> None:
    before = dump(shown)
    content = {"content": body} if isinstance(body, bytes) else {} if body is None else {"json": body}
    answer = getattr(shown.client("reader"), method)(path, **content)
    assert answer.status_code == 403
    assert "needs a token of the role submit" in answer.json()["detail"]
    assert getattr(shown.client(), method)(path, **content).status_code == 401
    assert dump(shown) == before


def test_uploaded_data_belong_to_their_owner(empty: Served) -> None:
    ada, bob = empty.client("ada"), empty.client("bob")
    content = b"length,kind\n" + b"".join(b"%d,%s\n" % (i, b"ab"[i % 2 :][:1]) for i in range(60))
    sent = ada.post("/api/v1/datasets", params={"file": "mine.csv"}, content=content)
    assert sent.status_code == 201
    data = sent.json()
    assert (data["file"], data["owner"], data["size"]) == ("mine.csv", "ada", len(content))
    assert ada.post("/api/v1/datasets", content=content).status_code == 200
    assert ada.get(f"/api/v1/datasets/{data['digest']}").content == content
    assert [each["digest"] for each in ada.get("/api/v1/datasets").json()["datasets"]] == [data["digest"]]
    spec = {**SPEC, "task": data["task"], "target": "kind"}
    assert bob.get("/api/v1/datasets").json() == {"datasets": []}
    for answer in (bob.get(f"/api/v1/datasets/{data['digest']}"), bob.post(API, json=spec)):
        assert answer.status_code == 404
        assert "you have no data set" in answer.json()["detail"]
    made = ada.post(API, json=spec)
    assert made.status_code == 201
    assert made.json()["name"] == f"mine-{data['digest'][:8]}"
    # The same file and settings are the same experiment.
    assert ada.post(API, json=spec).json() == {**made.json(), "new": False}
    assert ada.post(API, json={**spec, "seed": 7}).json()["name"] == f"mine-{data['digest'][:8]}-2"
    assert empty.client("root").get("/api/v1/datasets").json()["datasets"] == [data]
    assert lines(empty)[0] == ("ada", "upload", data["digest"])


def test_uploaded_data_are_deleted_by_their_owner(empty: Served) -> None:
    ada, bob = empty.client("ada"), empty.client("bob")
    content = b"length,kind\n" + b"".join(b"%d,%s\n" % (i, b"ab"[i % 2 :][:1]) for i in range(60))
    digest = ada.post("/api/v1/datasets", content=content).json()["digest"]
    bob.post("/api/v1/datasets", content=content)
    path = f"/api/v1/datasets/{digest}"
    name = ada.post(API, json={**SPEC, "task": f"dataset:{digest}", "target": "kind"}).json()["name"]
    held = ada.delete(path)
    assert (held.status_code, f"{name!r} is on the data set" in held.json()["detail"]) == (409, True)
    ada.delete(f"{API}/{name}")
    assert ada.delete(path).status_code == 204
    assert ada.delete(path).status_code == ada.get(path).status_code == 404
    assert bob.get(path).content == content, "it is still his"
    assert bob.delete(path).status_code == 204
    with pytest.raises(LedgerError, match="has no data set"):
        empty.service.ledger.datasets.content(digest)


def test_a_large_file_is_refused(empty: Served) -> None:
    from dataclasses import replace

    from cooldown.search.service.service import Limits

    one = Served(replace(empty.service, limits=Limits(dataset=1000, datasets=1500, body=500)), empty.tokens)
    client = one.client("ada")
    assert client.post("/api/v1/datasets", content=b"x" * 1001).status_code == 413
    assert client.post("/api/v1/datasets", content=b"x" * 1000).status_code == 201
    together = client.post("/api/v1/datasets", content=b"y" * 600)
    assert together.status_code == 409
    assert "together" in together.json()["detail"]
    long = client.post(API, json={**SPEC, "notes": "x" * 500})
    assert long.status_code == 413
    assert long.headers["content-type"] == "application/problem+json"
    assert client.post("/api/v1/datasets", content=b"  \n").status_code == 422


def test_an_estimate_writes_nothing(empty: Served) -> None:
    answer = empty.client("ada").post("/api/v1/estimate", json=SPEC)
    assert answer.status_code == 200
    assert answer.json()["gradient_evaluations"] > 0
    assert queued(empty.service.url) == []
    empty.service.estimating.acquire()
    assert empty.client("ada").post("/api/v1/estimate", json=SPEC).status_code == 429
