"""What the tests of the command line share: a quick comparison, and a ledger with an experiment of a difficult name."""

from search_runs import flags, run_in_threads, spec

from cooldown.search.tuning.studies import planned
from cooldown.storage import Ledger

NAME = "a \"b\" 'c' [bold]d[/bold] :smile: 🎉 $HOME"
QUICK = flags(repeats=1, trials=2, finalists=1)


def three_experiments(url: str) -> str:
    """A ledger with a finished experiment, one of a difficult name, and one that was never begun."""
    run_in_threads(url, spec(), name="tiny")
    joint = "momentum,nag,adam,adamw,rmsprop,sgd+constant,cosine,exponential,linear,sgdr,step"
    run_in_threads(url, spec(arms=(joint, "adam"), repeats=1), name=NAME)
    Ledger(url).create("empty", spec().to_json(), "0" * 64, planned(spec()))
    return url
