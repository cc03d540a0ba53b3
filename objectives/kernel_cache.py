"""Compiled kernels and their cache on disk.

The cache is Numba's, in `NUMBA_CACHE_DIR`, beside the source or in the user's cache folder. Nothing depends on it:
where no folder can be written to, the disk is full, or a file of the cache is damaged, a `CooldownWarning` says so, and
the kernel is compiled. Every file ends with a digest of its content: without one, Numba would run damaged machine code.
A damaged file is replaced.
"""

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from numba import njit
from numba.core.caching import FunctionCache, IndexDataCacheFile, NullCache

from cooldown.objectives.errors import CooldownWarning

REMEDY = "every process compiles them again, which takes seconds; set NUMBA_CACHE_DIR to a folder with room"


def kernel(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorate a function that Numba compiles, with its options, and keep its machine code on disk where possible."""

    def decorated(function: Callable[..., Any]) -> Any:
        compiled: Any = njit(**options)(function)
        compiled._cache = KernelCache(function)
        return compiled

    return decorated


class DamagedFileError(Exception):
    """A file of the cache that is not as it was written."""


class KernelCache(NullCache):
    """The cache of one kernel: Numba's, whose failures are warnings."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    @cached_property
    def _disk(self) -> FunctionCache | None:
        try:
            disk = FunctionCache(self._function)
        # RuntimeError: no folder that can be written to.
        except (RuntimeError, OSError):
            _warn(f"compiled kernels cannot be kept (no folder for them can be written to): {REMEDY}")
            return None
        # Names of their own, because Numba's files, which Cooldown kept before, have no digest.
        name = f"{disk._impl.filename_base}-checked"
        disk._cache_file = _CheckedFile(disk.cache_path, name, disk._cache_file._source_stamp)
        return disk

    @property
    def cache_path(self) -> str | None:
        """The folder of the kernel's files; None without one."""
        return None if self._disk is None else self._disk.cache_path

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled kernel of this signature; None if it is not in the cache, or damaged."""
        if self._disk is None:
            return None
        try:
            return self._disk.load_overload(sig, target_context)
        # A damaged pickle may raise anything.
        except Exception as error:
            _warn(f"the cache of compiled kernels cannot be read ({_reason(error)}): what it lacks is compiled again")
            self._forget()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the compiled kernel of this signature, if the disk allows it."""
        if self._disk is None:
            return
        try:
            self._disk.save_overload(sig, data)
        except Exception as error:
            _warn(f"compiled kernels cannot be kept ({_reason(error)}): {REMEDY}")

    def _forget(self) -> None:
        """Empty the kernel's index, which may be what is damaged."""
        assert self._disk is not None
        try:
            self._disk.flush()
        except OSError:
            # It cannot be written; saving says so.
            return


class _CheckedFile(IndexDataCacheFile):
    """Numba's index and data files, each with a digest at its end, which unpickling does not read."""

    def _load_index(self) -> Any:
        path = Path(self._index_path)
        if path.exists():
            _check(path)
        return super()._load_index()  # type: ignore[no-untyped-call]

    def _load_data(self, name: str) -> Any:
        _check(Path(self._data_path(name)))
        return super()._load_data(name)  # type: ignore[no-untyped-call]

    @contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[BinaryIO]:
        content = io.BytesIO()
        with super()._open_for_write(filepath) as file:
            yield content
            file.write(content.getvalue() + sha256(content.getvalue()).digest())


def _check(path: Path) -> None:
    """Raise DamagedFileError for a file that does not end with its digest."""
    data, size = path.read_bytes(), sha256().digest_size
    if sha256(data[:-size]).digest() != data[-size:]:
        raise DamagedFileError("a file is damaged")


def _reason(error: Exception) -> str:
    """The reason of a failure, without the file's name: it is said once, not for each kernel."""
    text = error.strerror if isinstance(error, OSError) else str(error)
    return text or type(error).__name__


@cache
def _warn(message: str) -> None:
    """Warn of this once in a process."""
    warnings.warn(message, CooldownWarning, stacklevel=1)
