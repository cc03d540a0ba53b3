"""Who trained what and when; and the alarms of an answer, for lists."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

DOCUMENT = sa.JSON().with_variant(sa.Text(), "postgresql")


def upgrade() -> None:
    """Add the table and the column; of older experiments neither is known."""
    op.add_column("cooldown_experiments", sa.Column("alarms", DOCUMENT))
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
