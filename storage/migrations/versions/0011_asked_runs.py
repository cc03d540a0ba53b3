"""Training loops of a caller's own: the task that an experiment is on, and the runs that callers have asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

DOCUMENT = sa.JSON().with_variant(sa.Text(), "postgresql")


def upgrade() -> None:
    """Add the tables; no older experiment has any."""
    op.create_table(
        "cooldown_loops",
        sa.Column("experiment_id", sa.Integer, _of_experiment(), primary_key=True),
        sa.Column("n_samples", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("uninformed_loss", sa.Float),
    )
    op.create_table(
        "cooldown_asked_runs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("experiment_id", sa.Integer, _of_experiment(), nullable=False),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("job", sa.String(64), nullable=False),
        sa.Column("replicate", DOCUMENT, nullable=False),
        sa.Column("asked_at", sa.Float),
        sa.Column("told_at", sa.Float),
        sa.Column("reports", DOCUMENT),
        sa.UniqueConstraint("experiment_id", "run", name="uq_cooldown_asked_runs"),
    )


def _of_experiment() -> sa.ForeignKey:
    return sa.ForeignKey("cooldown_experiments.id", ondelete="CASCADE")
