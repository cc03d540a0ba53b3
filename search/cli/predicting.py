"""The command that uses a model: predict."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cooldown.objectives.errors import InputError
from cooldown.search.cli.frame import app, say
from cooldown.search.cli.options import Force
from cooldown.search.cli.output import STDOUT, check_output, print_content, write_output
from cooldown.search.cli.screen import ERR, OUT

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".parquet", ".json")
"""Of files of predictions."""


@app.command()
def predict(
    model: Annotated[
        str,
        typer.Argument(
            help="a model from `cooldown export NAME -o model.joblib`; loading it runs code in the file: open only "
            "files that you trust",
            metavar="MODEL",
        ),
    ],
    rows: Annotated[
        str,
        typer.Argument(
            help="a CSV, Parquet or Excel file with the columns of the training table, or a svmlight file",
            metavar="ROWS",
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="file to write: .csv, .parquet or .json [default: CSV on standard output]",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Predict the rows of a table with an exported model."""
    from cooldown.search.experiments.predicting import predict as predicted_by
    from cooldown.search.export.model_file import read_model_file

    path = None if output in (None, STDOUT) else Path(output)
    suffix = SUFFIXES[0] if path is None else path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"-o {str(path)!r}: predictions are written as {', '.join(SUFFIXES)}")
    if path is not None:
        check_output(path, force)
    file = read_model_file(Path(model))
    about = file.about
    say(
        f"{model} says it is {about.arm} of experiment {about.experiment.name!r}. Loading a model runs code that its "
        "file contains: open only files whose origin you know."
    )
    with ERR.status("Predicting …"):
        predicted = predicted_by(file, Path(rows))
        content = _content(predicted.table, suffix)
    if path is None:
        print_content(content)
    else:
        write_output(path, content, force)
    for remark in predicted.remarks:
        say(f"Note: {remark}.")
    if predicted.score is not None:
        name, value = predicted.score
        (ERR if path is None else OUT).print(f"{name[:1].upper()}{name[1:]} on these rows: {value:.4g}")
    if path is not None:
        say(f"Wrote {path}.")


def _content(table: "pd.DataFrame", suffix: str) -> bytes:
    """The predictions as a file of this suffix."""
    from cooldown.search.export.formats.csv import write as to_csv
    from cooldown.search.export.formats.parquet import write as to_parquet

    if suffix == ".json":
        return (json.dumps(table.to_dict("records"), ensure_ascii=False, indent=1) + "\n").encode()
    return to_csv(table) if suffix == ".csv" else to_parquet(table)
