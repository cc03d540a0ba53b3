"""Entries of a module of the user's in the working folder."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from own_module import BOTH, MODULE, SMALL, done_in, modules_of, write_modules
from search_runs import run_in_threads, spec
from sklearn.datasets import load_iris

from cooldown.search.export.source import NotPortableError, Source, collect
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.experiment import read_spec
from cooldown.search.spec.space import search_space
from cooldown.search.tuning.held import RunError

Here = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_modules(tmp_path)


@pytest.fixture
def here(run_here: Callable[..., tuple[int, str, str]]) -> Iterator[Here]:
    """The `cooldown` command in this process and the folder `cwd`, one in each test: what it prints, or says of bad
    input. `check` is the exit code that it must have.
    """
    with ExitStack() as entered:
        folders: list[Path] = []

        def run(*arguments: str, cwd: Path, check: int = 0) -> str:
            if cwd not in folders:
                folders.append(cwd)
                entered.enter_context(modules_of(cwd))
            code, out, err = run_here(*arguments)
            assert code == check, err
            return err if check == 2 else out

        yield run


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder after a search: a joint arm, a label, ranges and the user's own sampler."""
    folder = write_modules(tmp_path_factory.mktemp("searched"))
    done_in(
        folder,
        *("compare", "mymodule:flowers", "--name", "x", "--sampler", "mymodule:Guess", "--repeats", "1", *SMALL),
        *("--arm", BOTH, "--arm", "pkg.inner:Lion,adam+pkg.inner:wsd,cosine", "--arm", "mine=mymodule:Lion"),
        *("--set", "mymodule:Lion.beta1=0.9", "--set", "pkg.inner:Lion.beta1=0.6:0.7"),
        *("--workers", "1"),
    )
    return folder


@pytest.fixture
def search(searched: Path, tmp_path: Path) -> Path:
    """A copy of it, for one test."""
    return shutil.copytree(searched, tmp_path / "copy")


def test_a_search_over_entries_of_ones_own_and_all_that_is_done_with_it(here: Here, search: Path) -> None:
    document = json.loads(here("show", "x", "--json", "--trust", cwd=search))
    arms = [BOTH, "pkg.inner:Lion,adam+pkg.inner:wsd,cosine", "mine=mymodule:Lion"]
    assert [arm["arm"] for arm in document["arms"]] == arms
    # That a new process and its worker find the module is seen in test_installed_entries.py.
    rows = json.loads(here("trials", "x", "--json", "--trust", cwd=search))
    assert {row["optimizer"] for row in rows} <= {"mymodule:Lion", "pkg.inner:Lion", "adam"}
    assert {row["schedule"] for row in rows if row["arm"] == BOTH} == {"mymodule:wsd"}
    joint = [row for row in rows if row.get("pkg.inner:Lion.beta1") is not None]
    assert joint
    assert all(0.6 <= row["pkg.inner:Lion.beta1"] <= 0.7 for row in joint)
    for section in ("pairs", "budget", "sensitivity", "cost", "target"):
        here("show", "x", section, "--trust", cwd=search)
    here("report", "x", "--trust", cwd=search)
    assert "mymodule:Lion" in (search / "x.html").read_text()
    assert "x" in here("list", cwd=search)
    here("resume", "x", "--trials", "5", "--workers", "1", "--quiet", "--trust", cwd=search)
    assert len(json.loads(here("trials", "x", "--json", "--trust", cwd=search))) == 15


@pytest.mark.parametrize("format", ["json", "toml"])
def test_an_exported_configuration_is_trained_and_searched_again(here: Here, search: Path, format: str) -> None:
    here("export", "x", "--arm", BOTH, "-o", f"best.{format}", "--trust", cwd=search)
    here("train", f"best.{format}", "--json", "--trust", cwd=search)
    here("compare", "--from", f"best.{format}", "--name", "again", "--trust", *SMALL, cwd=search)


@pytest.mark.parametrize("format", ["torch", "optax", "keras", "sklearn"])
def test_an_exported_program_has_the_users_own_lines(here: Here, search: Path, format: str) -> None:
    here("export", "x", "--arm", BOTH, "-f", format, "-o", "best.py", "--trust", cwd=search)
    text = (search / "best.py").read_text()
    assert "import mymodule" not in text
    assert "from mymodule" not in text
    numpy = {"torch": "torch", "optax": "jnp", "keras": "ops", "sklearn": "np"}[format]
    assert f"return x / (1 + {numpy}.abs(x))" in text, "of the rule"
    assert "return x / (1 + np.abs(x))" in text, "of the schedule"
    assert "SHARE = 0.5" in text
    if format == "sklearn":
        # It needs nothing of the folder that the module is in.
        elsewhere = search / "elsewhere"
        elsewhere.mkdir()
        shutil.move(search / "best.py", elsewhere / "best.py")
        X, y = load_iris(return_X_y=True)
        np.savez(elsewhere / "data.npz", X=X, y=y)
        command = [sys.executable, "best.py", "data.npz"]
        done = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=False, timeout=300)
        assert "test loss" in done.stdout, done.stderr


def test_where_the_module_is_missing_it_is_told_and_the_rest_still_works(here: Here, search: Path) -> None:
    elsewhere = search / "elsewhere"
    elsewhere.mkdir()
    address = ("--db", f"sqlite:///{search}/cooldown.db")
    shown = here("show", "x", "--trust", *address, cwd=elsewhere, check=2)
    assert "module 'mymodule' cannot be imported" in shown
    assert f"searched in {elsewhere}" in " ".join(shown.split())
    assert "x" in here("list", *address, cwd=elsewhere)
    here("delete", "x", "--yes", *address, cwd=elsewhere)
    assert "No experiments" in here("list", *address, cwd=elsewhere)


def test_a_spec_file_and_keys_that_are_split_at_their_last_dot(here: Here, folder: Path) -> None:
    (folder / "spec.toml").write_text(
        f'task = "iris"\narms = ["{BOTH}", "pkg.inner:Lion"]\nrepeats = 1\nsampler = "mymodule:Guess"\n'
        '[ranges]\n"mymodule:Lion".beta1 = 0.8\n"pkg.inner:Lion.learning_rate" = [0.1, 0.2]\n'
    )
    here("compare", "spec.toml", "--name", "t", "--trust", *SMALL, cwd=folder)
    rows = json.loads(here("trials", "t", "--json", "--trust", cwd=folder))
    rates = [row["pkg.inner:Lion.learning_rate"] for row in rows if row["arm"] == "pkg.inner:Lion"]
    assert rates
    assert all(0.1 <= rate <= 0.2 for rate in rates)


def test_a_module_may_be_called_like_an_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the name of its optimizer begins with that of another, and a dot."""
    (tmp_path / "adam").mkdir()
    (tmp_path / "adam" / "__init__.py").touch()
    (tmp_path / "adam" / "rules.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    mixed = read_spec(task="iris", arms=("adam+adam.rules:wsd",), ranges={"adam.rules:wsd.floor": 0.25})
    config = search_space(mixed, mixed.parsed_arms[0], 10).config({"adam.beta1": 0.7, "adam.rules:wsd.warmup_steps": 3})
    assert config.optimizer.hyperparameters["beta1"] == 0.7
    assert dict(config.schedule.hyperparameters) == {"floor": 0.25, "warmup_steps": 3}
    assert type(config).from_json(json.dumps(config.to_json())) == config


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--arm", "nomodule:x"), "optimizer 'nomodule:x': module 'nomodule' cannot be imported: ModuleNotFoundError"),
        (("--arm", "adam+mymodule:Lion"), "schedule 'mymodule:Lion': must be a Schedule or return one"),
        (("--arm", "mymodule:lion"), "module 'mymodule' has no attribute 'lion'; did you mean 'Lion'?"),
        (("--arm", "mymodule:number"), "must be an Optimizer or return one when called without arguments, got 3"),
        (("--arm", "mymodule:broken"), "broken() raised ZeroDivisionError: no reason"),
        (("--sampler", "mymodule:Lion"), "sampler 'mymodule:Lion'"),
        (("--sampler", "tpee"), "unknown sampler 'tpee'; did you mean 'tpe'?"),
        (
            ("--arm", BOTH, "--set", "mymodule:Lion.beta3=0.9"),
            "did you mean 'mymodule:Lion.beta1'",
        ),
        (("--arm", "broken:Lion"), "module 'broken' cannot be imported: SystemExit: 3"),
    ],
)
def test_what_is_wrong_is_told(here: Here, folder: Path, arguments: tuple[str, ...], message: str) -> None:
    (folder / "broken.py").write_text("import sys\nsys.exit(3)\n")
    assert message in here("compare", "iris", *arguments, cwd=folder, check=2)
    assert not (folder / "cooldown.db").exists()


SAMPLERS = """
from cooldown import Sampler

without_study_number = Sampler("a", lambda number: None, "a")
nothing = Sampler("b", lambda number, study_number: study_number and None, "b")
"""


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("without_study_number", r"make must accept two seeds, make\(number, study_number\): too many positional"),
        ("nothing", r"make must return an optuna\.samplers\.BaseSampler, got None"),
    ],
)
def test_a_sampler_that_makes_none_is_refused(
    tmp_path: Path, url: str, name: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd_samplers.py").write_text(SAMPLERS)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RunError, match=f"sampler 'odd_samplers:{name}': {message}"):
        run_in_threads(url, spec(sampler=f"odd_samplers:{name}"), name="x")


def test_check_says_what_came_out(here: Here, folder: Path) -> None:
    done = here("check", "mymodule:Lion", cwd=folder)
    assert done.count("pass  ") == 8
    assert "mymodule:Lion passes all 8 checks." in done
    (folder / "faulty.py").write_text(MODULE.replace("theta - learning_rate", "theta + learning_rate"))
    document = json.loads(here("check", "faulty:Lion", "--json", cwd=folder, check=1))
    assert not document["passed"]
    (reason,) = [check["reason"] for check in document["checks"] if not check["passed"]]
    assert "no learning rate of" in reason
    assert "no_such" in here("check", "no_such:Lion", cwd=folder, check=2)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("random", "a sampler; there are no checks for samplers"),
        ("rosenbrock", "a surface; there"),
        ("torch", "an exp"),
    ],
)
def test_a_kind_without_checks_is_named(here: Here, name: str, kind: str, tmp_path: Path) -> None:
    assert f"{name} is {kind}" in here("check", name, cwd=tmp_path, check=2)


def test_a_check_that_needs_a_failed_one_is_not_run(here: Here, folder: Path) -> None:
    (folder / "clipped.py").write_text(
        MODULE.replace("theta - learning_rate", "theta - numpy.clip(m, -1.0, 1.0) - learning_rate")
    )
    failed = here("check", "clipped:Lion", cwd=folder, check=1)
    assert (failed.count("pass  "), failed.count("FAIL  the compiled rule matches the")) == (4, 1)
    assert "  –   learns iris: not run, because this check fails: the compiled rule matches the" in failed
    assert "clipped:Lion fails 1 of 8 checks; 3 were not run." in failed


def test_an_arm_whose_optimizer_and_schedule_have_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from cooldown.objectives import optimizers, schedules

    entries = {"constant": schedules.get("constant"), "adam": schedules.get("cosine").called("adam")}
    monkeypatch.setattr(schedules, "get", entries.__getitem__)
    assert optimizers.get("adam").name == "adam"
    with pytest.raises(ValueError, match="contains 'adam' both as an optimizer and as a schedule"):
        Arm.parse("adam+adam")


def test_two_functions_of_one_name_are_not_taken_for_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "def helper(x):\n    return x + CONSTANT\n\n\ndef formula(x):\n    return helper(x)\n"
    for number, name in enumerate(("first_of_two", "second_of_two")):
        (tmp_path / f"{name}.py").write_text(f"CONSTANT = {number}\n\n\n{text}")
    monkeypatch.syspath_prepend(tmp_path)
    first_of_two, second_of_two = import_module("first_of_two"), import_module("second_of_two")
    source = Source()
    collect(source, first_of_two.formula, "first")
    with pytest.raises(NotPortableError, match=r"two functions are called helper; one is in second_of_two\.helper"):
        collect(source, second_of_two.formula, "second")
    with pytest.raises(NotPortableError, match=r"called CONSTANT; one is used in second_of_two\.helper"):
        collect(source, second_of_two.helper, "other")
