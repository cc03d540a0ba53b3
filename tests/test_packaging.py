"""What a user installs: the wheel, built and tried in an environment that holds nothing else."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    _run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)], ROOT)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_four_packages_and_the_migrations(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"cooldown"}
    assert any(name.startswith("cooldown/storage/migrations/versions/0001") for name in names)
    assert not [name for name in names if "__pycache__" in name or name.endswith((".nbi", ".nbc", ".db"))]


def test_the_wheel_works_in_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    _run([sys.executable, "-m", "venv", "--without-pip", "clean"], tmp_path)
    scripts = tmp_path / "clean" / ("Scripts" if os.name == "nt" else "bin")
    # With our pip, and without compiling every module of every dependency: of most of them nothing is used here.
    pip = [sys.executable, "-m", "pip", "--python", str(scripts / "python")]
    install = ["install", "--quiet", "--no-compile", "--constraint", str(ROOT / "constraints.txt"), str(wheel)]
    _run([*pip, *install], tmp_path)
    command = [str(scripts / "cooldown"), "compare", "iris", "--arm", "momentum+cosine", "--arm", "adam"]
    small = ["--trials", "2", "--repeats", "2", "--epochs", "2", "--seeds", "1", "--finalists", "1"]
    document = json.loads(_run([*command, *small, "--confirm-seeds", "2", "--json"], tmp_path))
    assert document["status"] == "done"
    assert document["environment"]["packages"]["cooldown"]
    assert (tmp_path / "cooldown.db").exists()
    listed = _run([str(scripts / "cooldown"), "list"], tmp_path)
    assert "iris" in listed


def _run(command: list[str], folder: Path) -> str:
    others = ("COOLDOWN_DB", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    environment = {name: value for name, value in os.environ.items() if name not in others}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
