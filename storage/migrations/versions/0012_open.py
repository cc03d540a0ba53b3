"""Experiments whose callers train their runs are open between two calls: a column that says which these are."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

EXPERIMENTS = sa.table(
    "cooldown_experiments",
    sa.column("id", sa.Integer),
    sa.column("status", sa.String),
    sa.column("asked", sa.Integer),
)
LOOPS = sa.table("cooldown_loops", sa.column("experiment_id", sa.Integer))


def upgrade() -> None:
    """Add the column, and mark those that there are; what was called interrupted of them is open."""
    op.add_column("cooldown_experiments", sa.Column("asked", sa.Integer, nullable=False, server_default="0"))
    theirs = EXPERIMENTS.c.id.in_(sa.select(LOOPS.c.experiment_id))
    op.execute(sa.update(EXPERIMENTS).where(theirs).values(asked=1))
    op.execute(sa.update(EXPERIMENTS).where(theirs & (EXPERIMENTS.c.status == "interrupted")).values(status="open"))
