"""An experiment counts the transactions that added results to it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column; the count only has to grow."""
    op.add_column("cooldown_experiments", sa.Column("appends", sa.Integer, nullable=False, server_default="0"))
