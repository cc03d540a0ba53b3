"""The ledger is a queue: what its owner asks of an experiment's run, and what the run has used."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

DOCUMENT = sa.JSON().with_variant(sa.Text(), "postgresql")


def upgrade() -> None:
    """Add the columns and the index; no experiment of before is in the queue, has a limit, or has used anything."""
    for column in (
        sa.Column("priority", sa.Integer, nullable=False, server_default="0"),
        sa.Column("queued_at", sa.Float),
        sa.Column("requested", sa.String(10)),
        sa.Column("requeues", sa.Integer, nullable=False, server_default="0"),
        sa.Column("follows_plan", sa.Integer, nullable=False, server_default="1"),
        sa.Column("time_limit", sa.Float),
        sa.Column("max_gradient_evaluations", sa.BigInteger),
        sa.Column("seconds", sa.Float, nullable=False, server_default="0"),
        sa.Column("owner", sa.String(200), nullable=False, server_default=""),
        sa.Column("tags", DOCUMENT),
        sa.Column("notes", sa.Text, nullable=False, server_default=""),
    ):
        op.add_column("cooldown_experiments", column)
    op.create_index(
        "ix_cooldown_experiments_queue",
        "cooldown_experiments",
        ["status", sa.text("priority DESC"), "queued_at", "id"],
    )
