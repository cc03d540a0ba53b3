"""`Packed`: a value that many jobs share, pickled once; its arrays travel beside the pickle, without a copy.

Processes of one machine share them: the pickle and its arrays are written to one file, which each process maps into its
memory, so that a large table is there once, however many workers there are.
"""

import atexit
import getpass
import mmap
import pickle
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Generic, TypeVar

from cooldown.objectives.errors import InputError

T = TypeVar("T")

ALIGNMENT = 64
"""Bytes at whose multiples an array begins in a file: a cache line, as NumPy would like it."""

HELD = 2
"""Values that a process keeps: that of its experiment, and that of the one before."""

MOST_ATTEMPTS = 3
"""How often a file is looked for that others may remove."""


@dataclass(frozen=True, eq=False)
class Pickled:
    """A value as bytes. head: its pickle. arrays: the memory of its arrays, which the pickle refers to."""

    head: Any
    arrays: Sequence[Any]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content."""
        digest = sha256(self.head)
        for array in self.arrays:
            digest.update(array)
        return digest.hexdigest()

    def value(self) -> Any:
        """The value, whose arrays are in this memory."""
        return pickle.loads(self.head, buffers=self.arrays)


class Packed(Generic[T]):
    """A value, and what is sent of it. what: the value in messages, as in "the model Net"."""

    def __init__(self, value: T, what: str) -> None:
        self.value, self._what = value, what

    @cached_property
    def pickled(self) -> Pickled:
        """The value as bytes, including classes that are defined in a script or notebook. Arrays are not copied.

        Raises InputError for a value that cannot be pickled.
        """
        import cloudpickle

        buffers: list[pickle.PickleBuffer] = []
        try:
            head = cloudpickle.dumps(self.value, protocol=5, buffer_callback=buffers.append)
            return Pickled(head, [buffer.raw() for buffer in buffers])
        except Exception as error:
            raise InputError(
                f"{self._what} cannot be sent to a worker process: {type(error).__name__}: {error}"
            ) from error


@dataclass(frozen=True)
class Stored:
    """A pickled value in a file of this machine: all that another process needs to know of it.

    ends: where in the file the pickle ends, and then each array; each of these begins at a multiple of `ALIGNMENT`.
    """

    path: str
    ends: tuple[int, ...]

    def mapped(self) -> Pickled:
        """The value's bytes, in memory that all processes share until one of them writes there."""
        with Path(self.path).open("rb") as file:
            # A process's own changes, as a user's loop may make them, stay its own.
            memory = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
        starts = (0, *map(_aligned, self.ends[:-1]))
        head, *arrays = (memory[start:end] for start, end in zip(starts, self.ends, strict=True))
        return Pickled(head, arrays)

    def value(self) -> Any:
        """The value, which this process holds once."""
        return _value(self)


@lru_cache(maxsize=HELD)
def _value(stored: Stored) -> Any:
    return stored.mapped().value()


def store(pickled: Pickled, folder: Path) -> Stored:
    """A file in `folder` that has the value, named after its digest, which is written unless it is there already.

    Raises InputError where there is no room.
    """
    path, parts = folder / pickled.digest, [memoryview(part) for part in (pickled.head, *pickled.arrays)]
    ends = [parts[0].nbytes]
    for part in parts[1:]:
        ends.append(_aligned(ends[-1]) + part.nbytes)
    if not path.exists():
        try:
            with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
                for part, end in zip(parts, ends, strict=True):
                    file.seek(end - part.nbytes)
                    file.write(part)
            # Whoever finds the file finds all of it.
            Path(file.name).replace(path)
        except OSError as error:
            raise InputError(
                f"the data cannot be written to {str(folder)!r} for the workers: {error.strerror or error}; set TMPDIR "
                "to a folder with room"
            ) from error
    return Stored(str(path), tuple(ends))


def shared_on_machine(pickled: Pickled) -> Pickled:
    """The same bytes in a file that all processes of this user on this machine share, as far as there is room for it.

    The last of them to end removes it: one that is still mapped stays in memory.
    """
    folder = Path(tempfile.gettempdir()) / f"cooldown-{getpass.getuser()}"
    for _attempt in range(MOST_ATTEMPTS):
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            if folder.owner() != getpass.getuser():
                break
            stored = store(pickled, folder)
            mapped = stored.mapped()
        except FileNotFoundError:
            # Another process has just removed it.
            continue
        except (OSError, InputError):
            break
        atexit.register(Path(stored.path).unlink, missing_ok=True)
        return mapped
    return pickled


def _aligned(place: int) -> int:
    return -(-place // ALIGNMENT) * ALIGNMENT
