"""What a user installs: the wheel, built and tried in an environment that holds what it declares, and nothing else."""

import json
import os
import runpy
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import Distribution, distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from packaging.requirements import Requirement
from search_runs import run_in_threads, spec
from taken_home import table_for

from cooldown import Result
from cooldown.search.evidence.view import View
from cooldown.search.export import export
from cooldown.storage import ExperimentRecord

pytestmark = pytest.mark.packaging

ROOT = Path(__file__).parent.parent


PACKAGES = {"dashboard", "objectives", "search", "storage"}
FOREIGN = 'raise RuntimeError("this module is the user\'s own")\n'


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    _run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)], ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (wheel,) = built.glob("*.whl")
    return wheel


def test_the_wheel_holds_one_package_with_the_four_and_the_migrations(wheel: Path) -> None:
    names = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info" not in name]
    assert {name.split("/")[0] for name in names} == {"cooldown"}
    assert {name.split("/")[1] for name in names if name.count("/") > 1} == PACKAGES
    assert any(name.startswith("cooldown/storage/migrations/versions/0001") for name in names)
    assert not [name for name in names if "__pycache__" in name or name.endswith((".nbi", ".nbc", ".db"))]


def test_the_source_distribution_holds_files_and_no_links(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
    assert all(member.isfile() or member.isdir() for member in members)
    folders = {parts[1] for member in members if len(parts := Path(member.name).parts) > 2}
    assert folders >= {"cooldown", "tests", "docs"}
    assert not folders & PACKAGES, "each module is in it once"


@pytest.fixture
def downloaded(tmp_path: Path, wheel: Path) -> Path:
    """The interpreter of an environment for which pip has found, chosen and installed all that the wheel needs."""
    python = new_environment(tmp_path)
    # Without compiling every module of every dependency: of most of them nothing is used here.
    _pip(python, "install", "--no-compile", "--constraint", str(ROOT / "constraints.txt"), str(wheel))
    return python


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The interpreter of an environment with the wheel, and links to our own copies of what it declares to need."""
    python = new_environment(tmp_path_factory.mktemp("linked"))
    _pip(python, "install", "--no-deps", "--no-index", str(wheel))
    (installed,) = distributions(name="cooldown", path=[str(packages_of(python))])
    link(python, needed(installed))
    _pip(python, "check")
    return python


@pytest.mark.parametrize(
    ("environment", "task"),
    # Both compile a network's kernels, to name the machine's arithmetic; its whole pass takes longest.
    [("linked", "quadratic"), pytest.param("downloaded", "iris", marks=pytest.mark.full)],
)
def test_the_wheel_works_in_a_clean_environment(
    environment: str, task: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    python = request.getfixturevalue(environment)
    scripts = python.parent
    # Nothing of ours is called like a folder or a module of the user's.
    for name in PACKAGES:
        (tmp_path / f"{name}.py").write_text(FOREIGN)
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage" / "__init__.py").write_text(FOREIGN)
    command = [str(scripts / "cooldown"), "compare", task, "--arm", "adam", "--arm", "adam+cosine"]
    small = ["--trials", "2", "--repeats", "2", "--epochs", "2", "--seeds", "1", "--finalists", "1"]
    # One worker: each compiles what it needs.
    document = json.loads(_run([*command, *small, "--confirm-seeds", "2", "--workers", "1", "--json"], tmp_path))
    assert document["status"] == "done"
    assert document["environment"]["packages"]["cooldown"]
    assert (tmp_path / "cooldown.db").exists()
    answer = f"import cooldown; print(cooldown.load({task!r}, db='sqlite:///cooldown.db').answer)"
    assert f" on {task}" in _run([str(scripts / "python"), "-c", answer], tmp_path)


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExperimentRecord, Path]:
    """An experiment on a table of missing cells, labels that are digits, and booleans; and a folder with new rows."""
    folder = tmp_path_factory.mktemp("taken")
    table = table_for("word", "day", "price")
    table.to_csv(folder / "table.csv", index=False)
    # A town that the training table does not have, and columns in another order.
    new = table.head(20).drop(columns="word").assign(town="elsewhere", flag=[None, True] * 10)
    new[sorted(new.columns)].to_csv(folder / "new.csv", index=False)
    given: dict[str, Any] = spec(task=str(folder / "table.csv"), target="word", categories=["zip"], drop=["id"])
    return run_in_threads(f"sqlite:///{folder}/ledger.db", given, name="t"), folder


BY_ONNX = """
import csv
import sys

import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
with open(sys.argv[1], newline="") as file:
    rows = list(csv.DictReader(file))
cells = {each.name: [[row[each.name]] for row in rows] for each in session.get_inputs()}
types = {each.name: each.type for each in session.get_inputs()}
inputs = {
    name: np.array(values, object) if types[name] == "tensor(string)"
    else np.array([[float(value or "nan")] for [value] in values])
    for name, values in cells.items()
}
np.savetxt("predictions.csv", session.run(["probabilities"], inputs)[0], delimiter=",", header="no,yes")
"""


@pytest.mark.parametrize("format", ["joblib", "onnx"])
def test_a_model_predicts_in_a_clean_environment(
    format: str, taken: tuple[ExperimentRecord, Path], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    record, folder = taken
    (tmp_path / f"model.{format}").write_bytes(Result(record).export(format))  # type: ignore[arg-type]
    if format == "joblib":
        python = request.getfixturevalue("linked")
        command = [str(python.parent / "cooldown"), "predict", "model.joblib", str(folder / "new.csv")]
        _run([*command, "-o", "predictions.csv"], tmp_path)
    else:
        (tmp_path / "predict.py").write_text(BY_ONNX)
        python = alone(tmp_path, "onnxruntime")
        _run([str(python), "predict.py", str(folder / "new.csv")], tmp_path)
    found = np.loadtxt(tmp_path / "predictions.csv", delimiter=",", skiprows=1, usecols=(-2, -1))
    expected = Result(record).fit_best().predict_proba(pd.read_csv(folder / "new.csv", dtype=str))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert len({*expected[:, 0]}) > 10


# Of Keras's own tensors.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize(
    ("format", "packages"),
    [
        ("sklearn", ["scikit-learn"]),
        pytest.param("torch", ["torch", "scikit-learn"], marks=pytest.mark.full),
        pytest.param("optax", ["optax", "scikit-learn"], marks=pytest.mark.full),
        pytest.param("keras", ["keras", "torch", "scikit-learn"], marks=pytest.mark.full),
    ],
)
def test_a_program_predicts_with_its_framework_alone(
    format: str,
    packages: list[str],
    taken: tuple[ExperimentRecord, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if find_spec("sklearn" if format == "sklearn" else format) is None:
        pytest.skip(f"{format} is not installed")
    record, folder = taken
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    Path("program.py").write_text(str(export(View(record), format).content))
    predict = ["predict", "model.keras", str(folder / "new.csv"), "-o"]
    for arguments in (["--all-rows", "--save", "model.keras"], [*predict, "here.csv"]):
        monkeypatch.setattr(sys, "argv", ["program.py", *arguments])
        runpy.run_path("program.py", run_name="__main__")
    _run([str(alone(tmp_path, *packages, "pandas")), "program.py", *predict, "there.csv"], tmp_path)
    here, there = (pd.read_csv(tmp_path / name) for name in ("here.csv", "there.csv"))
    pd.testing.assert_frame_equal(here, there, rtol=1e-6)
    assert here.shape == (20, 3)


def new_environment(folder: Path) -> Path:
    """The interpreter of an empty environment in `folder`."""
    _run([sys.executable, "-m", "venv", "--without-pip", "clean"], folder)
    return folder / "clean" / ("Scripts" if os.name == "nt" else "bin") / "python"


def packages_of(python: Path) -> Path:
    """Where an environment has its packages."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(_run([str(python), "-c", code], python.parent).strip())


def link(python: Path, distributions: list[Distribution]) -> None:
    """Links to our own copies of `distributions` in an environment."""
    site = packages_of(python)
    for distribution in distributions:
        for top in {Path(file).parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(Path(str(distribution.locate_file(top))))


def alone(folder: Path, *packages: str) -> Path:
    """The interpreter of an environment with our copies of `packages` and of what they need, and nothing else."""
    python = new_environment(folder)
    for distribution in map(Distribution.from_name, packages):
        link(python, [distribution, *needed(distribution)])
    return python


def needed(distribution: Distribution) -> list[Distribution]:
    """What a distribution requires, and what that requires, and so on, as it is installed here."""
    found: dict[tuple[str, str], Distribution] = {}
    waiting = [(distribution, "")]
    while waiting:
        one, extra = waiting.pop()
        if (one.name, extra) not in found:
            found[one.name, extra] = one
            for requirement in map(Requirement, one.requires or ()):
                if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                    other = Distribution.from_name(requirement.name)
                    waiting += [(other, each) for each in ("", *requirement.extras)]
    return [each for each in found.values() if each is not distribution]


def _pip(python: Path, *arguments: str) -> None:
    """Our own pip, for the environment of that interpreter, which has none."""
    _run([sys.executable, "-m", "pip", "--python", str(python), *arguments], python.parent)


def _run(command: list[str], folder: Path) -> str:
    others = ("COOLDOWN_DB", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    environment = {name: value for name, value in os.environ.items() if name not in others}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
