"""Fuse a scalar update rule into one compiled loop over a population's parameters.

A rule is a formula on scalars (objectives/optimizers). Here its loop over (replicates, parameters) is written out as
source and compiled by Numba into one SIMD pass that reads and writes every array once. For Numba the written-out kernel
is a function of the rule's file: it is cached on disk, and compiled again when the file changes.
"""

import ast
import dis
import inspect
import re
import textwrap
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
from numba import float64, from_dtype, int64, njit
from numba.core.errors import NumbaError
from numpy.typing import DTypeLike

from cooldown.objectives.errors import InputError
from cooldown.objectives.kernel_cache import kernel
from cooldown.objectives.optimizers import Optimizer

# Python's division raises on 0 and its arithmetic keeps signed zeros: both would prevent SIMD.
# Contraction (fused multiply-add) and reciprocals of loop constants are within a rounding error; no option may
# reorder a sum or assume that values are finite.
OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract", "arcp", "nsz"}}
# Sums over a row may be computed in SIMD lanes: in another order, but the same in every run.
REDUCING: dict[str, Any] = {**OPTIONS, "fastmath": OPTIONS["fastmath"] | {"reassoc"}}


class _Literals(ast.NodeTransformer):
    """Every number literal `1` as `precision(1)`."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            return node
        call = ast.Call(ast.Name("precision", ast.Load()), [node], [])
        return ast.copy_location(call, node)


def _in_precision(rule: Callable[..., Any], dtype: np.dtype[Any]) -> Callable[..., Any]:
    """`rule` with its literals in `dtype`: a literal 1 would turn a float32 formula into float64."""
    tree = _Literals().visit(ast.parse(textwrap.dedent(inspect.getsource(rule))))
    helpers = {name: _inlined(_in_precision(helper, dtype), OPTIONS) for name, helper in _helpers(rule).items()}
    namespace = {**rule.__globals__, **helpers, "precision": dtype.type}
    exec(compile(ast.fix_missing_locations(tree), inspect.getfile(rule), "exec"), namespace)
    converted: Callable[..., Any] = namespace[rule.__name__]
    return converted


def _inlined(function: Callable[..., Any], options: dict[str, Any]) -> Callable[..., Any]:
    """`function`, compiled into the machine code of every compiled function that calls it.

    Without inlining the call is linked by name, and its result depends on the process: one that compiles the kernel
    calls the function's own machine code, one that loads the kernel from disk calls the copy in the kernel's file. LLVM
    has optimized the copy once more, so the two round differently.
    """
    inlined: Callable[..., Any] = njit(forceinline=True, **options)(function)
    return inlined


def _helpers(rule: Callable[..., Any]) -> dict[str, FunctionType]:
    """The functions that `rule` calls, by the names it uses for them."""
    # Not co_names, which holds attributes too: `sign` in np.sign is no global.
    used = [step.argval for step in dis.get_instructions(rule) if step.opname == "LOAD_GLOBAL"]
    globals_used = {name: rule.__globals__.get(name) for name in used}
    return {name: value for name, value in globals_used.items() if isinstance(value, FunctionType)}


def _version(optimizer: Optimizer) -> str:
    """A short digest of this module and of the functions that the rule calls, which may be in other files."""
    digest = sha256(Path(__file__).read_bytes())
    pending = [optimizer.update, *(optimizer.numbers.terms if optimizer.numbers else ())]
    pending += [optimizer.matrices.source, _of_matrices(optimizer)] if optimizer.matrices else []
    while pending:
        helpers = _helpers(pending.pop()).values()
        for helper in helpers:
            digest.update(inspect.getsource(helper).encode())
        pending += helpers
    return digest.hexdigest()[:8]


def _of_matrices(optimizer: Optimizer) -> Callable[..., Any]:
    """What is compiled of a rule's work on a matrix."""
    assert optimizer.matrices is not None
    return optimizer.matrices.compiled or optimizer.matrices.work_out


OPTIONAL = {
    "missed": "missed[r, p]",
    "staleness": "staleness[r]",
    "direction": "direction[r, p]",
    "in_matrix": "in_matrix[p]",
}
"""Where the optional arguments of a rule are in the arrays that its kernel takes."""

ARGUMENTS = ("theta", "gradient", "state", "memory", "l2", "rates", "step", "since", "hyperparameters")


class _Source:
    """The source of a rule's kernel: its loop over (replicates, parameters), written out.

    Every name in it is generated, so that none can clash with the names of a rule's arguments.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optional = {name: OPTIONAL[name] for name in optimizer.optional}
        self.others = [f"other{i}" for i in range(len(optimizer.hyperparameters) - 1)]
        self.slots = [f"slot{i}" for i in range(len(optimizer.slots))]
        self.numbers = [f"number{i}" for i in range(len(optimizer.number_names))]
        self.terms = [f"term{i}" for i in range(len(optimizer.numbers.terms))] if optimizer.numbers else []
        self.has_numbers = optimizer.numbers is not None
        self.state = [f"state[{i}, r, p]" for i in range(len(self.slots))]
        self.gradient = "gradient[r, p] + l2[r] * theta[r, p]"
        self.loads = [f"{name} = hyperparameters[{i}, r]" for i, name in enumerate(self.others)]

    @property
    def text(self) -> str:
        """The functions `sums_of`, for a rule with terms, and `kernel`."""
        return "\n".join([*self._sums(), *self._kernel()])

    @property
    def of_matrices(self) -> str:
        """The function `kernel` of `fused_matrices`."""
        views = {"of_theta": "theta[r, span]", "of_gradient": "gradient[r, span]"}
        views |= {slot: f"state[{i}, r, span]" for i, slot in enumerate(self.slots)}
        slots = [f"{slot}[p]" for slot in self.slots]
        entry = ["of_theta[p]", "of_gradient[p] + l2[r] * of_theta[p]", *slots, "learning_rate", "t", *self.others]
        return "\n".join(
            [
                "def kernel(theta, gradient, state, l2, rates, step, since, hyperparameters, spans, direction):",
                "    for r in range(theta.shape[0]):",
                "        t = precision(step + 1 - since[r])",
                "        learning_rate = rates[step, r]",
                *[f"        {load}" for load in self.loads],
                "        for s in range(spans.shape[0]):",
                "            start, inputs, outputs, transposed = spans[s, 0], spans[s, 1], spans[s, 2], spans[s, 3]",
                "            span = slice(start, start + inputs * outputs)",
                *[f"            {name} = {view}" for name, view in views.items()],
                "            entries, out = empty_like(of_theta), direction[r, span]",
                "            for p in range(out.size):",
                f"                entries[p] = source({', '.join(entry)})",
                "            if transposed:",
                "                found = work_out(contiguous(entries.reshape((outputs, inputs)).T)).T",
                "            else:",
                "                found = work_out(entries.reshape((inputs, outputs)))",
                "            moved = contiguous(found).reshape(out.size)",
                "            for p in range(out.size):",
                "                out[p] = moved[p]",
            ]
        )

    def _sums(self) -> list[str]:
        if not self.terms:
            return []
        arguments = ", ".join(["theta[r, p]", self.gradient, *self.state, "learning_rate", "t", *self.others])
        sums = [f"sum{i}" for i in range(len(self.terms))]
        return [
            "def sums_of(theta, gradient, state, l2, r, learning_rate, t, hyperparameters):",
            *[f"    {load}" for load in self.loads],
            *[f"    {name} = 0.0" for name in sums],
            "    for p in range(gradient.shape[1]):",
            *[f"        {name} += {term}({arguments})" for name, term in zip(sums, self.terms, strict=True)],
            f"    return ({''.join(f'{name}, ' for name in sums)})",
        ]

    def _work_out(self) -> list[str]:
        if not self.has_numbers:
            return []
        summed = "sums_of(theta, gradient, state, l2, r, learning_rate, t, hyperparameters)" if self.terms else "()"
        arguments = ", ".join([summed, "memory[r]", *[f"float({name})" for name in ("t", *self.others)]])
        return [
            f"worked_out = work_out({arguments})",
            *[f"{name} = precision(worked_out[{i}])" for i, name in enumerate(self.numbers)],
        ]

    def _kernel(self) -> list[str]:
        slots = list(zip(self.state, self.slots, strict=True))
        rest = ["learning_rate", "t", *self.others, *self.numbers, *self.optional.values()]
        return [
            f"def kernel({', '.join([*ARGUMENTS, *self.optional])}):",
            "    for r in range(theta.shape[0]):",
            "        t = precision(step + 1 - since[r])",
            "        learning_rate = rates[step, r]",
            *[f"        {line}" for line in (*self.loads, *self._work_out())],
            "        for p in range(gradient.shape[1]):",
            f"            {', '.join(['theta[r, p]', *self.slots])}, = rule(",
            f"                {', '.join(['theta[r, p]', self.gradient, *self.state])},",
            f"                {', '.join(rest)})",
            # Arithmetic on subnormal numbers is many times slower, and a moment without gradients decays into them.
            *[f"            {place} = zero if abs({slot}) < tiny else {slot}" for place, slot in slots],
        ]


@cache
def fused(optimizer: Optimizer, dtype: DTypeLike) -> Callable[..., None]:
    """The compiled update of `optimizer`:
    `kernel(theta (R, P + S), gradient (R, P), state (slots, R, P), memory (R, M), l2 (R,), rates (T, R), step,
    since (R,), hyperparameters (H, R))`.

    It updates the first P columns of `theta`, `state` and `memory` in place for update index `step` (from 0); `rates`
    holds the learning rates, `since` the update index at which each replicate's rule started, and H counts the
    hyperparameters after `learning_rate`. The kernel also takes the rule's `optional` arguments: `missed` and
    `direction` (R, P), `staleness` (R,), `in_matrix` (P,).
    All arrays are C-contiguous and of `dtype`, except `memory` (float64) and
    `since` (int64). `gradient` is not modified. Raises InputError for a formula that Numba cannot compile.
    """
    precision = np.dtype(dtype)
    for function in (optimizer.update, *(optimizer.numbers.terms if optimizer.numbers else ())):
        if not isinstance(function, FunctionType) or function.__name__ == "<lambda>":
            raise InputError(f"optimizer {optimizer.name!r}: its formula must be a function defined with def")
    # Numba can load the kernel from disk in another process only if its module can be imported by name.
    namespace: dict[str, Any] = {
        "__name__": optimizer.update.__module__,
        "rule": _inlined(_in_precision(optimizer.update, precision), OPTIONS),
        "precision": precision.type,
        "tiny": np.finfo(precision).tiny,
        "zero": precision.type(0),
    }
    if optimizer.numbers is not None:
        namespace["work_out"] = _inlined(optimizer.numbers.work_out, OPTIONS)
        for i, term in enumerate(optimizer.numbers.terms):
            namespace[f"term{i}"] = _inlined(_in_precision(term, precision), OPTIONS)
    exec(compile(_Source(optimizer).text, inspect.getfile(optimizer.update), "exec"), namespace)
    if "sums_of" in namespace:
        namespace["sums_of"] = _inlined(namespace["sums_of"], REDUCING)
    looped = namespace["kernel"]
    # The kernel's name is part of the cache file's name: a change of this module must give another kernel.
    looped.__name__ = looped.__qualname__ = f"fused_{optimizer.identifier}_{precision.name}_{_version(optimizer)}"
    compiled: Any = kernel(**OPTIONS)(looped)
    try:
        compiled.compile(_arguments(precision, optimizer.optional))
    except NumbaError as error:
        raise InputError(
            f"optimizer {optimizer.name!r}: its formula cannot be compiled: {_reason(error)}. Use arithmetic and "
            "numpy's elementwise functions, such as np.minimum and np.maximum for np.clip, and np.where for conditions"
        ) from error
    kernel_of_rule: Callable[..., None] = compiled
    return kernel_of_rule


@cache
def fused_matrices(optimizer: Optimizer, dtype: DTypeLike) -> Callable[..., None]:
    """The compiled work on weight matrices of a rule that has some:
    `kernel(theta, gradient, state, l2, rates, step, since, hyperparameters, spans (M, 4), direction (R, P))`.

    It writes `direction`, and only reads the others, which are those of `fused`; spans: int64, of each matrix its first
    column, inputs, outputs, and whether its transpose is stored. Raises InputError for what Numba cannot compile.
    """
    precision, of_matrices = np.dtype(dtype), optimizer.matrices
    assert of_matrices is not None
    namespace: dict[str, Any] = {
        "__name__": optimizer.update.__module__,
        "source": _inlined(_in_precision(of_matrices.source, precision), OPTIONS),
        "work_out": _inlined(_in_precision(_of_matrices(optimizer), precision), OPTIONS),
        "precision": precision.type,
        "empty_like": np.empty_like,
        "contiguous": np.ascontiguousarray,
    }
    exec(compile(_Source(optimizer).of_matrices, inspect.getfile(optimizer.update), "exec"), namespace)
    looped = namespace["kernel"]
    looped.__name__ = looped.__qualname__ = f"matrices_{optimizer.identifier}_{precision.name}_{_version(optimizer)}"
    compiled: Any = kernel(**OPTIONS)(looped)
    real = from_dtype(precision)
    rows, whole = real[:, ::1], int64[:, ::1]
    try:
        compiled.compile((rows, rows, real[:, :, ::1], real[::1], rows, int64, int64[::1], rows, whole, rows))
    except NumbaError as error:
        raise InputError(
            f"optimizer {optimizer.name!r}: its work on matrices cannot be compiled: {_reason(error)}"
        ) from error
    kernel_of_rule: Callable[..., None] = compiled
    return kernel_of_rule


def _arguments(precision: np.dtype[Any], optional: tuple[str, ...]) -> tuple[Any, ...]:
    """Numba's types of the kernel's arguments."""
    real = from_dtype(precision)
    rows = real[:, ::1]
    others = [rows if OPTIONAL[name].endswith("[r, p]") else real[::1] for name in optional]
    return rows, rows, real[:, :, ::1], float64[:, ::1], real[::1], rows, int64, int64[::1], rows, *others


def _reason(error: NumbaError) -> str:
    """What cannot be compiled, in one line: the function's name if Numba's message holds it."""
    message = str(error)
    named = re.search(r"unsupported NumPy function '(?:numpy\.)?([\w.]+)'", message)
    named = named or re.search(r"Function\(<(?:function|ufunc) '?(\w+)", message)
    if named:
        return f"it uses np.{named[1]}, which Numba does not support for single numbers"
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith("Failed in nopython")), message).rstrip(".")
