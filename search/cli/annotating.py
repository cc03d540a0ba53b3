"""The command about the words by which people find an experiment: its tags and notes."""

from typing import Annotated

import typer

from cooldown.objectives.errors import InputError
from cooldown.search.cli.frame import app
from cooldown.search.cli.named import AboutExperiment
from cooldown.search.cli.options import Db, Json, Name, Notes, Tags
from cooldown.search.cli.queueing import tell


@app.command(cls=AboutExperiment)
def annotate(
    name: Name,
    tag: Tags = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="remove all its tags")] = False,
    notes: Notes = None,
    db: Db = None,
    json_: Json = False,
) -> None:
    """Replace the tags or notes of an experiment, whatever its status.

    The tags replace those that it has; an empty text removes the notes.
    """
    from cooldown.search import experiments

    experiments.annotate(name, tags=new_tags(tag, no_tags), notes=notes, db=db)
    tell(name, db, json_)


def new_tags(tag: list[str] | None, no_tags: bool) -> list[str] | None:
    """The tags that `--tag` and `--no-tags` ask for; None to leave them as they are."""
    if tag and no_tags:
        raise InputError("--tag and --no-tags cannot be used together")
    return [] if no_tags else tag or None
