"""The environment of an experiment: package versions and machine, stored with its results.

It has what decides the last digits of a result: packages, the processor and what numpy uses of it, the kernel that the
BLAS library chose, and the variables of the environment that change these choices. Beside it the versions of all
packages that Cooldown needs, with which an experiment can be repeated elsewhere. The first run, which may be on another
machine than that where it was submitted, writes its own, and the arithmetic digest of the machines that train
(`Writer.record_arithmetic`).
"""

import os
import platform
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from cooldown.objectives.errors import CooldownWarning
from cooldown.storage.installed import installed_packages

PACKAGES = ("cooldown", "numpy", "numba", "optuna", "scikit-learn", "scipy", "sqlalchemy")

INDIFFERENT = ("sqlalchemy",)
"""Packages that change no result."""

VARIABLES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "MKL_CBWR", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")
"""Variables that change the bits of a result."""

DECISIVE = {"python": "Python", "processor": "processor", "simd": "SIMD instructions", "blas": "BLAS"}
"""What else may change them, with its name in a sentence. An older record has not all of it."""


def environment() -> dict[str, Any]:
    """Versions of Python and of the packages on which results depend, and the machine."""
    import loky
    import numpy

    return {
        "python": platform.python_version(),
        "packages": dict(_packages()),
        "lock": installed_packages(),
        "system": platform.platform(),
        "processor": _processor(),
        "simd": " ".join(numpy.show_config(mode="dicts").get("SIMD Extensions", {}).get("found", ())),
        "blas": _blas(),
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
        "cores": loky.cpu_count(),
    }


@cache
def _packages() -> Mapping[str, str | None]:
    """The versions of `PACKAGES`: what is imported stays what it was, whatever is installed meanwhile."""
    return versions_of(PACKAGES)


def versions_of(packages: Sequence[str]) -> dict[str, str | None]:
    """The versions of packages by their names; None for one that is not installed, as Cooldown in a mere checkout."""
    versions: dict[str, str | None] = {}
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return versions


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs between two environments and may change the bits of a result, as far as both records have it:
    `numpy 2.2.0, now 2.3.1`.
    """
    return [f"{name} {old or 'none'}, now {new or 'none'}" for name, old, new in _compared(before, now) if old != new]


def warn_of_changes(name: str, before: Mapping[str, Any]) -> None:
    """Issue a CooldownWarning if the experiment `name` is continued where results may be rounded in another way.

    before: the environment in which it was started.
    """
    changes = differences(before, environment())
    if changes:
        warnings.warn(
            f"{name} was started in another environment ({'; '.join(changes)}): further results may differ in their "
            "last digits from those that it would have had there",
            CooldownWarning,
            stacklevel=2,
        )


def _compared(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Name, former and present value of everything that may change the bits of a result."""
    packages = {name: old for name, old in before.get("packages", {}).items() if name not in INDIFFERENT}
    yield from ((name, packages[name], new) for name, new in now["packages"].items() if name in packages)
    if "blas" not in before:
        # An older record: its processor is only the kind of its instructions.
        return
    yield from ((name, before[key], now[key]) for key, name in DECISIVE.items())
    yield from ((name, before["variables"].get(name), now["variables"].get(name)) for name in VARIABLES)


def _processor() -> str:
    """The processor's model, or at least its kind."""
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        for line in listed.read_text(errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


@cache
def _blas() -> str:
    """The BLAS library of numpy, its version and the kernel that it chose: `openblas 0.3.31 Haswell`; "" if unknown."""
    import numpy
    from threadpoolctl import threadpool_info

    # scipy may bring another one. numpy's packages have theirs in numpy.libs, or below numpy itself.
    place = str(Path(numpy.__file__).parent)
    loaded = [each for each in threadpool_info() if each["user_api"] == "blas"]
    if not loaded:
        return ""
    library = min(loaded, key=lambda each: (not each["filepath"].startswith(place), each["filepath"]))
    parts = (library["internal_api"], library["version"], library.get("architecture"))
    return " ".join(str(part) for part in parts if part)
