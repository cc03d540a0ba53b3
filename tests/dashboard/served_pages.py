"""Pages that are served with an API: their ledger, and readers with a token of each role."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import streamlit as st
from search_runs import spec

from cooldown.dashboard import acting
from cooldown.search.service.access.sessions import COOKIE
from cooldown.search.service.access.visitors import Visitors
from cooldown.search.service.service import Service
from cooldown.search.tuning.studies import planned
from cooldown.storage import Ledger, Status
from cooldown.storage.terms import Terms
from cooldown.storage.tokens import Role

ROLES = {"reader": Role.READ, "ada": Role.SUBMIT, "bob": Role.SUBMIT, "root": Role.ADMIN}


@dataclass(frozen=True)
class Pages:
    """A ledger whose pages are served, with a token of each role by its name."""

    url: str
    ledger: Ledger
    visitors: Visitors
    tokens: dict[str, str]
    monkeypatch: pytest.MonkeyPatch

    def add(self, name: str, **terms: Any) -> str:
        """An experiment in the queue, of ada unless another owner is named."""
        asked = spec()
        given = Terms(**{"owner": "ada", **terms})
        return self.ledger.create(name, asked.to_json(), "data", planned(asked), terms=given, queued=True)

    def sign_in(self, name: str | None) -> None:
        """Look at the pages from now on as the holder of this token; None: as a browser without a session."""
        cookie = ""
        if name is not None:
            token = self.ledger.tokens.of(self.tokens[name])
            assert token is not None
            cookie = f"{COOKIE}={self.visitors.sessions.begin(token)}"
        self.monkeypatch.setattr(type(st.context), "headers", {"cookie": cookie})

    def status(self, name: str) -> Status:
        return self.ledger.summary(name).status


@contextmanager
def offered(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pages]:
    """The pages of a new ledger, as long as the context lasts."""
    ledger = Ledger(url)
    tokens = {name: ledger.tokens.create(name, role) for name, role in ROLES.items()}
    visitors = Visitors(ledger.tokens, open=False)
    acting.offer(acting.Offered(Service(ledger, url), visitors))
    try:
        yield Pages(url, ledger, visitors, tokens, monkeypatch)
    finally:
        acting.offer(None)
