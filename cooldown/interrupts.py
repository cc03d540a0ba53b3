"""Ctrl-C, SIGTERM and SIGHUP: one message and exit code 130, from the first import to the last line, for every command.

As a rule a command has nothing to put in order, and is ended at once. One that has, such as a run that holds an
experiment's lease, says so with `orderly`: the first signal then raises KeyboardInterrupt, and a second one ends it at
once. A worker, which finishes what is in flight, says so with `draining`. All of this is for the command line; as a
library, Cooldown changes no signal handler.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

EXIT_CODE = 130

SIGNALS = [number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]


class _State:
    """What this process has been asked, and what it says of it."""

    message = "Interrupted."
    asked = told = False


def install() -> None:
    """End this process at once on every one of the signals that is not ignored, as `nohup` and `&` ask for."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


@contextmanager
def orderly() -> Iterator[None]:
    """In here, the first signal raises KeyboardInterrupt."""
    with _first(_ask):
        yield


@contextmanager
def draining(drain: Callable[[], None]) -> Iterator[None]:
    """In here, the first signal calls `drain`; the process is then to end by itself, and was not interrupted."""

    def first(_number: int, _frame: FrameType | None) -> None:
        for number in SIGNALS:
            if signal.getsignal(number) is first:
                signal.signal(number, _end)
        drain()

    with _first(first):
        yield


def say_when_asked(message: str) -> None:
    """From now on, an interrupted process says this."""
    _State.message = message


def was_asked() -> bool:
    """Whether a signal has asked this process to end: whatever error follows is a consequence."""
    return _State.asked


def tell() -> None:
    """Print the message to stderr, once."""
    if not _State.told:
        _State.told = True
        write(f"{_State.message}\n")


@contextmanager
def _first(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """In here, `handler` is called by a signal that would end this process; it sees to it that the next one does."""
    ours = [number for number in SIGNALS if signal.getsignal(number) is _end]
    for number in ours:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, _end)


def _ask(_number: int, _frame: FrameType | None) -> None:
    _State.asked = True
    for number in SIGNALS:
        if signal.getsignal(number) is _ask:
            signal.signal(number, _end)
    raise KeyboardInterrupt


def _end(_number: int, _frame: Any) -> NoReturn:
    if _is_terminal():
        # A live display hides the cursor.
        write("\x1b[?25h")
    tell()
    os._exit(EXIT_CODE)


def _is_terminal() -> bool:
    try:
        return os.isatty(2)
    except OSError:
        return False


def write(text: str) -> None:
    """Print to stderr below all buffers: after a signal in the middle of a print, a buffer prints the same again."""
    # Where stderr is closed, nobody listens.
    with suppress(OSError):
        os.write(2, text.encode(errors="backslashreplace"))
