"""How tests run JAX: quick to compile, with two devices, and in float64 where its numbers are compared with ours."""

from collections.abc import Iterator
from contextlib import contextmanager

XLA_FLAGS = (
    "--xla_force_host_platform_device_count=2 --xla_backend_optimization_level=0"
    " --xla_cpu_parallel_codegen_split_count=1 --xla_cpu_use_fusion_emitters=false"
    " --xla_llvm_disable_expensive_passes=true"
)
"""For this process and those that it starts (conftest.py). Nearly all of the time goes into compiling what then runs
200 times. Of a CPU's two virtual devices JAX uses the first, unless a program asks for both.
"""


@contextmanager
def float64() -> Iterator[None]:
    """Within it JAX computes in float64."""
    import jax

    before = jax.config.jax_enable_x64
    # Not the context manager: a callback runs in a thread of its own, which would not be in the context.
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)
