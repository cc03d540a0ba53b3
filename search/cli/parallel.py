"""The command that runs parallel SGD on this machine or a cluster, and measures it."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.text import Text

from cooldown.interrupts import orderly
from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.errors import InputError
from cooldown.search.cli.frame import app, print_json, say
from cooldown.search.cli.options import NAMING, ExecutorName, Force, Json, Trust, whole
from cooldown.search.cli.screen import OUT
from cooldown.search.cli.tables import Printed
from cooldown.search.evidence.numbers import Form, formatted
from cooldown.search.evidence.table import Column, Table
from cooldown.search.spec import limits

DEFAULT = (1, 2)
"""Numbers of threads or processes."""

SERVERS = ("downpour", "easgd")
BELONGS = {
    "--threads": ("hogwild",),
    "--processes": SERVERS,
    "--executor": SERVERS,
    "--every": SERVERS,
    "--elasticity": ("easgd",),
}
"""The systems that an option is for."""

MEASURED = ("gradients_per_second", "speed_up", "speed_up_of_cores", "loss", "loss_ratio")
"""What the table shows of a run."""


def _numbers(option: str) -> Any:
    """The settings of an option that takes numbers of workers, as in 1,2,4."""

    def parser(text: str) -> tuple[int, ...]:
        try:
            numbers = tuple(dict.fromkeys(int(part) for part in text.split(",")))
        except ValueError:
            raise typer.BadParameter(f"{text!r:.80} should be whole numbers with commas, as in 1,2,4") from None
        if min(numbers) < 1 or max(numbers) > limits.WORKERS:
            raise typer.BadParameter(f"{text!r:.80}: each number should be from 1 to {limits.WORKERS}")
        return numbers

    return typer.Option(option, parser=parser, metavar="N,N", show_default=False, help=f"{option[2:]} [default: 1,2]")


def _positive(option: str, text: str) -> Any:
    def parser(given: str) -> float:
        try:
            number = float(given)
        except ValueError:
            raise typer.BadParameter(f"{given!r:.80} is not a number") from None
        if not 0 < number < float("inf"):
            raise typer.BadParameter(f"{given:.80}: must be more than 0, and finite")
        return number

    return typer.Option(option, parser=parser, metavar="NUMBER", show_default=False, help=text)


@app.command()
def parallel(
    system: Annotated[str, typer.Argument(help="hogwild, downpour or easgd", metavar="SYSTEM")],
    task: Annotated[
        str | None,
        typer.Argument(
            help="a classification task such as sparse_text or digits; or rcv1_like, a synthetic set of 47,000 words",
            metavar="TASK",
            show_default=False,
            **NAMING,
        ),
    ] = None,
    svmlight: Annotated[
        str | None, typer.Option("--svmlight", help="file of rows in svmlight format, in place of TASK", metavar="FILE")
    ] = None,
    threads: Annotated[Any, _numbers("--threads")] = None,
    processes: Annotated[Any, _numbers("--processes")] = None,
    executor: ExecutorName = None,
    passes: Annotated[int, typer.Option("--passes", help="passes over all rows [default: 20]", **whole(1, 1000))] = 20,
    rate: Annotated[
        float | None,
        _positive("--rate", "learning rate of the first pass [default: 1 over a row's mean squared length]"),
    ] = None,
    batch_size: Annotated[
        int, typer.Option("--batch-size", help="rows per update [default: 1]", **whole(1, 10**6))
    ] = 1,
    every: Annotated[
        int | None,
        typer.Option(
            "--every", help="updates after which a worker sends to the server [default: 512]", **whole(1, 10**6)
        ),
    ] = None,
    elasticity: Annotated[float | None, _positive("--elasticity", "for easgd: the force β [default: 0.9]")] = None,
    seed: Annotated[int, typer.Option("--seed", help="seed of the row order [default: 0]", **whole(0))] = 0,
    rounds: Annotated[
        int, typer.Option("--rounds", help="times each run is measured, taking turns [default: 3]", **whole(1, 1000))
    ] = 3,
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="JSON file to write", metavar="FILE", show_default=False)
    ] = None,
    force: Force = False,
    trust: Trust = False,
    json_: Json = False,
) -> None:
    """Train in parallel threads or processes, and compare speed and loss with plain SGD."""
    from cooldown.objectives import asynchronous
    from cooldown.objectives.parallel.descent import Descent
    from cooldown.objectives.parallel.worker import Exchange
    from cooldown.search.cli.output import check_output, write_output
    from cooldown.search.executors.contract import JobError, WorkerLostError
    from cooldown.search.parallel.data import rows_of
    from cooldown.search.parallel.measurement import SYSTEMS, of_server, of_threads
    from cooldown.search.tuning.held import RunError

    if system not in SYSTEMS:
        raise unknown_name("parallel system", system, SYSTEMS)
    given = {"--threads": threads, "--processes": processes, "--executor": executor, "--every": every}
    given["--elasticity"] = elasticity
    for option, value in given.items():
        if value is not None and system not in BELONGS[option]:
            raise InputError(f"parallel {system}: {option} is for {' and '.join(BELONGS[option])}")
    if output is not None:
        check_output(Path(output), force)
    if elasticity is not None:
        # As for simulated workers: a force beyond what is stable is told.
        asynchronous.get(system).complete({"workers": min(processes or DEFAULT), "elasticity": elasticity})
    name, rows = rows_of(task, svmlight)
    descent = Descent(rate or rows.usual_rate, passes, batch_size=batch_size, seed=seed)
    try:
        # Processes are ended, and files of theirs removed.
        with orderly():
            if system == "hogwild":
                measured = of_threads(name, rows, descent, threads or DEFAULT, rounds)
            else:
                exchange = Exchange(system, every or 512, elasticity or 0.9)
                measured = of_server(name, rows, descent, exchange, processes or DEFAULT, executor or "local", rounds)
    except (JobError, WorkerLostError) as error:
        raise RunError(f"parallel {system}: {error}") from error
    document = measured.document()
    if output is not None:
        write_output(Path(output), f"{json.dumps(document, indent=2)}\n", force)
        say(f"Wrote {output}.")
    if json_:
        print_json(document)
    else:
        OUT.print(_shown(document))


def _shown(document: dict[str, Any]) -> Group:
    """What is printed: the data, a row for each system and number of workers, and what else was running."""
    data = document["data"]
    table = Table(
        (
            Column("System"),
            Column("Workers", Form.COUNT),
            Column("Gradients per second", Form.COUNT),
            Column("Speed-up", Form.WIDTH),
            Column("Speed-up of cores", Form.WIDTH),
            Column("Final loss", Form.LOSS),
            Column("Loss ratio", Form.RATIO),
        ),
        [
            tuple(run[key] for key in ("system", "workers", *MEASURED))
            for run in (document["serial"], *document["runs"])
        ],
    )
    return Group(
        Text(
            f"{data['name']}: {data['rows']:,} rows of {data['features']:,} features in {data['classes']} classes, "
            f"{100 * data['filled']:.2f} % filled; ρ {data['rho']:.3g}, Δ {data['delta']:.3g}\n"
        ),
        Printed(table),
        Text(
            "\nSpeed-up and loss ratio are relative to plain SGD in one thread. Other programs "
            "make the speed-up too low, and the speed-up of cores, which counts only the time in which the busiest "
            "worker had a core, too high. "
            f"Load average in the minute before: {formatted(document['load'], Form.READING)} processes.",
            style="dim",
        ),
    )
