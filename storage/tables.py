"""The ledger's tables. Optuna's own (`studies`, `trials`, …) are in the same database."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from cooldown.storage.documents import JSONText

REVISION = "0014"
"""The newest migration, so that an up-to-date ledger opens without loading Alembic; a test checks that they agree."""

VERSION_TABLE = "cooldown_version"

metadata = MetaData()


def version_table(name: str) -> Table:
    """The table of a revision as Alembic makes it, which owns it."""
    key = PrimaryKeyConstraint("version_num", name=f"{name}_pkc")
    return Table(name, MetaData(), Column("version_num", String(32), nullable=False), key)


version = version_table(VERSION_TABLE)

DOCUMENT = JSON(none_as_null=True).with_variant(JSONText(), "postgresql")
"""JSON as text, also where a database has a type of its own for it: that would refuse what JSON in Python may hold."""

experiments = Table(
    "cooldown_experiments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("spec", DOCUMENT, nullable=False),
    Column("task_fingerprint", String(64), nullable=False),
    Column("environment", DOCUMENT, nullable=False, comment="package versions and machine"),
    Column("status", String(20), nullable=False),
    Column("message", Text, nullable=False, default=""),
    Column("created_at", Float, nullable=False, comment="seconds since 1970, UTC"),
    Column("finished_at", Float),
    Column("holder", DOCUMENT, comment="the process that runs it: host, pid, its start, a token"),
    Column("holder_token", String(32)),
    Column("heartbeat_at", Float),
    Column(
        "appends", Integer, nullable=False, default=0, server_default="0", comment="transactions that added results"
    ),
    Column("looks", DOCUMENT, comment="the numbers of repeats at which its answer was complete"),
    Column("extended_from", DOCUMENT, comment="for each extension, what it changed, as it was before"),
    Column(
        "priority",
        Integer,
        nullable=False,
        default=0,
        server_default="0",
        comment="in the queue: higher first",
        info={"signed": True},
    ),
    Column("queued_at", Float, comment="since when it is in the queue; null if it is not run by workers"),
    Column("requested", String(10), comment="pause, stop or cancel: what its run is asked for"),
    Column("requeues", Integer, nullable=False, default=0, server_default="0", comment="workers lost in a row"),
    Column("follows_plan", Integer, nullable=False, default=1, server_default="1", comment="0: ends with its spec"),
    Column("time_limit", Float, comment="seconds; null without one"),
    Column("max_gradient_evaluations", BigInteger, comment="null without a limit"),
    Column("seconds", Float, nullable=False, default=0, server_default="0", comment="for which it has been run"),
    Column("owner", String(200), nullable=False, default="", server_default=""),
    Column("tags", DOCUMENT),
    Column("notes", Text, nullable=False, default="", server_default=""),
    Column("submission", String(64), comment="a hash of the key of a submission that may be repeated"),
    Column("submitted", String(64), comment="and a hash of what was submitted with it"),
    Column("spec_digest", String(64), comment="by which those of the same spec are found"),
    Column("asked", Integer, nullable=False, default=0, server_default="0", comment="1: its callers train its runs"),
    Column("alarms", DOCUMENT, comment="kind and arm of each alarm of its answer; null where these are not known"),
)

Index("ix_cooldown_experiments_newest", experiments.c.created_at.desc(), experiments.c.id.desc())

Index("ix_cooldown_experiments_asked", experiments.c.task_fingerprint, experiments.c.spec_digest)

Index("uq_cooldown_submission", experiments.c.submission, unique=True)

Index(
    "ix_cooldown_experiments_queue",
    experiments.c.status,
    experiments.c.priority.desc(),
    experiments.c.queued_at,
    experiments.c.id,
)

studies = Table(
    "cooldown_studies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("experiment_id", ForeignKey(experiments.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("arm", String(400).with_variant(Text(), "postgresql"), nullable=False),
    Column("repeat", Integer, nullable=False),
    Column(
        "variant",
        String(10),
        nullable=False,
        server_default="tuned",
        comment="tuned, or default: without a search",
    ),
    Column("attempt", Integer, nullable=False, server_default="0", comment="how often the arm's ranges were widened"),
    Column("optuna_study_id", Integer, nullable=False),
    Column("sampler_state", DOCUMENT, nullable=False, comment="what the sampler keeps between generations"),
    UniqueConstraint("experiment_id", "arm", "repeat", "variant", "attempt", name="uq_cooldown_studies"),
)

trials = Table(
    "cooldown_trials",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("study_id", ForeignKey(studies.c.id, ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("parameters", DOCUMENT, nullable=False, comment="what the sampler chose, by Optuna parameter name"),
    Column("attributes", DOCUMENT, nullable=False, comment="what the sampler notes on a trial"),
    Column("config", DOCUMENT, nullable=False),
    Column("validation_loss", Float, nullable=False, comment="mean capped final loss over the search seeds"),
    Column("finished_at", Float, nullable=False),
    UniqueConstraint("study_id", "number"),
)

curves = Table(
    "cooldown_curves",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("trial_id", ForeignKey(trials.c.id, ondelete="CASCADE"), nullable=False),
    Column("purpose", String(12), nullable=False, comment="search, finalist or evaluation"),
    Column("seed", BigInteger, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("final_loss", Float, nullable=False, comment="capped held-out loss: validation, in an evaluation test"),
    Column("final_score", Float),
    Column("train_loss", LargeBinary, nullable=False, comment="little-endian float64, one an epoch"),
    Column("held_out_loss", LargeBinary, nullable=False),
    Column("held_out_score", LargeBinary, nullable=False),
    Column("learning_rate", LargeBinary, comment="of each epoch's last update; null in a run of an older version"),
    Column(
        "kept_epoch",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="whose parameters the run ended with; 0 if it diverged",
    ),
    Column("uninformed_loss", Float, nullable=False),
    Column("uninformed_score", Float, comment="null without a score, and in a run of an older version"),
    Column("rmse", Float, comment="in the target's own units; null without these, and in a run of an older version"),
    Column("mae", Float, comment="likewise"),
    Column("gradient_evaluations", BigInteger, nullable=False),
    Column("updates", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),
    UniqueConstraint("trial_id", "purpose", "seed"),
)

references = Table(
    "cooldown_references",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("experiment_id", ForeignKey(experiments.c.id, ondelete="CASCADE"), nullable=False),
    Column("repeat", Integer, nullable=False),
    Column("name", String(40), nullable=False, comment="a predictor that is not tuned"),
    Column("loss", Float, nullable=False, comment="capped test loss, in the unit of the arms'"),
    Column("score", Float),
    Column("rmse", Float, comment="in the target's own units; null without these"),
    Column("mae", Float, comment="likewise"),
    Column("seconds", Float, nullable=False),
    UniqueConstraint("experiment_id", "repeat", "name"),
)

work = Table(
    "cooldown_work",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("experiment_id", ForeignKey(experiments.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("study_id", ForeignKey(studies.c.id, ondelete="CASCADE"), index=True, comment="null: a repeat's references"),
    Column("repeat", Integer, nullable=False),
    Column("purpose", String(12), nullable=False),
    Column("generation", Integer, comment="of a search's trials"),
    Column("worker", Text, nullable=False, comment="its machine and process"),
    Column("started_at", Float, nullable=False, comment="by the worker's clock"),
    Column("ended_at", Float, nullable=False),
)
"""Who trained what, and when."""

loops = Table(
    "cooldown_loops",
    metadata,
    Column("experiment_id", ForeignKey(experiments.c.id, ondelete="CASCADE"), primary_key=True),
    Column("n_samples", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("uninformed_loss", Float, comment="null: each run's first held-out loss"),
)

asked_runs = Table(
    "cooldown_asked_runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("experiment_id", ForeignKey(experiments.c.id, ondelete="CASCADE"), nullable=False),
    Column("run", String(64), nullable=False, comment="a hash of the replicate"),
    Column("job", String(64), nullable=False, comment="a hash of the runs that are recorded together"),
    Column("replicate", DOCUMENT, nullable=False, comment="what is to be trained"),
    Column("asked_at", Float, comment="when it was handed out last; null if it was not yet"),
    Column("told_at", Float),
    Column("reports", DOCUMENT, comment="what was told of its epochs"),
    UniqueConstraint("experiment_id", "run", name="uq_cooldown_asked_runs"),
)

tokens = Table(
    "cooldown_tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(10), nullable=False, comment="read, submit or admin"),
    Column("quota", Integer, comment="experiments queued at once; null for any number"),
    Column("salt", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False, comment="SHA-256 of salt and token"),
    Column("created_at", Float, nullable=False),
    Column("last_used_at", Float),
    Column("revoked_at", Float),
)

audit = Table(
    "cooldown_audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("who", String(64), nullable=False, comment="a token's name, or local"),
    Column("action", String(40), nullable=False),
    Column("subject", String(200), nullable=False, comment="an experiment, a data set or a token"),
    Column("details", DOCUMENT, nullable=False),
)

datasets = Table(
    "cooldown_datasets",
    metadata,
    Column("digest", String(64), primary_key=True, comment="SHA-256 of the content, in hexadecimal"),
    Column("content", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False, comment="bytes"),
)

dataset_owners = Table(
    "cooldown_dataset_owners",
    metadata,
    Column("digest", ForeignKey(datasets.c.digest, ondelete="CASCADE"), primary_key=True),
    Column("owner", String(64), primary_key=True, comment="a token's name, or local"),
    Column("file", String(200), nullable=False),
    Column("created_at", Float, nullable=False),
)

webhooks = Table(
    "cooldown_webhooks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner", String(64), nullable=False, comment="a token's name, or local"),
    Column("url", String(2000), nullable=False),
    Column("every", Integer, nullable=False, comment="1: told of the experiments of everybody"),
    Column("secret", String(64), nullable=False, comment="with which it is signed"),
    Column("created_at", Float, nullable=False),
)

deliveries = Table(
    "cooldown_deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("webhook_id", ForeignKey(webhooks.c.id, ondelete="CASCADE"), nullable=False),
    Column("event", String(32), nullable=False, comment="the id by which a receiver knows it"),
    Column("experiment", String(200), nullable=False),
    Column("status", String(20), nullable=False),
    Column("ended_at", Float, nullable=False),
    Column("due_at", Float, comment="null: told, or given up"),
    Column("attempts", Integer, nullable=False),
    Column("answer", String(200), nullable=False, comment="to the last try"),
)

Index("ix_cooldown_deliveries_due", deliveries.c.due_at)
