"""The command that runs what waits in the queue: worker."""

from typing import Annotated

import typer

from cooldown.interrupts import draining
from cooldown.search.cli.frame import app
from cooldown.search.cli.options import Db, ExecutorName, Quiet, Trust, Workers, whole
from cooldown.search.cli.screen import ERR, say_at_once

MOST_EXPERIMENTS = 64


@app.command()
def worker(
    executor: ExecutorName = None,
    workers: Workers = None,
    experiments: Annotated[
        int,
        typer.Option(
            "--experiments",
            help="experiments to run at once; they share the worker processes [default: 1]",
            **whole(1, MOST_EXPERIMENTS),
        ),
    ] = 1,
    exit_when_idle: Annotated[
        bool, typer.Option("--exit-when-idle", help="exit when no queued experiment can run here")
    ] = False,
    db: Db = None,
    trust: Trust = False,
    quiet: Quiet = False,
) -> None:
    """Run queued experiments by priority; any number of workers may share a ledger.

    SIGTERM or Ctrl-C ends it when what is in flight is finished, and its experiments are back in the queue; a second
    one ends it at once.
    """
    from cooldown.search.experiments.live import plain
    from cooldown.search.service.worker import Worker

    def say(message: str) -> None:
        if not quiet:
            say_at_once(message)

    ours = Worker(
        db,
        executor=executor,
        workers=workers,
        experiments=experiments,
        exit_when_idle=exit_when_idle,
        trust=trust,
        say=say,
        report=(lambda: lambda _: None) if quiet else lambda: plain(ERR),
    )

    def drain() -> None:
        say("Ending: what is in flight is finished first. A second signal ends at once.")
        ours.drain()

    with draining(drain):
        say(f"Waiting for experiments in {ours.where}.")
        ours.work()
