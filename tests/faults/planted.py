"""Mistakes that the tests must see, one at a time: what is replaced in which file, and the tests that are run on it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fault:
    """`old` stands in `file` once. With `new` in its place one of `tests`, a part of `make test`, must fail."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def plant(self, root: Path) -> None:
        """Put it into the tree at `root`."""
        path = root / self.file
        text = path.read_text("utf-8")
        if text.count(self.old) != 1:
            raise ValueError(
                f"{self.name}: {self.file} should have once: {self.old}, has it {text.count(self.old)} times"
            )
        path.write_text(text.replace(self.old, self.new), "utf-8")


FAULTS = (
    Fault(
        "a claim is contradicted by effects that are too small, and not by those that are too large",
        "search/statistics/claims.py",
        "elif high < above or low > below:",
        "elif high < above:",
        ("tests/search/test_claim_statistics.py",),
    ),
    Fault(
        "a rule goes uphill",
        "objectives/optimizers/momentum.py",
        "return theta - learning_rate * velocity",
        "return theta + learning_rate * velocity",
        ("tests/objectives/test_optimizers.py",),
    ),
    Fault(
        "Adam corrects its second moment by the decay of the first",
        "objectives/optimizers/adam.py",
        "np.sqrt(1 - beta2**t)",
        "np.sqrt(1 - beta1**t)",
        ("tests/objectives/test_optimizers.py",),
    ),
    Fault(
        "a schedule cuts one update early",
        "objectives/schedules/step.py",
        "np.floor(s / every + ROUNDING)",
        "np.floor((s + 1) / every + ROUNDING)",
        ("tests/objectives/test_schedules.py",),
    ),
    Fault(
        "a run waits one epoch too long before it stops",
        "objectives/training/watch.py",
        "self._since_best >= self.stop_after",
        "self._since_best > self.stop_after",
        ("tests/objectives/test_watch.py",),
    ),
    Fault(
        "replicates share their dropout masks",
        "objectives/training/population.py",
        'generator(seed, "dropout") for seed in self.seeds',
        'generator(self.seeds[0], "dropout") for _ in self.seeds',
        ("tests/objectives/test_strategies.py", "tests/objectives/test_replicates.py"),
    ),
    Fault(
        "validation rows are trained on",
        "objectives/data/splits.py",
        "return Split(train, validation, test)",
        "return Split(rest, validation, test)",
        ("tests/objectives/test_problems.py", "tests/search/test_fairness.py"),
    ),
    Fault(
        "an interval has 90 % in place of 95 %",
        "search/statistics/intervals.py",
        "t_quantiles((1 + confidence) / 2, n - 1)",
        "t_quantiles(confidence, n - 1)",
        ("tests/search/test_intervals.py",),
    ),
    Fault(
        "a ratio of losses is upside down",
        "search/statistics/paired.py",
        'np.log(of_a) - np.log(of_b) if scale == "ratio"',
        'np.log(of_b) - np.log(of_a) if scale == "ratio"',
        ("tests/search/test_verdict.py",),
    ),
    Fault(
        "the arms of a figure are swapped",
        "search/figures/verdict.py",
        "look = known[leader]",
        "look = known[verdict.a if leader == verdict.b else verdict.b]",
        ("tests/search/figures",),
    ),
    Fault(
        "a table has minutes in its column of seconds",
        "search/evidence/trials.py",
        '"seconds": sum(curve.seconds for curve in curves),',
        '"seconds": sum(curve.seconds for curve in curves) / 60,',
        ("tests/search/export/test_formats.py",),
    ),
    Fault(
        "a generation is asked for twice",
        "search/tuning/sampling.py",
        "self.index = 1 + max((trial.generation for trial in study.trials), default=-1)",
        "self.index = max((trial.generation for trial in study.trials), default=0)",
        ("tests/search/test_space.py",),
    ),
    Fault(
        "a run that is to pause begins further jobs",
        "search/tuning/runner.py",
        "            if ending is None:\n                self._submit()",
        "            self._submit()",
        ("tests/search/test_queued_experiments.py",),
    ),
    Fault(
        "nobody asks for the lease",
        "storage/writer.py",
        "select(e.c.appends, e.c.requested).where(self._mine).with_for_update()",
        "select(e.c.appends, e.c.requested).where(e.c.id == self.lease.id).with_for_update()",
        ("tests/storage/test_lease.py",),
    ),
    Fault(
        "the PyTorch script has no weight decay",
        "search/export/templates/torch.py.jinja",
        'parameter.mul_(1 - optimizer.param_groups[0]["lr"] * {{ config.weight_decay | literal }})',
        "parameter.mul_(1)",
        ("tests/search/export/test_torch.py",),
    ),
    Fault(
        "the Keras script uses Keras's momentum under a schedule, which is another rule there",
        "search/export/formats/keras.py",
        "native = program.rule(steady=steady)",
        "native = program.rule(steady=True)",
        ("tests/search/export/test_keras.py",),
    ),
    Fault(
        "the JAX script shrinks the weights by the first rate, whatever the schedule",
        "search/export/templates/optax.py.jinja",
        '"schedule(index)" if scheduled else "LEARNING_RATE"',
        '"LEARNING_RATE" if scheduled else "LEARNING_RATE"',
        ("tests/search/export/test_optax.py",),
    ),
    Fault(
        "the scikit-learn program forgets its clipping",
        "search/export/templates/sklearn_estimator.jinja",
        "{% if config.clip_norm is not none %}",
        "{% if false %}",
        ("tests/search/export/test_sklearn.py",),
    ),
    Fault(
        "a text of the report is no longer escaped",
        "search/report/page.py",
        "autoescape=True",
        "autoescape=False",
        ("tests/search/test_report.py",),
    ),
    Fault(
        "a user's own test rows are trained on",
        "objectives/data/splits.py",
        "rest = np.setdiff1d(everything, test)",
        "rest = everything",
        ("tests/objectives/test_own_test_sets.py",),
    ),
    Fault(
        "the classes of a user's own test rows are numbered without those of the training rows",
        "objectives/data/checks.py",
        "return np.searchsorted(labels, values).astype(np.int64)",
        "return np.unique(values, return_inverse=True)[1].astype(np.int64)",
        ("tests/objectives/test_own_test_sets.py",),
    ),
    Fault(
        "an exported program measures the first rows instead of the user's own test rows",
        "search/export/templates/common.jinja",
        "rows, test = np.split(np.arange(len(y)), [-N_TEST])",
        "test, rows = np.split(np.arange(len(y)), [N_TEST])",
        ("tests/search/export/test_own_test_rows.py",),
    ),
    Fault(
        "references are trained on the test rows",
        "objectives/references.py",
        "X, y = model.X[problem.train], model.y[problem.train]",
        "X, y = model.X[problem.held_out], model.y[problem.held_out]",
        ("tests/objectives/test_references.py",),
    ),
    Fault(
        "a capped run keeps its own errors in the target's units",
        "objectives/training/recording.py",
        "errors=problem.units.uninformed if curve.capped else self.errors[r]",
        "errors=self.errors[r]",
        ("tests/objectives/test_target_units.py",),
    ),
    Fault(
        "references are trained for an experiment of protocol 1",
        "search/tuning/reference_jobs.py",
        "if spec.protocol == 1 or not splits.task.references:",
        "if not splits.task.references:",
        ("tests/search/test_reference_jobs.py",),
    ),
    Fault(
        "a single run is held against the interval that it widens itself",
        "search/statistics/doubts.py",
        "without, mean = mean_interval(others), float(means.mean())",
        "without, mean = mean_interval(means), float(others.mean())",
        ("tests/search/test_outcome_alarms.py",),
    ),
    Fault(
        "a token changes what is another's",
        "search/service/access/principal.py",
        "(self.role is Role.SUBMIT and owner == self.name)",
        "(self.role is Role.SUBMIT)",
        ("tests/service/test_control.py",),
    ),
    Fault(
        "a session is believed without its signature",
        "search/service/access/sessions.py",
        "if not hmac.compare_digest(signature.encode(), self._signature(said).encode()):",
        "if not signature:",
        ("tests/service/test_access.py",),
    ),
    Fault(
        "a browser whose session is over is taken for a user of this machine",
        "search/service/access/visitors.py",
        "return LOCAL if self.open else None",
        "return LOCAL",
        ("tests/dashboard/test_queue_page.py",),
    ),
    Fault(
        "a revoked token is let in",
        "storage/tokens.py",
        "known = connection.execute(select(t).where(t.c.revoked_at.is_(None))).all()",
        "known = connection.execute(select(t)).all()",
        ("tests/service/test_access.py",),
    ),
    Fault(
        "a submission that comes again makes a second experiment",
        "storage/ledger.py",
        "if submission is not None and (known := submitted_as(connection, submission)) is not None:",
        "if submission is not None and (known := None) is not None:",
        ("tests/service/test_control.py",),
    ),
    Fault(
        "a command ends on SIGHUP without a word",
        "cooldown/interrupts.py",
        'for name in ("SIGINT", "SIGTERM", "SIGHUP")',
        'for name in ("SIGINT", "SIGTERM")',
        ("tests/search/test_interrupts.py",),
    ),
    Fault(
        "a worker process that died is not replaced",
        "search/executors/engines/local.py",
        "                pool.close()\n                self._pool = None",
        "                pool.close()",
        ("tests/search/test_executor_laws.py",),
    ),
    Fault(
        "the search on a surface ends at the first rate that arrives",
        "objectives/trajectories.py",
        "if arrives and exponent <= best - SEARCHED_BELOW:",
        "if arrives:",
        ("tests/objectives/test_surfaces.py",),
    ),
    Fault(
        "the engine is one update ahead in the schedule",
        "objectives/training/population.py",
        "self.rates = np.stack(rates, axis=1).astype(dtype)",
        "self.rates = np.roll(np.stack(rates, axis=1), -1, axis=0).astype(dtype)",
        ("tests/objectives/test_engine.py",),
    ),
    Fault(
        "asynchronous workers forget the weight decay",
        "objectives/training/workers.py",
        "        p.decay_weights(p.theta, step)\n        p.update(",
        "        p.update(",
        ("tests/objectives/test_asynchronous.py",),
    ),
)
