"""References beside the arms; curves know their errors in the target's own units."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the table and the two columns; of what there was, neither is known."""
    op.add_column("cooldown_curves", sa.Column("rmse", sa.Float))
    op.add_column("cooldown_curves", sa.Column("mae", sa.Float))
    op.create_table(
        "cooldown_references",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "experiment_id", sa.Integer, sa.ForeignKey("cooldown_experiments.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("repeat", sa.Integer, nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("loss", sa.Float, nullable=False),
        sa.Column("score", sa.Float),
        sa.Column("rmse", sa.Float),
        sa.Column("mae", sa.Float),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.UniqueConstraint("experiment_id", "repeat", "name"),
    )
