"""Files are replaced as Windows wants it: closed before they are moved or removed, and tried again if they are read."""

from pathlib import Path

import pytest

from cooldown.objectives.errors import InputError
from cooldown.search.cli.output import write_output

OPEN_FILES = Path("/proc/self/fd")

pytestmark = pytest.mark.skipif(not OPEN_FILES.exists(), reason="this system does not list a process's open files")


def is_open(path: Path) -> bool:
    """Whether this process has the file open."""
    return path.resolve() in [link.readlink() for link in OPEN_FILES.iterdir() if link.is_symlink()]


@pytest.fixture(autouse=True)
def _windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """An open file is neither moved nor removed."""
    for name in ("replace", "unlink"):

        def refusing(path: Path, *arguments: object, _real: object = getattr(Path, name), **more: object) -> object:
            if path.exists() and is_open(path):
                raise PermissionError(13, "another process uses it", str(path))
            return _real(path, *arguments, **more)  # type: ignore[operator]

        monkeypatch.setattr(Path, name, refusing)


def read_for(tries: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let another program have the target open for so many tries."""
    closed, left = Path.replace, tries

    def replace(path: Path, target: Path) -> Path:
        nonlocal left
        left -= 1
        if left >= 0:
            raise PermissionError(13, "another process uses it", str(target))
        return closed(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr("cooldown.search.cli.output.PAUSES", (0.0, 0.0, 0.0))


@pytest.mark.parametrize("tries", [0, 1, 3])
def test_a_file_is_replaced_once_its_readers_let_go(
    tries: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_for(tries, monkeypatch)
    path = tmp_path / "best.json"
    path.write_text("old")
    write_output(path, "new", True)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("best.json", "new")]


def test_a_file_that_stays_open_is_told_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_for(float("inf"), monkeypatch)
    path = tmp_path / "best.json"
    path.write_text("old")
    with pytest.raises(InputError, match=r"best.json' cannot be written: another process uses it"):
        write_output(path, "new", True)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("best.json", "old")]


@pytest.mark.parametrize("force", [False, True])
def test_a_file_that_cannot_be_filled_is_removed(force: bool, tmp_path: Path) -> None:
    """Here because its content is no content; the old file stays."""
    path = tmp_path / "best.json"
    if force:
        path.write_text("old")
    with pytest.raises(TypeError):
        write_output(path, 3, force)  # type: ignore[arg-type]
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == ([("best.json", "old")] if force else [])
