"""All tasks through a service: the same comparison as of its ledger."""

from in_process import session
from served import ADDRESS, Served

from cooldown.search.experiments.across import read
from cooldown.search.service.client import Client


def test_a_service_sends_what_a_comparison_takes(shown: Served) -> None:
    client = Client(ADDRESS, shown.tokens["reader"], session=session(shown.app()))
    assert client.across() == read(db=shown.service.url)
    assert client.across(["done"]) == read(["done"], shown.service.url)
    answer = shown.client("reader").get("/api/v1/summary", params={"name": "nothing"})
    assert answer.status_code == 404
    assert "unknown experiment 'nothing'" in answer.json()["detail"]
    assert shown.client(None).get("/api/v1/summary").status_code == 401
