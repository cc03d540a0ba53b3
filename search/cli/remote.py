"""What a service elsewhere does for the commands that have --server, and what they print of it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cooldown.objectives.errors import InputError
from cooldown.search.cli.elsewhere import Parameters, Remote, done
from cooldown.search.cli.frame import print_json, say, show_result
from cooldown.search.cli.reading import confirmed
from cooldown.search.cli.screen import ERR, OUT

if TYPE_CHECKING:
    from cooldown.search.service.client import Client


@done("list")
def _list(client: "Client", given: Parameters) -> None:
    from cooldown.search.cli import listings

    listed = list(client.experiments())
    if given["json_"]:
        print_json(listed)
    elif listed:
        OUT.print(listings.documents(listed))
    else:
        OUT.print("No experiments yet. Start one with: cooldown submit digits")


@done("queue")
def _queue(client: "Client", given: Parameters) -> None:
    from cooldown.search.cli.listings import in_queue

    listed = client.queue()
    if given["json_"]:
        print_json(listed)
    elif listed:
        OUT.print(in_queue(listed))
    else:
        OUT.print("Nothing is running or queued. Add something with: cooldown submit digits")


@done("submit")
def _submit(client: "Client", given: Parameters) -> None:
    _tell(_submitted(client, given, {}), given)


@done("compare")
def _compare(client: "Client", given: Parameters) -> None:
    _run(client, given, {})


@done("tune")
def _tune(client: "Client", given: Parameters) -> None:
    from cooldown.search.spec.arms import joint_arm

    _run(client, given, {"arms": [joint_arm()], "repeats": 1})


def _run(client: "Client", given: Parameters, defaults: Mapping[str, Any]) -> None:
    """Submit an experiment, follow it to its end, and show its result; or only estimate what it takes."""

    if given["dry_run"]:
        print_json(client.estimate(**_settings(given, defaults)))
        return
    name = _submitted(client, given, defaults)["name"]
    for event in client.events(name):
        if not given["quiet"]:
            what = event.get("status") or f"{event['arm']}, repeat {event['repeat']}, trial {event['trial']}"
            say(f"{name}: {what}")
    show_result(client.load(name), given["json_"])


@done("resume")
def _resume(client: "Client", given: Parameters) -> None:
    further = ("trials", "repeats", "extend", "until_decided", "max_repeats")
    terms = ("priority", "time_limit", "max_gradient_evaluations")
    changes = {key: given[key] for key in (*further, *terms) if given[key] not in (None, False)}
    name = given["name"]
    status = client.extend(name, **changes) if changes else client.resume(name)
    _tell({"name": name, "status": status}, given)


def _control(verb: str) -> Remote:
    def control(client: "Client", given: Parameters) -> None:
        _tell({"name": given["name"], "status": getattr(client, verb)(given["name"])}, given)

    return control


for _verb in ("pause", "stop", "cancel"):
    done(_verb)(_control(_verb))


@done("annotate")
def _annotate(client: "Client", given: Parameters) -> None:
    from cooldown.search.cli.annotating import new_tags

    annotated = client.annotate(given["name"], tags=new_tags(given["tag"], given["no_tags"]), notes=given["notes"])
    _tell(annotated, given)


@done("delete")
def _delete(client: "Client", given: Parameters) -> None:

    if confirmed(given["name"], given["yes"]):
        client.delete(given["name"])
        ERR.print(f"Deleted {given['name']}.")


def _settings(given: Parameters, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `Client.submit` from those of a command."""
    from cooldown.search.cli.asked import asked

    settings = asked(given, defaults)
    here = [name for name in ("workers", "executor") if settings.pop(name, None) is not None]
    if here:
        raise InputError(f"--{here[0]} and --server cannot be used together: the service has workers of its own")
    settings.pop("db", None)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}


def _submitted(client: "Client", given: Parameters, defaults: Mapping[str, Any]) -> dict[str, Any]:
    return client.submit(**_settings(given, defaults))


def _tell(document: Mapping[str, Any], given: Parameters) -> None:
    """Print an experiment's name, and say how it stands."""

    if given["json_"]:
        print_json(document)
        return
    OUT.print(document["name"], soft_wrap=True)
    say(f"{document['name']} is {document['status']}.")
