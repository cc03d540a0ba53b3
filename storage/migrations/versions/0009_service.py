"""The service: tokens, the audit, uploaded data sets, and submissions that may be repeated."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

DOCUMENT = sa.JSON().with_variant(sa.Text(), "postgresql")


def upgrade() -> None:
    """Add the tables and the two columns; nothing of before was submitted with a key."""
    op.add_column("cooldown_experiments", sa.Column("submission", sa.String(64)))
    op.add_column("cooldown_experiments", sa.Column("submitted", sa.String(64)))
    op.create_index("uq_cooldown_submission", "cooldown_experiments", ["submission"], unique=True)
    op.create_table(
        "cooldown_tokens",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("quota", sa.Integer),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("last_used_at", sa.Float),
        sa.Column("revoked_at", sa.Float),
    )
    op.create_table(
        "cooldown_audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("details", DOCUMENT, nullable=False),
    )
    op.create_table(
        "cooldown_datasets",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "cooldown_dataset_owners",
        sa.Column(
            "digest", sa.String(64), sa.ForeignKey("cooldown_datasets.digest", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("owner", sa.String(64), primary_key=True),
        sa.Column("file", sa.String(200), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
