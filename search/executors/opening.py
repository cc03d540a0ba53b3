"""The executor that a user asks for: by name, by the address of a cluster, or by the number of workers alone."""

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.errors import InputError
from cooldown.search.executors import engines
from cooldown.search.executors.contract import Executor
from cooldown.search.executors.engine import Engine


def default_workers() -> int:
    """The number of cores that this process may use: of its affinity, or of its container's quota if that is less."""
    import loky

    cores: int = loky.cpu_count()
    return cores


def engine_of(text: object) -> tuple[Engine, str | None]:
    """The engine that `text` names, and the address of its cluster if it is one, such as `tcp://host:8786`.

    Raises InputError for an unknown name or scheme, and for an address without a port.
    """
    if not isinstance(text, str):
        raise InputError(f"executor: should be a name or an address, got {text!r:.80}")
    scheme, is_address, place = text.partition("://")
    if not is_address:
        return engines.get(text), None
    by_scheme = {scheme: engine for engine in map(engines.get, engines.names()) for scheme in engine.schemes}
    if scheme not in by_scheme:
        raise unknown_name("scheme of an executor's address", scheme, by_scheme)
    host, _, port = place.rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port) < 2**16):
        raise InputError(f"executor {text!r:.80}: should be an address such as {scheme}://192.0.2.7:8786")
    return by_scheme[scheme], text


def check_executor(text: object, workers: object) -> None:
    """Raise InputError for an executor that there is not, and for workers beside those of a cluster."""
    if text is None:
        return
    _, address = engine_of(text)
    if address is not None and workers is not None:
        raise InputError(f"workers {workers!r}: the cluster at {address} has its own; leave this out")


def open_executor(text: str | None, workers: int) -> Executor:
    """The executor that `text` names; without it, `workers` processes of this machine, or this process for one.

    Raises InputError if it is not known, not installed, or cannot be reached.
    """
    engine, address = engine_of(text or ("inline" if workers == 1 else "local"))
    return engine.open(workers, address)
