"""The first ledger: experiments, studies, trials, curves."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

DOCUMENT = sa.JSON().with_variant(sa.Text(), "postgresql")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "cooldown_experiments",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False, unique=True),
        sa.Column("spec", DOCUMENT, nullable=False),
        sa.Column("task_fingerprint", sa.String(64), nullable=False),
        sa.Column("environment", DOCUMENT, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("finished_at", sa.Float),
        sa.Column("holder", DOCUMENT),
        sa.Column("holder_token", sa.String(32)),
        sa.Column("heartbeat_at", sa.Float),
    )
    op.create_table(
        "cooldown_studies",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "experiment_id",
            sa.Integer,
            sa.ForeignKey("cooldown_experiments.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("arm", sa.String(400).with_variant(sa.Text(), "postgresql"), nullable=False),
        sa.Column("repeat", sa.Integer, nullable=False),
        sa.Column("optuna_study_id", sa.Integer, nullable=False),
        sa.Column("sampler_state", DOCUMENT, nullable=False),
        sa.UniqueConstraint("experiment_id", "arm", "repeat", name="uq_cooldown_studies"),
    )
    op.create_table(
        "cooldown_trials",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("study_id", sa.Integer, sa.ForeignKey("cooldown_studies.id", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("parameters", DOCUMENT, nullable=False),
        sa.Column("attributes", DOCUMENT, nullable=False),
        sa.Column("config", DOCUMENT, nullable=False),
        sa.Column("validation_loss", sa.Float, nullable=False),
        sa.Column("finished_at", sa.Float, nullable=False),
        sa.UniqueConstraint("study_id", "number"),
    )
    op.create_table(
        "cooldown_curves",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("trial_id", sa.Integer, sa.ForeignKey("cooldown_trials.id", ondelete="CASCADE"), nullable=False),
        sa.Column("purpose", sa.String(12), nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("final_loss", sa.Float, nullable=False),
        sa.Column("final_score", sa.Float),
        sa.Column("train_loss", sa.LargeBinary, nullable=False),
        sa.Column("held_out_loss", sa.LargeBinary, nullable=False),
        sa.Column("held_out_score", sa.LargeBinary, nullable=False),
        sa.Column("uninformed_loss", sa.Float, nullable=False),
        sa.Column("gradient_evaluations", sa.BigInteger, nullable=False),
        sa.Column("updates", sa.BigInteger, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.UniqueConstraint("trial_id", "purpose", "seed"),
    )
