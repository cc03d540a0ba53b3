"""Standard streams that are closed, as after `2>&-` and in some daemons: they get /dev/null.

Otherwise the next file that is opened, which may be the ledger, would get a stream's number, and what a library prints
would be written into it. And loky needs both output streams, here and in its workers.
"""

import os
import sys

STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
"""The standard streams by their numbers, with their modes."""


def open_closed_streams() -> None:
    """Open the standard streams that this process was started without."""
    closed = {number: stream for number, stream in enumerate(STREAMS) if getattr(sys, stream[0]) is None}
    # All numbers first: what is opened for one stream must not get the number of the next.
    for number in closed:
        _open(number)
    for name, mode in closed.values():
        setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115


def _open(number: int) -> None:
    """Open /dev/null with this number, for child processes too, unless another file has it already."""
    try:
        os.fstat(number)
    except OSError:
        opened = os.open(os.devnull, os.O_RDWR)
        os.dup2(opened, number, inheritable=True)
        if opened == number:
            os.set_inheritable(number, True)
        else:
            os.close(opened)
