"""Commands that take something away: export, report, train."""

import sys
from pathlib import Path
from pkgutil import iter_modules
from typing import Annotated

import typer

from cooldown.objectives.errors import InputError
from cooldown.search.cli.frame import ERR, OUT, app, print_json, say
from cooldown.search.cli.options import WHOLE, Db, Force, Json, Name, Output

# Found without importing them: `--help` answers at once.
FORMATS = sorted(name for _, name, _ in iter_modules([str(Path(__file__).parents[1] / "export" / "formats")]))

STDOUT = "-"
"""The file that is standard output, as elsewhere."""


@app.command()
def export(
    name: Name,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            help=f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]} [default: as FILE ends, else json]",
            metavar="FORMAT",
        ),
    ] = None,
    arm: Annotated[
        str | None, typer.Option("--arm", help="whose winner [default: the best arm's]", metavar="ARM")
    ] = None,
    repeat: Annotated[
        int | None, typer.Option("--repeat", help="of which repeat [default: the arm's best]", **WHOLE)
    ] = None,
    trial: Annotated[int | None, typer.Option("--trial", help="another trial than the winner", **WHOLE)] = None,
    curves: Annotated[bool, typer.Option("--curves", help="of csv and parquet: a row per epoch of every run")] = False,
    output: Output = None,
    force: Force = False,
    db: Db = None,
) -> None:
    """Write the best configuration as a file or as runnable code, or all trials as a table."""
    from cooldown.search import experiments
    from cooldown.search import export as formats
    from cooldown.search.cli.output import check_output, write_output

    path = None if output in (None, STDOUT) else Path(output)
    if path is not None:
        check_output(path, force)
    format = formats.named_after(path, format)
    written = formats.get(format)
    if path is None and isinstance(written, formats.TableFormat) and not written.text and sys.stdout.isatty():
        raise InputError(f"{format} is no text for a terminal: name a file with -o")
    made = formats.export(
        experiments.load(name, db=db).view, format, arm=arm, repeat=repeat, trial=trial, curves=curves
    )
    if path is None:
        _print(made.content)
    else:
        write_output(path, made.content, force)
    for remark in made.remarks:
        say(f"Note: {remark}.")
    if path is not None:
        say(f"Wrote {path}.")


@app.command()
def report(name: Name, output: Output = None, force: Force = False, db: Db = None) -> None:
    """Write everything that an experiment says as one web page that needs no network."""
    from cooldown.search import experiments
    from cooldown.search.cli.output import check_output, write_output
    from cooldown.search.report import report as page

    result = experiments.load(name, db=db)
    path = Path(f"{_file_name(name)}.html" if output is None else output)
    if output != STDOUT:
        if path.suffix.lower() == ".pdf":
            raise InputError(f"a report is a web page and no PDF: name it {path.with_suffix('.html')}")
        check_output(path, force)
    with ERR.status("Writing the report …"):
        text = page(result)
    if output == STDOUT:
        _print(text)
        return
    write_output(path, text, force)
    say(f"Wrote {path}: open it in a browser.")


@app.command()
def train(
    file: Annotated[str, typer.Argument(help="a configuration that `cooldown export` wrote", metavar="FILE")],
    task: Annotated[
        str | None, typer.Argument(help="another task than the one it was found on", metavar="TASK", show_default=False)
    ] = None,
    seeds: Annotated[
        int | None, typer.Option("--seeds", help="how many runs [default: those of its search]", **WHOLE)
    ] = None,
    target: Annotated[str | None, typer.Option("--target", help="a table's target column", metavar="COLUMN")] = None,
    json_: Json = False,
) -> None:
    """Train an exported configuration again, and compare with what was recorded."""
    from cooldown.search.cli import listings
    from cooldown.search.experiments.retrain import retrain

    if seeds is not None and seeds < 1:
        raise InputError(f"--seeds {seeds}: must be at least 1")
    with ERR.status("Training …"):
        found = retrain(Path(file), task, target=target, seeds=seeds)
    if json_:
        print_json(found.to_json())
    else:
        OUT.print(listings.retrained(found))
        for remark in found.remarks:
            say(f"Note: {remark}.")


def _print(content: str | bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(content.encode() if isinstance(content, str) else content)


def _file_name(name: str) -> str:
    """The experiment's name as a file may be called: what a shell or a file system minds is left out."""
    kept = "".join(character if character.isalnum() or character in "-_." else "-" for character in name)
    return kept.strip("-.")[:100] or "report"
