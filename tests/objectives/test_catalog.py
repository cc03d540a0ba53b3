"""The catalog scan: one file is one entry, and looking into a catalog loads no compiler and no data."""

import json
import os
import subprocess
import sys

import pytest

from cooldown.objectives import optimizers, schedules
from cooldown.objectives.catalog import UnknownNameError
from cooldown.objectives.errors import InputError

PACKAGE = """
from cooldown.objectives.catalog import Catalog
from cooldown.objectives.optimizers import Optimizer

catalog = Catalog(__name__, __path__, Optimizer, "optimizer")
"""
ENTRY = """
from cooldown.objectives.optimizers import Optimizer


def update(theta, gradient, slot, learning_rate, t):
    return theta, slot


def other():
    pass


entry = Optimizer("{name}", "sgd", update, (), "θ", "nobody")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A package with a catalog of its own and no entries."""
    package = tmp_path / "catalog_of_a_test"
    package.mkdir()
    (package / "__init__.py").write_text(PACKAGE)
    monkeypatch.syspath_prepend(tmp_path)
    yield package
    for name in [name for name in sys.modules if name.startswith("catalog_of_a_test")]:
        del sys.modules[name]


@pytest.mark.parametrize("catalog", [optimizers, schedules])
def test_names_are_sorted_and_name_their_entries(catalog):
    names = catalog.names()
    assert names == sorted(names)
    assert len(names) > 5
    assert [catalog.get(name).name for name in names] == names


def test_a_new_file_is_found(folder):
    for name in ("zeta", "alpha"):
        (folder / f"{name}.py").write_text(ENTRY.format(name=name))
    (folder / "_private.py").write_text(ENTRY.format(name="_private"))
    (folder / "without_an_entry.py").write_text("x = 1\n")
    from catalog_of_a_test import catalog

    assert catalog.names() == ["alpha", "zeta"]
    assert catalog.get("zeta").slots == ("slot",)


def test_names_cannot_be_changed_from_outside():
    optimizers.names().clear()
    assert "adam" in optimizers.names()


def test_an_unknown_name_brings_the_nearest_and_all_choices():
    with pytest.raises(UnknownNameError) as error:
        optimizers.get("nestrov-adam")
    assert isinstance(error.value, InputError)
    assert str(error.value).endswith(f"(choose from: {', '.join(optimizers.names())})")
    with pytest.raises(UnknownNameError, match=r"unknown optimizer 'momentun'; did you mean 'momentum'\?"):
        optimizers.get("momentun")
    with pytest.raises(UnknownNameError, match=r"unknown optimizer 'zzz' \(choose"):
        optimizers.get("zzz")


@pytest.mark.parametrize("name", [None, 3, ["adam"], {}])
def test_a_name_that_is_no_text_is_unknown(name):
    with pytest.raises(UnknownNameError):
        optimizers.get(name)


@pytest.mark.processes
def test_looking_into_the_catalogs_loads_neither_the_compiler_nor_the_data():
    program = """
import json, sys
from cooldown.objectives import TrainConfig, descend, optimizers, schedules, tasks
for catalog in (optimizers, schedules, tasks):
    for name in catalog.names():
        catalog.get(name)
TrainConfig.from_json({"optimizer": "nag"})
descend(lambda x: x, [1.0], "adam", {}, [0.1])
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "cooldown" in loaded
    assert not loaded & {"numba", "llvmlite", "sklearn", "scipy", "torch", "jax", "pandas"}
