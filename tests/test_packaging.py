"""What a user installs: the wheel, built and tried in an environment that holds what it declares, and nothing else."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

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


@pytest.fixture
def linked(tmp_path: Path, wheel: Path) -> Path:
    """The interpreter of an environment with the wheel, and links to our own copies of what it declares to need."""
    python = new_environment(tmp_path)
    _pip(python, "install", "--no-deps", "--no-index", str(wheel))
    site = Path(_run([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], tmp_path).strip())
    (installed,) = distributions(name="cooldown", path=[str(site)])
    for dependency in needed(installed):
        for top in {Path(file).parts[0] for file in dependency.files or ()} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(Path(str(dependency.locate_file(top))))
    _pip(python, "check")
    return python


@pytest.mark.parametrize("environment", ["linked", pytest.param("downloaded", marks=pytest.mark.full)])
def test_the_wheel_works_in_a_clean_environment(
    environment: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    python = request.getfixturevalue(environment)
    scripts = python.parent
    # Nothing of ours is called like a folder or a module of the user's.
    for name in PACKAGES:
        (tmp_path / f"{name}.py").write_text(FOREIGN)
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage" / "__init__.py").write_text(FOREIGN)
    command = [str(scripts / "cooldown"), "compare", "iris", "--arm", "momentum+cosine", "--arm", "adam"]
    small = ["--trials", "2", "--repeats", "2", "--epochs", "2", "--seeds", "1", "--finalists", "1"]
    document = json.loads(_run([*command, *small, "--confirm-seeds", "2", "--json"], tmp_path))
    assert document["status"] == "done"
    assert document["environment"]["packages"]["cooldown"]
    assert (tmp_path / "cooldown.db").exists()
    listed = _run([str(scripts / "cooldown"), "list"], tmp_path)
    assert "iris" in listed
    answer = "import cooldown; print(cooldown.load('iris', db='sqlite:///cooldown.db').answer)"
    assert " on iris" in _run([str(scripts / "python"), "-c", answer], tmp_path)


def new_environment(folder: Path) -> Path:
    """The interpreter of an empty environment in `folder`."""
    _run([sys.executable, "-m", "venv", "--without-pip", "clean"], folder)
    return folder / "clean" / ("Scripts" if os.name == "nt" else "bin") / "python"


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
