"""Kernels are compiled without their cache on disk, whatever is wrong with it, and the process says so once."""

import errno
import importlib.util
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba
import pytest

from cooldown.objectives import kernel_cache
from cooldown.objectives.errors import CooldownWarning
from cooldown.objectives.kernel_cache import kernel


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Any]]:
    """A function that gives the kernel as a new process would have it: not compiled, and with nothing said."""
    (tmp_path / "doubling.py").write_text("def twice(x):\n    return 2 * x\n")
    spec = importlib.util.spec_from_file_location("doubling", tmp_path / "doubling.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "doubling", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))

    def made() -> Any:
        kernel_cache._warn.cache_clear()
        return kernel()(module.twice)

    yield made
    kernel_cache._warn.cache_clear()


def files(folder: Path, suffix: str) -> list[Path]:
    return sorted((folder / "cache").rglob(f"*{suffix}"))


def loaded(compiled: Any) -> bool:
    """Whether the kernel came from disk when it was called."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert compiled(21.0) == 42.0
    return bool(compiled.stats.cache_hits)


def test_a_whole_cache_is_used(fresh: Callable[[], Any]) -> None:
    assert not loaded(fresh())
    assert loaded(fresh())


def emptied(data: bytes) -> bytes:
    return b""


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    """One bit of what may be machine code: it can still be unpickled."""
    return data[:-500] + bytes([data[-500] ^ 1]) + data[-499:] if len(data) > 1000 else data[:-40] + b"?" + data[-39:]


def replaced(data: bytes) -> bytes:
    return b"something else altogether, and longer than a digest is"


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("damaged", [emptied, cut, flipped, replaced])
def test_a_damaged_file_is_told_and_mended(
    fresh: Callable[[], Any], tmp_path: Path, suffix: str, damaged: Callable[[bytes], bytes]
) -> None:
    fresh()(21.0)
    (file,) = files(tmp_path, suffix)
    file.write_bytes(damaged(file.read_bytes()))
    hurt = fresh()
    with pytest.warns(CooldownWarning, match="the cache of compiled kernels cannot be read") as told:
        assert hurt(21.0) == 42.0
    assert len(told) == 1
    assert not hurt.stats.cache_hits
    assert loaded(fresh()), "the damaged file has been replaced"


def test_without_a_folder_kernels_are_compiled(fresh: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numba.core.caching.CacheImpl._locator_classes", [])
    homeless = fresh()
    with pytest.warns(CooldownWarning, match=r"no folder for them can be written to.*NUMBA_CACHE_DIR") as told:
        assert [homeless(21.0), homeless(21)] == [42, 42]
    assert len(told) == 1


@pytest.mark.parametrize("where", ["_save_index", "_save_data"])
def test_a_full_disk_is_told_once(fresh: Callable[[], Any], where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(kernel_cache._CheckedFile, where, full)
        squeezed = fresh()
        with pytest.warns(CooldownWarning, match=r"cannot be kept \(No space left on device\)") as told:
            assert [squeezed(21.0), squeezed(21)] == [42, 42]
    assert len(told) == 1
    assert not loaded(fresh())
    assert loaded(fresh())
