"""The single-writer lease: one process at a time runs an experiment.

A lease names its holder: machine, process and the process's start time. A dead holder on this machine is replaced at
once, one on another machine when its heartbeat is older than `EXPIRY` seconds.
"""

import os
import socket
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from cooldown.storage.checking import check_table, is_finite

EXPIRY = 60.0
HEARTBEAT = 10.0
"""Seconds between two heartbeats of a holder."""


def this_process() -> dict[str, Any]:
    """The holder's entry for this process."""
    return {
        "machine": _machine(),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started": _started(psutil.Process()),
        "token": uuid.uuid4().hex,
    }


def check_holder(holder: Any) -> None:
    """Raise ValueError unless `holder` is an entry as `this_process` makes it."""
    check_table("holder", holder)
    for name, kind in (("machine", str), ("host", str), ("pid", int), ("started", float), ("token", str)):
        if not isinstance(holder.get(name), kind) or not is_finite(holder[name]):
            raise ValueError(f"holder: {name} should be of type {kind.__name__}, got {holder.get(name)!r:.80}")


def is_alive(holder: Mapping[str, Any] | None, heartbeat_at: float | None, now: float) -> bool:
    """Whether `holder` may still be writing: judged by its process on this machine, by its heartbeat on another, or
    where its entry cannot be read. now: by the database's clock, as heartbeats are.
    """
    if holder is None:
        return False
    if not _is_holder(holder) or holder["machine"] != _machine():
        return isinstance(heartbeat_at, int | float) and now - heartbeat_at < EXPIRY
    try:
        process = psutil.Process(holder["pid"])
        # Process ids are reused: only an equal start time means the same process.
        return abs(_started(process) - holder["started"]) < 1.0 and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, OverflowError, ValueError):
        return False
    except psutil.AccessDenied:
        return True


def holder_in_words(holder: Mapping[str, Any]) -> str:
    """A holder in a sentence."""
    if not _is_holder(holder):
        return "a process whose entry cannot be read"
    return f"process {holder['pid']} on {holder['host']}"


def _is_holder(holder: Any) -> bool:
    try:
        check_holder(holder)
    except ValueError:
        return False
    return True


def _started(process: psutil.Process) -> float:
    """The start of a process, in seconds; does not change while the process lives."""
    # Linux counts from the boot, and psutil adds the boot time from a clock that may have been changed since.
    return process.create_time() - (psutil.boot_time() if psutil.LINUX else 0.0)


def _machine() -> str:
    """An id of this machine since its boot. A container counts as a machine, because it cannot see other processes."""
    boot, processes = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    if not boot.exists():
        return f"{socket.gethostname()}/{uuid.getnode()}"
    return f"{socket.gethostname()}/{boot.read_text().strip()}/{processes.readlink()}"
