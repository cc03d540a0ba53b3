"""An arm has more than one study in a repeat: of its default config, and again over wider ranges."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NAMED = {"uq": "uq_%(table_name)s"}
"""A constraint without a name gets this one while the table is built anew, so that it can be dropped."""


def upgrade() -> None:
    """Add the two columns; all that there were are first searches. And say what an experiment was extended from."""
    with op.batch_alter_table("cooldown_studies", naming_convention=NAMED) as table:
        table.add_column(sa.Column("variant", sa.String(10), nullable=False, server_default="tuned"))
        table.add_column(sa.Column("attempt", sa.Integer, nullable=False, server_default="0"))
        table.drop_constraint("uq_cooldown_studies", type_="unique")
        table.create_unique_constraint("uq_cooldown_studies", ["experiment_id", "arm", "repeat", "variant", "attempt"])
    experiments = sa.table("cooldown_experiments", sa.column("id", sa.Integer), sa.column("extended_from", sa.JSON))
    connection = op.get_bind()
    for id_, trials in connection.execute(sa.select(experiments.c.id, experiments.c.extended_from)).all():
        if trials:
            before = [{"trials": number} for number in trials]
            connection.execute(experiments.update().where(experiments.c.id == id_).values(extended_from=before))
