"""The catalog scan: one file is one entry, and looking into a catalog loads no compiler and no data."""

import json
import os
import subprocess
import sys

import pytest

from cooldown.objectives import optimizers, schedules, tasks
from cooldown.objectives.catalog import CatalogError, UnknownNameError
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


def test_no_name_is_in_two_catalogs():
    """So a name alone says what to check."""
    names = [name for catalog in (optimizers, schedules, tasks) for name in catalog.names()]
    assert sorted(set(names)) == sorted(names)


def test_a_new_file_is_found(folder):
    for name in ("zeta", "alpha"):
        (folder / f"{name}.py").write_text(ENTRY.format(name=name))
    from catalog_of_a_test import catalog

    assert catalog.built_in() == ["alpha", "zeta"]
    assert not [name for name in sys.modules if name.startswith("catalog_of_a_test.")], "names without importing"
    assert catalog.names() == ["alpha", "zeta"]
    assert catalog.get("zeta").slots == ("slot",)


def test_a_file_may_import_another_entry_and_name_its_own_twice(folder):
    (folder / "alpha.py").write_text(ENTRY.format(name="alpha"))
    (folder / "beta.py").write_text(
        "from catalog_of_a_test.alpha import entry as other_entry\n" + ENTRY.format(name="beta") + "same = entry\n"
    )
    from catalog_of_a_test import catalog

    assert catalog.names() == ["alpha", "beta"]
    assert catalog.get("beta") is not catalog.get("alpha")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", r"beta\.py defines no optimizer: a file in this folder must define one, named after the file"),
        (
            "from catalog_of_a_test.alpha import entry\n",
            r"beta\.py defines no optimizer \(it only imports 'alpha'\): a file in this folder must define one",
        ),
        (
            ENTRY.format(name="betta"),
            r"beta\.py defines the optimizer 'betta': it must be named after the file, 'beta'",
        ),
        (
            ENTRY.format(name="beta") + ENTRY.format(name="gamma").replace("entry =", "second ="),
            r"beta\.py defines 2 optimizers, 'beta' and 'gamma': a file in this folder must define one",
        ),
    ],
    ids=["none", "imported", "wrong name", "two"],
)
def test_a_file_that_does_not_define_its_entry_is_refused_at_the_first_scan(folder, text, message):
    (folder / "alpha.py").write_text(ENTRY.format(name="alpha"))
    (folder / "beta.py").write_text(text)
    from catalog_of_a_test import catalog

    with pytest.raises(CatalogError, match=message):
        catalog.names()
    with pytest.raises(CatalogError, match=message):
        catalog.get("alpha")


def test_a_helper_in_the_folder_is_told_where_it_belongs(folder):
    (folder / "_shared.py").write_text("x = 1\n")
    from catalog_of_a_test import catalog

    with pytest.raises(CatalogError, match=r"_shared\.py defines no optimizer: .*; helpers belong outside the folder"):
        catalog.names()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import no_such_module_here\n", "ModuleNotFoundError: No module named 'no_such_module_here'"),
        ("def update(:\n", r"SyntaxError: .*beta\.py, line 1"),
        (
            ENTRY.format(name="beta").replace('"sgd"', '"sdg"'),
            "UnknownNameError: unknown family of optimizer 'beta': 'sdg'",
        ),
    ],
    ids=["missing module", "syntax", "family"],
)
def test_a_file_that_cannot_be_imported_is_named(folder, text, message):
    (folder / "beta.py").write_text(text)
    from catalog_of_a_test import catalog

    with pytest.raises(CatalogError, match=f"optimizer 'beta': its file in catalog_of_a_test .* imported: {message}"):
        catalog.names()


@pytest.mark.processes
def test_the_command_line_says_in_one_line_what_is_wrong_with_a_file(tmp_path):
    (tmp_path / "broken_entry.py").write_text("raise OSError('none')\n")
    program = f"""
import sys
from cooldown.objectives import optimizers
from cooldown.search.cli import main

optimizers.__path__.append({str(tmp_path)!r})
sys.argv = ["cooldown", "catalog", "optimizers"]
main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("cooldown: ")
    assert "broken_entry" in line


def test_the_entry_of_its_file_is_meant_whatever_else_is_imported(folder):
    (folder / "alpha.py").write_text(ENTRY.format(name="alpha"))
    (folder / "beta.py").write_text("from catalog_of_a_test.alpha import entry as beta\n")
    from catalog_of_a_test import catalog

    with pytest.raises(CatalogError, match="only imports 'alpha'"):
        catalog.names()


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
