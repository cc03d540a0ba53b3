"""An arm has more than one study in a repeat: of its default config, and again over wider ranges."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NAMED = {"uq": "uq_%(table_name)s"}
"""A constraint without a name gets this one while the table is built anew, so that it can be dropped."""


def upgrade() -> None:
    """Add the two columns; all that there were are first searches."""
    with op.batch_alter_table("cooldown_studies", naming_convention=NAMED) as table:
        table.add_column(sa.Column("variant", sa.String(10), nullable=False, server_default="tuned"))
        table.add_column(sa.Column("attempt", sa.Integer, nullable=False, server_default="0"))
        table.drop_constraint("uq_cooldown_studies", type_="unique")
        table.create_unique_constraint("uq_cooldown_studies", ["experiment_id", "arm", "repeat", "variant", "attempt"])
