"""The standard streams of the command, whatever they are: closed, full, a pipe without a reader, of any encoding.

The results of a command are on stdout: if it cannot be written, the command fails. Progress and messages are on stderr:
if that cannot be written, the command does its work without them. A stream that was closed on purpose, as by `>&-`,
takes everything, like /dev/null.
"""

import io
import os
import sys
from typing import Any, TextIO

from cooldown.search.executors.closed_streams import open_closed_streams


class OutputError(Exception):
    """Standard output cannot be written. reason: of the operating system; None if the reader has closed the pipe."""

    def __init__(self, error: OSError) -> None:
        self.reason = None if isinstance(error, BrokenPipeError) else error.strerror
        super().__init__(str(error))


class _Results(io.FileIO):
    """A stream whose failures have a name of their own, so that no library takes them for something else."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise OutputError(error) from error


class _Messages(io.FileIO):
    """A stream that drops what cannot be written."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def prepare() -> None:
    """Make the standard streams of this process usable."""
    given = sys.stdout, sys.stderr
    open_closed_streams()
    for name, stream, kind in zip(("stdout", "stderr"), given, (_Results, _Messages), strict=True):
        if stream is not None:
            setattr(sys, name, _replaced(stream, kind))


def discard_output() -> None:
    """Drop what stdout still buffers: Python writes it when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def is_unicode(stream: TextIO) -> bool:
    """Whether a stream's encoding has every character."""
    return stream.encoding.lower().startswith("utf")


def _replaced(stream: TextIO, kind: type[io.FileIO]) -> TextIO:
    """The stream on a file of this kind, with characters that its encoding lacks as escapes; a stream of another kind,
    such as the console of Windows, as it is.
    """
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    # Unbuffered, as with PYTHONUNBUFFERED, the buffer is the file itself.
    raw = getattr(stream.buffer, "raw", stream.buffer)
    if type(raw) is not io.FileIO:
        stream.reconfigure(errors="backslashreplace")
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(kind(raw.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
