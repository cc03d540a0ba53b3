"""Who trained what, and when."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the table; of older results it is not known."""
    op.create_table(
        "cooldown_work",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("experiment_id", sa.Integer, _part_of("cooldown_experiments.id"), nullable=False),
        sa.Column("study_id", sa.Integer, _part_of("cooldown_studies.id")),
        sa.Column("repeat", sa.Integer, nullable=False),
        sa.Column("purpose", sa.String(12), nullable=False),
        sa.Column("generation", sa.Integer),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("ended_at", sa.Float, nullable=False),
    )
    for column in ("experiment_id", "study_id"):
        op.create_index(f"ix_cooldown_work_{column}", "cooldown_work", [column])


def _part_of(column: str) -> sa.ForeignKey:
    return sa.ForeignKey(column, ondelete="CASCADE")
