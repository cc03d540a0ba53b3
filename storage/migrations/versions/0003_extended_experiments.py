"""Experiments know how they were extended."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

DOCUMENT = sa.JSON().with_variant(sa.Text(), "postgresql")


def upgrade() -> None:
    """Add the column; before it, nothing could be extended."""
    op.add_column("cooldown_experiments", sa.Column("extended_from", DOCUMENT))
