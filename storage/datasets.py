"""Uploaded data sets: files by the hash of their content, and who uploaded each."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, Text, delete, func, insert, select, type_coerce

from cooldown.objectives.data.uploaded import PREFIX, is_upload
from cooldown.storage import tables
from cooldown.storage.acts import note
from cooldown.storage.address import shown
from cooldown.storage.database import Database
from cooldown.storage.errors import LedgerError


@dataclass(frozen=True)
class DataSet:
    """An uploaded file. digest: SHA-256 of its content, in hexadecimal. file: what its owner called it. size: bytes."""

    digest: str
    owner: str
    file: str
    size: int
    created_at: float

    def to_json(self) -> dict[str, Any]:
        """The data set as the API shows it."""
        return {"task": f"{PREFIX}{self.digest}", **asdict(self)}


class DataSets:
    """The uploaded data sets of a ledger. May be used by several threads."""

    def __init__(self, database: Database) -> None:
        self._database, self._where = database, database.where

    def add(self, content: bytes, owner: str, file: str, room: int | None = None) -> tuple[DataSet, bool]:
        """Keep a file for its owner. Returns it, and whether it is new to this owner.

        room: bytes that the owner's files may have together; None for any number. Raises LedgerError where there is no
        room.
        """
        d, o = tables.datasets, tables.dataset_owners
        digest, size = hashlib.sha256(content).hexdigest(), len(content)

        def add(connection: Connection) -> bool:
            self._database.lock_names(connection)
            if connection.execute(select(o.c.digest).where(_of(digest, owner))).first():
                return False
            sizes = select(func.sum(d.c.size)).join(o, o.c.digest == d.c.digest).where(o.c.owner == owner)
            held = connection.execute(sizes).scalar() or 0
            if room is not None and held + size > room:
                raise LedgerError(
                    f"the data sets of {owner!r} would have {held + size:,} bytes together, more than {room:,}"
                )
            now = self._database.now(connection)
            if not connection.execute(select(d.c.digest).where(d.c.digest == digest)).first():
                connection.execute(insert(d).values(digest=digest, content=content, size=size))
            connection.execute(insert(o).values(digest=digest, owner=owner, file=file, created_at=now))
            note(self._database, connection, "upload", digest, file=file, size=size)
            return True

        new = self._database.write(add)
        found = self.of(owner, digest)
        if found is None:
            raise LedgerError(f"the data set {digest} was removed while it was uploaded")
        return found, new

    def remove(self, digest: str, owner: str) -> None:
        """Remove an owner's file; its content too, where nobody else has it.

        Raises LedgerError where an experiment of the owner's is on it.
        """
        d, o, e = tables.datasets, tables.dataset_owners, tables.experiments

        def remove(connection: Connection) -> None:
            self._database.lock_names(connection)
            owned = connection.execute(select(e.c.name, e.c.spec).where(e.c.owner == owner))
            if using := [row.name for row in owned if digest in digests_of(row.spec)]:
                raise LedgerError(f"the experiment {using[0]!r} is on the data set {digest}: delete it first")
            connection.execute(delete(o).where(_of(digest, owner)))
            if connection.execute(select(o.c.owner).where(o.c.digest == digest)).first() is None:
                connection.execute(delete(d).where(d.c.digest == digest))
            note(self._database, connection, "delete data", digest)

        self._database.write(remove)

    def of(self, owner: str | None, digest: str) -> DataSet | None:
        """A data set that this owner uploaded, or with None anybody; None if it is not there."""
        return next((found for found in self.list(owner) if found.digest == digest), None)

    def list(self, owner: str | None = None) -> Sequence[DataSet]:
        """The data sets of one owner, or of all, newest first."""
        d, o = tables.datasets, tables.dataset_owners
        query = select(d.c.digest, o.c.owner, o.c.file, d.c.size, o.c.created_at).join(d, d.c.digest == o.c.digest)
        query = query if owner is None else query.where(o.c.owner == owner)
        ordered = query.order_by(o.c.created_at.desc(), d.c.digest)
        return self._database.read(lambda connection: [DataSet(*row) for row in connection.execute(ordered)])

    def content(self, digest: str) -> bytes:
        """The bytes of a data set; raises LedgerError if it is not there, or damaged."""
        d = tables.datasets
        query = select(d.c.content).where(d.c.digest == digest)
        content = self._database.read(lambda connection: connection.execute(query).scalar())
        if content is None:
            raise LedgerError(f"the ledger {self._where} has no data set {digest}: upload its file")
        if hashlib.sha256(content).hexdigest() != digest:
            raise LedgerError(f"the data set {digest} in the ledger {self._where} is damaged: upload its file again")
        return bytes(content)


@dataclass(frozen=True)
class Uploads:
    """Where an experiment's uploaded data set is: the ledger at this address. It is pickled without a password."""

    url: str = field(repr=False)

    def __reduce__(self) -> tuple[type["Uploads"], tuple[str]]:
        return Uploads, (shown(self.url),)

    def __call__(self, digest: str) -> bytes:
        """The bytes of a data set; raises LedgerError if it is not there."""
        return DataSets(Database(self.url, create=False)).content(digest)


def check_there(connection: Connection, spec: Mapping[str, Any]) -> None:
    """Raise LedgerError unless the data sets that a new experiment is on are there; after `Database.lock_names`."""
    d = tables.datasets
    for digest in sorted(digests_of(spec)):
        if connection.execute(select(d.c.digest).where(d.c.digest == digest)).first() is None:
            raise LedgerError(f"the data set {digest} was removed meanwhile: submit its file again")


def drop_unused(connection: Connection, spec: Mapping[str, Any]) -> None:
    """Remove the data sets of an experiment that was deleted, where they were kept for a user of this machine, who has
    the files, and nothing else is on them; after `Database.lock_names`.
    """
    d, o, e = tables.datasets, tables.dataset_owners, tables.experiments
    for digest in digests_of(spec):
        named = type_coerce(e.c.spec, Text).contains(f"{PREFIX}{digest}")
        if connection.execute(select(e.c.id).where(named).limit(1)).first() is None:
            connection.execute(delete(o).where(_of(digest, "")))
            if connection.execute(select(o.c.owner).where(o.c.digest == digest)).first() is None:
                connection.execute(delete(d).where(d.c.digest == digest))


def digests_of(spec: Mapping[str, Any]) -> set[str]:
    """The uploaded data sets that an experiment is on: its rows, and its test rows where these are another."""
    named = [str(spec.get(field)) for field in ("task", "test")]
    return {text.removeprefix(PREFIX) for text in named if is_upload(text)}


def _of(digest: str, owner: str) -> Any:
    o = tables.dataset_owners
    return (o.c.digest == digest) & (o.c.owner == owner)
