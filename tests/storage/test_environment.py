"""What decides the last digits of a result is recorded, and compared when an experiment is continued."""

import platform
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from cooldown.objectives.errors import CooldownWarning
from cooldown.storage import environment as recorded
from cooldown.storage.environment import VARIABLES, differences, environment, warn_of_changes
from cooldown.storage.installed import installed_packages

HERE = environment()


def elsewhere(**changes: Any) -> dict[str, Any]:
    return {**HERE, **changes}


def test_the_kernel_of_numpys_matrix_products_is_recorded() -> None:
    loaded = [each for each in threadpool_info() if each["user_api"] == "blas"]
    named = [" ".join(str(each.get(key)) for key in ("internal_api", "version", "architecture")) for each in loaded]
    assert HERE["blas"] in [name.removesuffix(" None") for name in named]


@pytest.mark.parametrize("order", [1, -1])
def test_the_blas_of_another_package_is_not_taken_for_numpys(order: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which libraries there are, and in which order, depends on what a process has imported."""
    site = Path(np.__file__).parents[1]
    described = {"user_api": "blas", "internal_api": "openblas", "architecture": "Zen"}
    libraries = [
        {"user_api": "openmp", "internal_api": "openmp", "version": None, "filepath": f"{site}/a.so"},
        {**described, "version": "2", "filepath": f"{site}/numpy.libs/libopenblas.so"},
        {**described, "version": "1", "filepath": f"{site}/a.libs/libopenblas.so"},
    ]
    monkeypatch.setattr("threadpoolctl.threadpool_info", lambda: libraries[::order])
    monkeypatch.setattr(recorded, "_blas", recorded._blas.__wrapped__)
    assert environment()["blas"] == "openblas 2 Zen"


def test_the_variables_that_choose_a_kernel_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "512")
    assert environment()["variables"] == {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "512"}


def test_the_processor_is_named() -> None:
    assert HERE["processor"]
    if platform.system() == "Linux" and platform.machine() == "x86_64":
        assert HERE["processor"] != "x86_64"


def test_what_may_change_bits_is_compared() -> None:
    other = elsewhere(blas="openblas 0.3 Zen", processor="Another", simd="AVX2", variables={"MKL_CBWR": "AVX2"})
    other["packages"] = {**HERE["packages"], "numpy": "1.0", "sqlalchemy": "1.0"}
    assert differences(other, HERE | {"variables": {}}) == [
        f"numpy 1.0, now {HERE['packages']['numpy']}",
        f"processor Another, now {HERE['processor']}",
        f"SIMD instructions AVX2, now {HERE['simd']}",
        f"BLAS openblas 0.3 Zen, now {HERE['blas']}",
        "MKL_CBWR AVX2, now none",
    ]


def test_what_changes_no_bit_is_not() -> None:
    assert differences(elsewhere(system="another", cores=1000), HERE) == []


def test_an_older_record_is_compared_by_what_it_has() -> None:
    old = {"python": HERE["python"], "packages": dict(HERE["packages"]), "system": "x", "processor": "x86_64"}
    assert differences(old, HERE) == []
    old["packages"]["scipy"] = "1.0"
    assert differences(old, HERE) == [f"scipy 1.0, now {HERE['packages']['scipy']}"]


def test_a_change_is_told() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_changes("digits", HERE)
    with pytest.warns(CooldownWarning, match=r"digits was started in another.*\(BLAS none, now .*last digits"):
        warn_of_changes("digits", elsewhere(blas=""))


def test_the_versions_of_all_packages_are_recorded() -> None:
    lock = HERE["lock"]
    assert {name: lock.get(name) for name in ("numpy", "scikit-learn", "optuna")} == {
        name: HERE["packages"][name] for name in ("numpy", "scikit-learn", "optuna")
    }
    # Needed by what is needed; needed for tests alone; and the package itself.
    assert lock["llvmlite"] == version("llvmlite")
    assert not {"pytest", "ruff", "cooldown"} & set(lock)
    assert list(lock) == sorted(lock)
    assert installed_packages("a-package-that-is-only-imported") == {}
