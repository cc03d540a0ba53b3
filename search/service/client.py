"""`Client`: a service elsewhere from Python, with the verbs of the command line."""

import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from cooldown.objectives.data.uploaded import is_upload
from cooldown.objectives.files import TABLE_BYTES, read_file
from cooldown.objectives.tasks import is_frame
from cooldown.search.service.connection import Connection

if TYPE_CHECKING:
    from cooldown.search.evidence.across.measured import LeftOut, Measured
    from cooldown.search.experiments.result import Result

MOST = 500
"""Experiments on a page of a list, at most."""

LEDGER = "ledger"
"""The format of an export that holds the whole experiment."""


class Client:
    """A service at `url`, such as "http://127.0.0.1:8501". token: as `cooldown token create` printed it; None for a
    service of this machine. session: of `requests`; None for one that retries after a lost connection and the statuses
    429 and 503.

    Every method raises ServiceError, an InputError, where the service refuses or is not reached.
    """

    def __init__(self, url: str, token: str | None = None, *, session: requests.Session | None = None) -> None:
        self._connection = Connection(url, token, session)

    # -- reading ------------------------------------------------------------------------------------------------------

    def experiments(
        self, *, status: str | None = None, task: str | None = None, owner: str | None = None, tag: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """The experiments, newest first, as `cooldown list --json` has them; pages are fetched as they are needed."""
        for page in self._pages("experiments", {"status": status, "task": task, "owner": owner, "tag": tag}):
            yield from page["experiments"]
            yield from page["damaged"]

    def claims(self, *, task: str | None = None, id: str | None = None) -> Iterator[dict[str, Any]]:
        """The survey's claims on the tasks of the ledger, each with its verdict as `cooldown claim --json` prints it,
        or why there is none (`state`); nothing is run. task, id: only those on this task, only this claim.
        """
        for page in self._pages("claims", {"task": task, "id": id}):
            yield from page["claims"]

    def queue(self) -> list[dict[str, Any]]:
        """What runs, what waits in its order, and what is paused."""
        return [each for page in self._pages("queue", {"limit": MOST}) for each in page["queue"]]

    def across(self, names: Sequence[str] = ()) -> "list[Measured | LeftOut]":
        """All experiments, or those of these names, as `cooldown summary` compares them over tasks."""
        from cooldown.search.evidence.across.document import received

        return received(self._json("GET", "summary", params={"name": list(names)}))

    def show(self, name: str) -> dict[str, Any]:
        """The document of an experiment, as `cooldown show --json` prints it."""
        return self._document("GET", self._of(name))

    def trials(self, name: str) -> list[dict[str, Any]]:
        """The trials of an experiment."""
        trials: list[dict[str, Any]] = self._json("GET", self._of(name, "trials"))["trials"]
        return trials

    def export(self, name: str, format: str = "json", **which: Any) -> bytes:
        """The best configuration or all trials as a file. which: arm, repeat, trial, curves, as for `Result.export`."""
        query = {"format": format, **{key: value for key, value in which.items() if value is not None}}
        return self._asked("GET", self._of(name, "export"), params=query).content

    def report(self, name: str) -> str:
        """The report of an experiment, a web page."""
        return self._asked("GET", self._of(name, "report")).text

    def load(self, name: str) -> "Result":
        """The whole experiment in its current state, as `cooldown.load` gives it."""
        from cooldown.search.experiments.service import load

        with TemporaryDirectory(prefix="cooldown-") as folder:
            return load(name, db=self.copied(name, Path(folder)))

    def copied(self, name: str, folder: Path) -> Path:
        """A ledger in `folder` with a copy of an experiment."""
        path = folder / "copy.db"
        path.write_bytes(self.export(name, LEDGER))
        return path

    def events(self, name: str, after: str | None = None) -> Iterator[dict[str, Any]]:
        """What happens in an experiment, until it is over: `{"event": "trial", "id": …, "arm": …, …}`. It reconnects
        after a break. after: the id of the last known event.
        """
        while True:
            headers = {} if after is None else {"Last-Event-ID": after}
            try:
                answer = self._asked("GET", self._of(name, "events"), headers=headers, stream=True)
                if answer.status_code == requests.codes.no_content:
                    return
                for event in _events(answer.iter_lines(decode_unicode=True)):
                    after = event.get("id", after)
                    yield event
                    if event["event"] == "deleted":
                        return
            except requests.RequestException:
                time.sleep(1.0)

    def catalog(self) -> dict[str, Any]:
        """What experiments can name."""
        return self._document("GET", "catalog")

    def health(self) -> dict[str, Any]:
        """Whether the service is well; raises ServiceError where it is not."""
        return self._document("GET", "health")

    # -- changing -----------------------------------------------------------------------------------------------------

    def submit(self, task: Any, *, key: str | None = None, **settings: Any) -> dict[str, Any]:
        """Put an experiment in the queue of the service. Returns `{"name", "status", "new"}`.

        task: a built-in name, a data set that was uploaded, the path of a table, or a DataFrame, which are uploaded
        first. settings: as for `cooldown.submit`. key: for this submission; with the same one, it is the same
        experiment.
        """
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return self._document("POST", "experiments", json=self._spec(task, settings), headers=headers)

    def estimate(self, task: Any, **settings: Any) -> dict[str, Any]:
        """Time and cost of an experiment; nothing but a table is kept."""
        return self._document("POST", "estimate", json=self._spec(task, settings))

    def upload(self, data: Any, file: str | None = None) -> dict[str, Any]:
        """Keep a table in the service, for tasks: the path of a text or Parquet file, its content, or a DataFrame.
        Returns `{"task", "digest", …}`, of which `task` names it in a submission. file: what to call it.
        """
        if isinstance(data, bytes):
            content, name = data, "data"
        elif is_frame(data):
            content, name = _parquet(data), "data.parquet"
        else:
            path = Path(data)
            content, name = read_file(path, f"upload {str(path)!r}", TABLE_BYTES), path.name
        headers = {"Content-Type": "application/octet-stream"}
        return self._document("POST", "datasets", params={"file": file or name}, data=content, headers=headers)

    def delete_data(self, digest: str) -> None:
        """Delete a table that was uploaded, unless an experiment needs it."""
        self._asked("DELETE", f"datasets/{quote(digest, safe='')}")

    def pause(self, name: str) -> str:
        """Pause an experiment at the next edge of a generation. Returns its status, as the next three do."""
        return self._changed(name, "pause")

    def resume(self, name: str) -> str:
        """Continue an experiment."""
        return self._changed(name, "resume")

    def stop(self, name: str) -> str:
        """End an experiment when what is in flight is finished."""
        return self._changed(name, "stop")

    def cancel(self, name: str) -> str:
        """End an experiment, and drop what is in flight."""
        return self._changed(name, "cancel")

    def extend(self, name: str, **further: Any) -> str:
        """Continue an experiment that is done. further: trials, repeats, extend, until_decided, max_repeats and limits,
        as for `cooldown.resume`. Returns its status.
        """
        given = {key: value for key, value in further.items() if value is not None}
        return str(self._json("POST", self._of(name, "extend"), json=given)["status"])

    def annotate(self, name: str, *, tags: Sequence[str] | None = None, notes: str | None = None) -> dict[str, Any]:
        """Replace the tags or notes of an experiment; None leaves them as they are. Returns `{"name", "status", "tags",
        "notes"}`.
        """
        given = {"tags": None if tags is None else list(tags), "notes": notes}
        return self._document("PATCH", self._of(name), json=given)

    def delete(self, name: str) -> None:
        """Delete an experiment with all its trials; not while it runs."""
        self._asked("DELETE", self._of(name))

    def webhooks(self) -> list[dict[str, Any]]:
        """The addresses that are notified when your experiments end."""
        found: list[dict[str, Any]] = self._json("GET", "webhooks")["webhooks"]
        return found

    def add_webhook(self, url: str, *, every: bool = False) -> dict[str, Any]:
        """Notify a public address when an experiment of yours ends, or with `every` (admins only) anybody's.
        Returns `{"id", "secret", …}`; requests are signed with the secret, which nothing shows again.
        """
        return self._document("POST", "webhooks", json={"url": url, "every": every})

    def delete_webhook(self, id: int) -> None:
        """Delete a webhook."""
        self._asked("DELETE", f"webhooks/{id}")

    # -- training loops of one's own ----------------------------------------------------------------------------------

    def ask(self, name: str) -> dict[str, Any] | None:
        """A run of the experiment `name`, which was submitted with `loop`, for a training loop of your own: `{"id",
        "config", "seed", "epochs", "train", "held_out", …}`; None if the experiment is done, or all are being trained.
        """
        run: dict[str, Any] | None = self._json("POST", self._of(name, "ask"))["run"]
        return run

    def tell(self, name: str, id: str, reports: Sequence[Mapping[str, float | None]]) -> str:
        """Report a run: `train_loss`, `held_out_loss` and perhaps `score` of each epoch, in their order;
        None for a loss that is not finite. Returns the status of the experiment.
        """
        body = {"reports": [dict(report) for report in reports]}
        return str(self._json("POST", self._of(name, "trials", id, "tell"), json=body)["status"])

    # -- asking -------------------------------------------------------------------------------------------------------

    def _spec(self, task: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The body of a submission; a table is uploaded first, and so is its test set."""
        given = {name: value for name, value in settings.items() if value is not None}
        tables = {"task": task, **({"test": given["test"]} if "test" in given else {})}
        return {**given, **{name: self._uploaded(table) for name, table in tables.items()}}

    def _uploaded(self, table: Any) -> Any:
        """A table by the name that it has when it is uploaded, which it is now; anything else as it is."""
        text = fspath(table) if isinstance(table, PathLike) else table
        if is_frame(text) or (isinstance(text, str) and not is_upload(text) and Path(text).is_file()):
            return self.upload(text)["task"]
        return text

    def _changed(self, name: str, verb: str) -> str:
        return str(self._json("POST", self._of(name, verb))["status"])

    def _of(self, name: str, *further: str) -> str:
        return "/".join(["experiments", quote(name, safe=""), *further])

    def _pages(self, path: str, query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        cursor = None
        while True:
            page = self._document("GET", path, params={**query, "cursor": cursor})
            yield page
            cursor = page["next"]
            if cursor is None:
                return

    def _document(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        document: dict[str, Any] = self._json(method, path, **options)
        return document

    def _json(self, method: str, path: str, **options: Any) -> Any:
        return self._asked(method, path, **options).json()

    def _asked(self, method: str, path: str, **options: Any) -> requests.Response:
        return self._connection.asked(method, path, **options)


def _events(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """The events of a stream's lines."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        else:
            if "event" in fields:
                id = {"id": fields["id"]} if "id" in fields else {}
                yield {"event": fields["event"], **id, **json.loads(fields.get("data", "{}"))}
            fields = {}


def _parquet(frame: Any) -> bytes:
    """A table in memory as a Parquet file."""
    import io

    import narwhals

    buffer = io.BytesIO()
    narwhals.from_native(frame, eager_only=True).to_pandas().to_parquet(buffer, index=False)
    return buffer.getvalue()
