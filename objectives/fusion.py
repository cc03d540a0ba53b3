"""Fuse a scalar update rule into one compiled loop over a population's parameters.

A rule is a formula on scalars (objectives/optimizers). Here its loop over (replicates, parameters) is written out as
source, with the rule's own argument names, and compiled by Numba into one SIMD pass that reads and writes every array
once. The written-out kernel counts as a function of the rule's file, so Numba keeps it on disk beside that file and
compiles it again when the file changes.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import DTypeLike

from objectives.optimizers import Optimizer

# Python's division raises on 0 and its arithmetic keeps signed zeros: both would keep the loop from using SIMD.
# Contraction (fused multiply-add) and reciprocals of loop constants are within a rounding error; nothing here may
# reorder a sum or assume that values are finite.
OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract", "arcp", "nsz"}}


class _Literals(ast.NodeTransformer):
    """Every number literal `1` as `precision(1)`."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            return node
        call = ast.Call(ast.Name("precision", ast.Load()), [node], [])
        return ast.copy_location(call, node)


def _in_precision(rule: Callable[..., Any], dtype: np.dtype[Any]) -> Callable[..., Any]:
    """`rule` with its literals in `dtype`: a literal 1 would lift a float32 formula to float64."""
    tree = _Literals().visit(ast.parse(textwrap.dedent(inspect.getsource(rule))))
    namespace = {**rule.__globals__, "precision": dtype.type}
    exec(compile(ast.fix_missing_locations(tree), inspect.getfile(rule), "exec"), namespace)
    written: Callable[..., Any] = namespace[rule.__name__]
    return written


@cache
def _version() -> str:
    """A short digest of this module."""
    return sha256(Path(__file__).read_bytes()).hexdigest()[:8]


@cache
def fused(optimizer: Optimizer, dtype: DTypeLike) -> Callable[..., None]:
    """The compiled update of `optimizer`:
    `kernel(theta (R, P), gradient (R, P), state (S, R, P), l2 (R,), rates (T, R), step, hyperparameters (H, R))`.

    It updates `theta` and `state` in place for update index `step` (from 0); `rates` holds the learning rates, H the
    hyperparameters after `learning_rate`. All arrays are of `dtype` and C-contiguous. `gradient` is only read.
    """
    precision = np.dtype(dtype)
    slots = optimizer.slots
    others = [hyperparameter.name for hyperparameter in optimizer.hyperparameters[1:]]
    read = [f"state[{i}, r, p]" for i in range(len(slots))]
    # Arithmetic on subnormal numbers is many times slower, and a moment whose gradient has died decays through them.
    flushes = "".join(
        f"            {place} = zero if abs({slot}) < tiny else {slot}\n"
        for place, slot in zip(read, slots, strict=True)
    )
    loads = "".join(f"        {name} = hyperparameters[{i}, r]\n" for i, name in enumerate(others))
    source = (
        "def kernel(theta, gradient, state, l2, rates, step, hyperparameters):\n"
        "    t = precision(step + 1)\n"
        "    for r in range(theta.shape[0]):\n"
        "        learning_rate = rates[step, r]\n"
        f"{loads}"
        "        for p in range(theta.shape[1]):\n"
        f"            {', '.join(['theta[r, p]', *slots])}, = rule(\n"
        f"                {', '.join(['theta[r, p]', 'gradient[r, p] + l2[r] * theta[r, p]', *read])},\n"
        f"                {', '.join(['learning_rate', 't', *others])})\n"
        f"{flushes}"
    )
    # A module that can be imported by name is what lets Numba load the kernel from disk in another process.
    namespace: dict[str, Any] = {
        "__name__": optimizer.update.__module__,
        "rule": njit(**OPTIONS)(_in_precision(optimizer.update, precision)),
        "precision": precision.type,
        "tiny": np.finfo(precision).tiny,
        "zero": precision.type(0),
    }
    exec(compile(source, inspect.getfile(optimizer.update), "exec"), namespace)
    kernel = namespace["kernel"]
    # The name is part of the file's on disk: what this module writes, and with which options, makes another kernel.
    kernel.__name__ = kernel.__qualname__ = f"fused_{optimizer.name}_{precision.name}_{_version()}"
    compiled: Callable[..., None] = njit(cache=True, **OPTIONS)(kernel)
    return compiled
