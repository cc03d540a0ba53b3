"""Webhooks: who is told that an experiment has ended, and what is still to be told."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "cooldown_webhooks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("every", sa.Integer, nullable=False),
        sa.Column("secret", sa.String(64), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_table(
        "cooldown_deliveries",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("webhook_id", sa.Integer, sa.ForeignKey("cooldown_webhooks.id", ondelete="CASCADE"), nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("experiment", sa.String(200), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("ended_at", sa.Float, nullable=False),
        sa.Column("due_at", sa.Float),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("answer", sa.String(200), nullable=False),
    )
    op.create_index("ix_cooldown_deliveries_due", "cooldown_deliveries", ["due_at"])
