"""What a reader may change from the pages: through the actions of the service, with the checks that its API makes.

`cooldown serve` offers it, `cooldown dashboard` does not. Who acts is found out anew for each action, from the cookie
of the browser's session, so that an open page can do no more once its token was revoked.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import streamlit as st

from cooldown.dashboard.parts import plain
from cooldown.objectives.errors import InputError
from cooldown.search.service.access.principal import Principal
from cooldown.search.service.access.visitors import Visitors
from cooldown.search.service.refused import RefusedError, refused_as
from cooldown.search.service.service import Service
from cooldown.search.spec.mistakes import Mistake

Action = Callable[[Service, Principal], str]
"""Does something with `search.service.actions`, and says in a sentence what came of it."""


@dataclass(frozen=True)
class Offered:
    """The service whose pages these are, and who its browsers are."""

    service: Service
    visitors: Visitors


@dataclass(frozen=True)
class Outcome:
    """What came of an action, as a sentence. done: whether it was done, and not refused. mistakes: what is wrong, by
    field.
    """

    said: str
    done: bool
    mistakes: tuple[Mistake, ...] = ()


@dataclass
class Begun:
    """An action that was begun. outcome: what came of it; None while it goes on."""

    outcome: Outcome | None = None


class _Process:
    """Streamlit runs the pages in threads of the server's process, and hands them nothing."""

    offered: Offered | None = None


def offer(offered: Offered | None) -> None:
    """Let the pages of this process change what is in a ledger; None: let them only read."""
    _Process.offered = offered


def offers() -> bool:
    """Whether the pages can change anything, for those who may."""
    return _Process.offered is not None


def service() -> Service | None:
    """The service whose pages these are; None where they can only read."""
    return None if _Process.offered is None else _Process.offered.service


def who() -> Principal | None:
    """Who looks at the page; None for somebody who can only read. Raises LedgerError where the ledger does not
    answer.
    """
    return None if _Process.offered is None else _Process.offered.visitors.of(st.context.headers.get("cookie") or "")


def act(action: Action) -> None:
    """Do this for whoever looks at the page, if they may; `outcome` then says what came of it."""
    st.session_state["outcome"] = done(action)


def outcome() -> Outcome | None:
    """What came of the last action in this tab."""
    found: Outcome | None = st.session_state.get("outcome")
    return found


def show_outcome() -> None:
    """Say what came of the last action in this tab."""
    last = outcome()
    if last is not None:
        (st.success if last.done else st.error)(plain(f"{last.said}."))


def forget_outcome() -> None:
    """Say no more what came of the last action."""
    st.session_state.pop("outcome", None)


def done(action: Action) -> Outcome:
    """Do this for whoever looks at the page, if they may; returns what came of it."""
    return _done(action, who)


def begun(action: Action) -> Begun:
    """Begin this for whoever looks at the page, if they may: what takes longer than a page should keep them waiting.
    Raises LedgerError where the ledger does not answer.
    """
    under_way, principal = Begun(), who()

    def work() -> None:
        try:
            under_way.outcome = _done(action, lambda: principal)
        except Exception:
            logging.getLogger(__name__).exception("What a page has begun failed")
            under_way.outcome = Outcome("this is a fault of the server; its log says more", done=False)

    # A server that ends does not wait for it: for what changes nothing.
    threading.Thread(target=work, name="begun by a page", daemon=True).start()
    return under_way


def _done(action: Action, who: Callable[[], Principal | None]) -> Outcome:
    """Do this for somebody, if they may."""
    offered = _Process.offered
    if offered is None:
        return Outcome("this dashboard is read-only", done=False)
    try:
        principal = who()
        if principal is None:
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "your session is over: sign in again")
        return Outcome(action(offered.service, principal), done=True)
    except RefusedError as refusal:
        return _refused(offered.service, refusal)
    except InputError as error:
        return _refused(offered.service, refused_as(error))


def _refused(service: Service, refusal: RefusedError) -> Outcome:
    mistakes = [Mistake(field, service.without_place(line)) for field, line in refusal.mistakes]
    return Outcome(service.without_place(refusal.detail), done=False, mistakes=tuple(mistakes))
