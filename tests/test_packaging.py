"""What a user installs: the wheel, built and tried in an environment that holds nothing else."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

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


def test_the_wheel_works_in_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    _run([sys.executable, "-m", "venv", "--without-pip", "clean"], tmp_path)
    scripts = tmp_path / "clean" / ("Scripts" if os.name == "nt" else "bin")
    # With our pip, and without compiling every module of every dependency: of most of them nothing is used here.
    pip = [sys.executable, "-m", "pip", "--python", str(scripts / "python")]
    install = ["install", "--quiet", "--no-compile", "--constraint", str(ROOT / "constraints.txt"), str(wheel)]
    _run([*pip, *install], tmp_path)
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


def _run(command: list[str], folder: Path) -> str:
    others = ("COOLDOWN_DB", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    environment = {name: value for name, value in os.environ.items() if name not in others}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
