"""Who is let in: by token, by session or from this machine alone; whoever guesses has to wait."""

import sqlite3
from contextlib import closing

import pytest
from served import ADDRESS, Served
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from cooldown.objectives.errors import InputError
from cooldown.search.service.access import middleware
from cooldown.search.service.access.buckets import MOST_CALLERS, Buckets
from cooldown.search.service.access.sessions import COOKIE, LASTS, Sessions
from cooldown.search.service.access.sign_in import page, place
from cooldown.storage import LedgerError
from cooldown.storage.tokens import Role

HTML = {"Accept": "text/html"}
PATHS = ("/api/v1/experiments", "/api/openapi.json", "/", "/verdict", "/_stcore/host-config")


def test_nothing_is_answered_without_a_token(empty: Served) -> None:
    client = empty.client()
    for path in PATHS:
        answer = client.get(path)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), path
    assert client.get("/api/v1/experiments").json()["detail"] == "give a token: Authorization: Bearer TOKEN"
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_stcore/stream"):
        pass
    for path in ("/_stcore/health", "/api/v1/health"):
        assert client.get(path).status_code == 200


def test_a_token_opens_pages_websockets_and_the_api(empty: Served) -> None:
    client = empty.client("reader")
    assert [client.get(path).status_code for path in PATHS] == [200] * len(PATHS)
    with client.websocket_connect("/_stcore/stream") as websocket:
        assert websocket.receive_text() == "here"
    used = {token.name: token.last_used_at for token in empty.service.ledger.tokens.list()}
    assert used["reader"] is not None
    assert used["ada"] is None


def test_a_server_that_only_this_machine_reaches_needs_none(empty: Served) -> None:
    client = empty.client(open=True)
    assert [client.get(path).status_code for path in PATHS] == [200] * len(PATHS)
    wrong = client.get("/api/v1/experiments", headers={"Authorization": "Bearer nonsense"})
    assert wrong.status_code == 401, "a wrong token is a mistake, here too"


def test_a_revoked_token_opens_nothing(empty: Served) -> None:
    client, browser = empty.client("reader"), empty.client()
    signed_in = browser.post("/sign-in", data={"token": empty.tokens["reader"]})
    assert signed_in.status_code == 303
    assert browser.get("/").status_code == client.get("/").status_code == 200
    empty.service.ledger.tokens.revoke("reader")
    assert browser.get("/").status_code == client.get("/").status_code == 401
    assert client.get("/api/v1/experiments").json()["detail"] == "the token is unknown, or was revoked"


@pytest.mark.parametrize("by", ["token", "session"])
def test_an_open_websocket_ends_with_its_token(empty: Served, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    monkeypatch.setattr(middleware, "LOOK_AGAIN", -1.0)
    client = empty.client("reader" if by == "token" else None)
    if by == "session":
        client.post("/sign-in", data={"token": empty.tokens["reader"]})
    with client.websocket_connect("/_stcore/stream") as websocket:
        assert websocket.receive_text() == "here"
        websocket.send_text("a")
        assert websocket.receive_text() == "a"
        empty.service.ledger.tokens.revoke("reader")
        websocket.send_text("b")
        with pytest.raises(WebSocketDisconnect) as ended:
            websocket.receive_text()
        assert ended.value.code == 1008


def test_a_reader_signs_in_once_and_out_again(empty: Served) -> None:
    client = empty.client()
    asked = client.get("/verdict?experiment=a%26b", headers=HTML)
    assert asked.status_code == 401
    assert 'value="/verdict?experiment=a%26b"' in asked.text
    wrong = client.post("/sign-in", data={"token": "nonsense", "then": "/verdict"})
    assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
    assert "The token is unknown" in wrong.text
    right = client.post("/sign-in", data={"token": empty.tokens["ada"], "then": "/verdict?experiment=a%26b"})
    assert (right.status_code, right.headers["location"]) == (303, "/verdict?experiment=a%26b")
    cookie = right.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={LASTS}"))
    assert "Secure" not in cookie, "the address is http://"
    assert empty.tokens["ada"] not in cookie
    assert client.get("/").status_code == 200
    assert "Signed in as ada" in client.get("/sign-in").text
    assert client.post("/sign-out").headers["location"] == "/sign-in"
    assert client.get("/").status_code == 401


def test_below_a_base_path(empty: Served) -> None:
    client = empty.client(base_path="/cool")
    assert client.get("/cool/_stcore/health").status_code == 200
    right = client.post("/cool/sign-in", data={"token": empty.tokens["ada"]})
    assert right.headers["location"] == "/cool/"
    assert "Path=/cool;" in right.headers["set-cookie"]
    assert client.get("/cool/api/v1/experiments").status_code == client.get("/cool/").status_code == 200
    assert 'action="/cool/sign-in"' in empty.client(base_path="/cool").get("/cool/", headers=HTML).text


def test_over_https_the_cookie_is_sent_nowhere_else(empty: Served) -> None:
    client = TestClient(empty.app(), ADDRESS.replace("http", "https"), follow_redirects=False)
    assert "Secure" in client.post("/sign-in", data={"token": empty.tokens["ada"]}).headers["set-cookie"]


@pytest.mark.parametrize("then", ["//evil.example", "https://evil.example", "/\\evil.example", "", "/a\nb", "/é"])
def test_signing_in_leads_nowhere_else(then: str) -> None:
    assert place(then, "") == "/"
    assert place(then, "/cool") == "/cool/"


def test_the_page_shows_what_others_wrote_as_text() -> None:
    hostile = '"><script>alert(1)</script>'
    shown = page("", hostile, hostile, "") + page("", "/", "", hostile)
    assert "<script" not in shown


@pytest.mark.parametrize(
    "value", ["", "1", "1.2.3", "1.9999999999.", "x.y.z", "1.9999999999.0" * 500, "é.é.é", "1..", "..", "1.2"]
)
def test_a_forged_session_is_none(empty: Served, value: str) -> None:
    sessions = Sessions()
    token = empty.service.ledger.tokens.of(empty.tokens["ada"])
    assert token is not None
    genuine = sessions.begin(token)
    assert sessions.token_id(f"{COOKIE}={genuine}") == token.id
    assert sessions.token_id(f"{COOKIE}={value}") is None
    # That of another token, of a later end, or of another process.
    id, end, signature = genuine.split(".")
    for forged in (f"{int(id) + 1}.{end}.{signature}", f"{id}.{int(end) + 1}.{signature}", Sessions().begin(token)):
        assert sessions.token_id(f"{COOKIE}={forged}") is None


def test_a_session_ends(empty: Served) -> None:
    now = 1000.0
    sessions, token = Sessions(lambda: now), empty.service.ledger.tokens.of(empty.tokens["ada"])
    assert token is not None
    cookie = f"{COOKIE}={sessions.begin(token)}"
    now += LASTS - 1
    assert sessions.token_id(cookie) == token.id
    now += 1
    assert sessions.token_id(cookie) is None


def test_guessing_is_slow(empty: Served) -> None:
    client = empty.client()
    statuses = [
        client.get("/api/v1/experiments", headers={"Authorization": f"Bearer guess-{number}"}).status_code
        for number in range(middleware.GUESSES + 5)
    ]
    assert statuses[: middleware.GUESSES] == [401] * middleware.GUESSES
    assert statuses[-1] == 429
    for answer in (
        client.get("/api/v1/experiments", headers={"Authorization": f"Bearer {empty.tokens['ada']}"}),
        client.post("/sign-in", data={"token": empty.tokens["ada"]}),
    ):
        assert answer.status_code == 429, "the right one is not told from a wrong one"
        assert "wrong tokens" in answer.text


def test_a_bucket_fills_again() -> None:
    now = 0.0
    buckets = Buckets(rate=2.0, burst=3, clock=lambda: now)
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("b") == 0, "each caller has one of their own"
    now = 0.5
    assert buckets.wait("a") == 0
    assert (buckets.take("a"), buckets.take("a")) == (0, 0.5)
    now = 100.0
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5], "never more than a burst"
    for caller in range(MOST_CALLERS + 5):
        buckets.take(caller)
    assert len(buckets._held) == MOST_CALLERS


def test_requests_of_a_token_are_limited(empty: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "REQUESTS", 3)
    monkeypatch.setattr(middleware, "REQUESTS_PER_SECOND", 1e-3)
    app = empty.app()
    ada, bob = (
        TestClient(app, ADDRESS, headers={"Authorization": f"Bearer {empty.tokens[name]}"}) for name in ("ada", "bob")
    )
    answers = [ada.get("/api/v1/experiments") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) > 1
    assert answers[-1].json()["title"] == "Too Many Requests"
    assert bob.get("/api/v1/experiments").status_code == ada.get("/").status_code == 200


def test_pages_are_shown_in_no_frame_of_another_site(empty: Served) -> None:
    for path in ("/", "/api/v1/experiments", "/sign-in"):
        assert empty.client("reader").get(path).headers["x-frame-options"] == "SAMEORIGIN"


def test_a_long_form_is_refused(empty: Served) -> None:
    answer = empty.client().post("/sign-in", content=b"token=" + b"x" * middleware.FORM)
    assert answer.status_code == 413
    assert empty.client().put("/sign-in").status_code == 405


def test_the_ledger_cannot_tell_a_token(empty: Served) -> None:
    file = empty.service.ledger.file
    assert file is not None
    with closing(sqlite3.connect(file)) as connection:
        dump = "\n".join(connection.iterdump())
        salts = {row[0] for row in connection.execute("SELECT salt FROM cooldown_tokens")}
    assert len(salts) == len(empty.tokens)
    for text in empty.tokens.values():
        assert text not in dump


def test_tokens_of_ones_own_and_their_names(empty: Served) -> None:
    tokens, own = empty.service.ledger.tokens, "made-elsewhere-" * 3
    assert tokens.create("proxy", Role.READ, text=own) == own
    found = tokens.of(own)
    assert found is not None
    assert (found.name, found.role) == ("proxy", Role.READ)
    assert tokens.of("x" * 10_000) is None
    assert tokens.of("é") is None
    with pytest.raises(LedgerError, match="'ada' exists"):
        tokens.create("ada", Role.READ)
    for name in ("", "a b", "-a", "é", "x" * 65):
        with pytest.raises(InputError, match="token name"):
            tokens.create(name, Role.READ)
    for text in ("short", "x" * 201, "with a space in it, and long enough"):
        with pytest.raises(InputError, match="32 to 200"):
            tokens.create("other", Role.READ, text=text)
    with pytest.raises(LedgerError, match="unknown token 'adda'"):
        tokens.revoke("adda")


def test_who_may_only_read_sends_no_file_to_the_pages(empty: Served) -> None:
    path = "/_stcore/upload_file/session/file"
    assert empty.client("reader").put(path, content=b"a").status_code == 403
    # The page in place of the dashboard takes no PUT.
    assert empty.client("ada").put(path, content=b"a").status_code == 405
