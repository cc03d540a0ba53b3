"""Curves know the rate as it was executed, and the epoch whose parameters a run ended with."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the two columns. Of earlier runs the rates were not kept, and all that finished kept their last epoch."""
    op.add_column("cooldown_curves", sa.Column("learning_rate", sa.LargeBinary))
    op.add_column("cooldown_curves", sa.Column("kept_epoch", sa.Integer, nullable=False, server_default=sa.text("0")))
    op.execute("UPDATE cooldown_curves SET kept_epoch = length(train_loss) / 8 WHERE outcome = 'completed'")
