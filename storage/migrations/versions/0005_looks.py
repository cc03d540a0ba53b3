"""An experiment knows how often its answer was looked at; curves know the score of the uninformed predictor."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

DOCUMENT = sa.JSON().with_variant(sa.Text(), "postgresql")


def upgrade() -> None:
    """Add the two columns; of what there was, neither is known, and nothing had been looked at more than once."""
    op.add_column("cooldown_curves", sa.Column("uninformed_score", sa.Float))
    op.add_column("cooldown_experiments", sa.Column("looks", DOCUMENT))
