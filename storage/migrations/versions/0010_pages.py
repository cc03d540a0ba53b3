"""Lists page by page, and submissions that find an experiment of the same spec: two indices and a digest of specs."""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

EXPERIMENTS = sa.table(
    "cooldown_experiments", sa.column("id", sa.Integer), sa.column("spec", sa.Text), sa.column("spec_digest", sa.String)
)


def upgrade() -> None:
    """Add the column, with the digests of the specs that can be read."""
    op.add_column("cooldown_experiments", sa.Column("spec_digest", sa.String(64)))
    op.create_index(
        "ix_cooldown_experiments_newest", "cooldown_experiments", [sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_index("ix_cooldown_experiments_asked", "cooldown_experiments", ["task_fingerprint", "spec_digest"])
    connection = op.get_bind()
    for id, spec in connection.execute(sa.select(EXPERIMENTS.c.id, EXPERIMENTS.c.spec)).all():
        if (digest := _digest(spec)) is not None:
            of_this = sa.update(EXPERIMENTS).where(EXPERIMENTS.c.id == id)
            connection.execute(of_this.values(spec_digest=digest))


def _digest(text: object) -> str | None:
    """The digest of a spec (`storage/specs.py`); None for what is none."""
    try:
        spec = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(spec, dict):
        return None
    same = {
        key: value for key, value in spec.items() if value is not None and key not in ("until", "repeats", "widened")
    }
    return hashlib.sha256(json.dumps(_equal(same), sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()


def _equal(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _equal(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_equal(inner) for inner in value]
    return float(value) if isinstance(value, int) and abs(value) < 2**53 else value
