"""The independent libraries that the numerics are held against.

In CI (environment variable CI=true) they must be there; elsewhere a test that needs one is skipped without it.
"""

import importlib
import os
from types import ModuleType

import pytest


def _reference(name: str) -> ModuleType:
    return importlib.import_module(name) if os.environ.get("CI") == "true" else pytest.importorskip(name)


@pytest.fixture(scope="session")
def torch() -> ModuleType:
    """PyTorch on one thread."""
    module = _reference("torch")
    module.set_num_threads(1)
    return module


@pytest.fixture(scope="session")
def optax() -> ModuleType:
    """Optax, with JAX in float64."""
    _reference("jax").config.update("jax_enable_x64", True)
    return _reference("optax")
