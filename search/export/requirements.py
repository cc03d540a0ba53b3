"""The versions of all packages with which an experiment was started, as a requirements file for pip."""

from cooldown.objectives.errors import InputError
from cooldown.search.evidence.view import View


def requirements(view: View) -> str:
    """A line `name==version` for each package that Cooldown needed where the experiment was started.

    Cooldown itself, Python and the machine are named in comments. Raises InputError for an experiment of a version that
    did not record its packages.
    """
    environment = view.record.environment
    lock = environment.get("lock")
    if not lock:
        raise InputError(
            f"experiment {view.name!r} has no list of all packages: it was started by an older version, or where "
            "Cooldown was not installed; `cooldown show NAME --json` has the versions that it recorded"
        )
    # Anyone could have registered its name with a package index.
    about = [
        f"# The packages of experiment {view.name}, started with Cooldown {environment['packages']['cooldown']},",
        f"# Python {environment['python']}, {environment['system']},",
        f"# {environment['processor']}, {environment['blas'] or 'an unknown BLAS'}.",
    ]
    return "\n".join([*about, *(f"{name}=={version}" for name, version in lock.items())]) + "\n"
