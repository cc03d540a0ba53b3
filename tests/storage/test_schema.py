"""The tables of a new ledger are those that the migrations lead to, on each database."""

from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from cooldown.storage import Ledger, database, tables

pytestmark = pytest.mark.databases

FIRST = "0001"


def schema(connection: Connection) -> dict[str, Any]:
    """Everything that a database says of the ledger's own tables."""
    inspector = inspect(connection)
    found: dict[str, Any] = {}
    for name in sorted(inspector.get_table_names()):
        if name.startswith("cooldown_"):
            columns = inspector.get_columns(name)
            found[name] = {
                "columns": {c["name"]: (str(c["type"]), c["nullable"], c["default"]) for c in columns},
                "primary key": inspector.get_pk_constraint(name)["constrained_columns"],
                "unique": {tuple(u["column_names"]) for u in inspector.get_unique_constraints(name)},
                "foreign keys": {
                    (*f["constrained_columns"], f["referred_table"], f["options"].get("ondelete"))
                    for f in inspector.get_foreign_keys(name)
                },
                "indices": {i["name"] for i in inspector.get_indexes(name) if not i["unique"]},
            }
    return found


def test_a_new_ledger_has_the_tables_that_all_migrations_make(ledger: Ledger) -> None:
    assert ScriptDirectory(str(database.MIGRATIONS)).get_heads() == [tables.REVISION]
    with ledger._database.writing() as connection:
        created = schema(connection)
        names = [table.name for table in reversed(tables.metadata.sorted_tables)]
        for name in (*names, tables.VERSION_TABLE):
            connection.execute(text(f"DROP TABLE {name}"))
        assert schema(connection) == {}
        database.migrate(connection, FIRST)
        assert "cooldown_references" not in schema(connection)
        database.migrate(connection)
        assert schema(connection) == created
        revision = connection.execute(text(f"SELECT version_num FROM {tables.VERSION_TABLE}")).scalar()
        assert revision == tables.REVISION
