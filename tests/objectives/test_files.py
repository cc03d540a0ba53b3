"""Files from outside: only regular ones, and only up to a size."""

import os
from pathlib import Path

import pytest

from cooldown.objectives.errors import InputError
from cooldown.objectives.files import MB, read_file


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "it"
    path.write_bytes(b"x" * MB)
    assert read_file(path, "it", MB) == b"x" * MB
    path.write_bytes(b"x" * (MB + 1))
    with pytest.raises(InputError, match=r"^it: has more than 1 MB, the limit for this kind of file$"):
        read_file(path, "it", MB)


def test_what_is_no_regular_file_is_named_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path, said in (
        (tmp_path, "is a folder, not a file"),
        (tmp_path / "pipe", "is a pipe, not a file"),
        (Path("/dev/zero"), "is a device or a socket, not a file"),
        (tmp_path / "none", "there is no such file"),
        (tmp_path / "a\0b", "cannot be read: embedded null byte"),
        (tmp_path / "loop", "cannot be read: "),
        (tmp_path / ("n" * 300), "cannot be read: File name too long"),
    ):
        with pytest.raises(InputError, match=f"^it: .*{said}"):
            read_file(path, "it", MB)


def test_a_file_that_does_not_say_how_long_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in /proc, or one that grows between the look and the read."""
    path = tmp_path / "it"
    path.write_bytes(b"x" * 11)
    empty = os.stat_result((0o100644, 0, 0, 1, 0, 0, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda self: empty)
    with pytest.raises(InputError, match="it: has more than 0 MB"):
        read_file(path, "it", 10)
