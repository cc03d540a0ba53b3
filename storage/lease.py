"""Who runs an experiment: one process at a time.

A lease names its holder: machine, process and that process's start. A holder that is dead on this machine is replaced
at once; one on another machine when its heartbeat is older than `EXPIRY` seconds.
"""

import os
import socket
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

EXPIRY = 60.0
HEARTBEAT = 10.0
"""Seconds between two signs of life of a holder."""


def this_process() -> dict[str, Any]:
    """The holder's entry for the present process."""
    return {
        "machine": _machine(),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started": _started(psutil.Process()),
        "token": uuid.uuid4().hex,
    }


def is_alive(holder: Mapping[str, Any] | None, heartbeat_at: float | None) -> bool:
    """Whether `holder` may still be writing: by its process on this machine, by its heartbeat elsewhere."""
    if holder is None:
        return False
    if holder["machine"] != _machine():
        return heartbeat_at is not None and time.time() - heartbeat_at < EXPIRY
    try:
        process = psutil.Process(holder["pid"])
        # A number is used again sooner or later: only the same start makes it the same process.
        return abs(_started(process) - holder["started"]) < 1.0 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def _started(process: psutil.Process) -> float:
    """When a process started, in seconds, the same whenever it is asked for while the process lives."""
    # Linux counts from the machine's start, and psutil adds that start by a clock that may since have been set anew.
    return process.create_time() - (psutil.boot_time() if psutil.LINUX else 0.0)


def _machine() -> str:
    """This machine since it was started. A container is a machine of its own: it cannot see others' processes."""
    boot, processes = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    if not boot.exists():
        return f"{socket.gethostname()}/{uuid.getnode()}"
    return f"{socket.gethostname()}/{boot.read_text().strip()}/{processes.readlink()}"
