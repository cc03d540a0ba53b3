"""What decides the last digits of a result is recorded, and compared when an experiment is continued."""

import platform
import warnings
from typing import Any

import pytest
from threadpoolctl import threadpool_info

from cooldown.objectives.errors import CooldownWarning
from cooldown.storage.environment import VARIABLES, differences, environment, warn_of_changes

HERE = environment()


def elsewhere(**changes: Any) -> dict[str, Any]:
    return {**HERE, **changes}


def test_the_kernel_of_the_matrix_products_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    (first, *_) = (each for each in threadpool_info() if each["user_api"] == "blas")
    assert HERE["blas"].startswith(f"{first['internal_api']} {first['version']}")
    assert str(first.get("architecture", "")) in HERE["blas"]
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
