"""`Deliverer`: tells webhooks that experiments have ended, again and again until they have heard it.

The body is signed with the webhook's secret: HMAC-SHA256 of the time and the body, so that a receiver knows who has
sent it, and that it is not an old one.
"""

import hashlib
import hmac
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

from cooldown.search.service.outgoing import UndeliverableError, post
from cooldown.storage import Ledger
from cooldown.storage.webhooks import Delivery

PAUSE = 2.0
"""Seconds between two looks for what is due."""

AT_ONCE = 4
"""Receivers that are told at the same time, so that a slow one does not keep the others waiting."""

Send = Callable[[str, bytes, Mapping[str, str]], int]


class Deliverer:
    """Tells what is due in a ledger. send: makes a request, as `outgoing.post` does."""

    def __init__(self, ledger: Ledger, send: Send = post) -> None:
        self._webhooks, self._send = ledger.webhooks, send

    def start(self) -> None:
        """Tell what is due while this process lives, in a thread of its own."""
        threading.Thread(target=self._work, name="webhooks", daemon=True).start()

    def deliver(self) -> int:
        """Tell what is due now; returns how much that was. Raises LedgerError where the ledger cannot be used."""
        due = self._webhooks.take(AT_ONCE)
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook") as pool:
            list(pool.map(self._tell, due))
        return len(due)

    def _work(self) -> None:
        while True:
            try:
                if self.deliver():
                    continue
            except Exception:
                # What was taken is due again in a while.
                logging.getLogger(__name__).exception("Webhooks could not be told")
            time.sleep(PAUSE)

    def _tell(self, delivery: Delivery) -> None:
        body, now = body_of(delivery), int(time.time())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "cooldown",
            "X-Cooldown-Event": delivery.event,
            "X-Cooldown-Signature": f"t={now},v1={signature(delivery.secret, now, body)}",
        }
        try:
            status = self._send(delivery.url, body, headers)
        except UndeliverableError as error:
            self._webhooks.settle(delivery, str(error), done=False)
        else:
            self._webhooks.settle(delivery, f"status {status}", done=HTTPStatus(200) <= status < HTTPStatus(300))


def body_of(delivery: Delivery) -> bytes:
    """What is told: JSON."""
    told = {
        "id": delivery.event,
        "event": "experiment.ended",
        "experiment": delivery.experiment,
        "status": delivery.status,
        "ended_at": delivery.ended_at,
    }
    return json.dumps(told).encode()


def signature(secret: str, time: int, body: bytes) -> str:
    """The signature of a body that is sent at this time, in whole seconds since 1970."""
    return hmac.new(secret.encode(), f"{time}.".encode() + body, hashlib.sha256).hexdigest()
