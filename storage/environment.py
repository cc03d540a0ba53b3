"""The environment of an experiment: package versions and machine, stored with its results."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = ("cooldown", "numpy", "numba", "optuna", "scikit-learn", "scipy", "sqlalchemy")


def environment() -> dict[str, Any]:
    """Versions of Python and of the packages on which results depend, and the machine."""
    versions: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {
        "python": platform.python_version(),
        "packages": versions,
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
    }
