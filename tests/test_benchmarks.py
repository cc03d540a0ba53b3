"""Every benchmark can be loaded: what it uses of Cooldown is still there. That of the engine also runs."""

from importlib import import_module
from pkgutil import walk_packages

import pytest

import benchmarks
from benchmarks import engine

MODULES = sorted(module.name for module in walk_packages(benchmarks.__path__, "benchmarks."))


@pytest.mark.parametrize("name", MODULES)
def test_it_is_loaded(name: str) -> None:
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] in ("benchmarks", "cooldown"):
            raise
        # In CI, where all extras are installed, a skipped test has failed.
        pytest.skip(f"{name} needs {error.name}")
    assert hasattr(module, "main") or not name.endswith("__main__")


@pytest.mark.parametrize("contestant", [engine.engine, engine.its_updates, engine.products])
def test_the_engine_and_its_parts_make_as_many_updates(contestant) -> None:
    network = engine.Network(hidden=3, batch_size=704)
    assert contestant(network, "adam", 2)() == 2 * 2 * engine.EPOCHS
