"""Who runs an experiment: one process at a time.

A lease names its holder: machine, process and that process's start. A holder that is dead on this machine is replaced at
once; one on another machine when its heartbeat is older than `EXPIRY` seconds.
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
        "started": psutil.Process().create_time(),
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
        return abs(process.create_time() - holder["started"]) < 1.0 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _machine() -> str:
    """This machine since it was started; a container has a host name of its own."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    return f"{socket.gethostname()}/{boot.read_text().strip() if boot.exists() else uuid.getnode()}"
