"""How tests run JAX: in float64, as our own numbers are, and quick to compile."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import jax
import optax  # noqa: F401  (it compiles functions of its own as it is imported, which must not be with our options)
import pytest

QUICK_TO_COMPILE = {
    "xla_backend_optimization_level": 0,
    "xla_cpu_parallel_codegen_split_count": 1,
    "xla_cpu_use_fusion_emitters": False,
    "xla_llvm_disable_expensive_passes": True,
}
"""Nearly all of the time goes into compiling what then runs 200 times."""


@contextmanager
def quick_float64() -> Iterator[None]:
    """Within it; also for scripts that are started there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jax, "jit", partial(jax.jit, compiler_options=QUICK_TO_COMPILE))
        patch.setenv("XLA_FLAGS", " ".join(f"--{name}={value}".lower() for name, value in QUICK_TO_COMPILE.items()))
        before = jax.config.jax_enable_x64
        # Not the context manager: a callback runs in a thread of its own, which would not be in the context.
        jax.config.update("jax_enable_x64", True)
        yield
        jax.config.update("jax_enable_x64", before)
