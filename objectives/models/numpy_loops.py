"""NumPy's own loops for compiled code: where they are, and how they are told what to compute.

NumPy offers them to compilers. Called by its address, a loop does to the last bit what the function does.
"""

import ctypes
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

CALL_INFO = b"numpy_1.24_ufunc_call_info"
"""The name under which NumPy gives `_CallInfo`; it changes with the layout."""


class Loop(NamedTuple):
    """A loop's address, its context and its data."""

    address: int
    context: int
    data: int


def loop_of(function: np.ufunc, dtype: np.dtype[Any]) -> Loop | None:
    """The loop of a function of one or two arrays of `dtype`; None where this version of NumPy does not tell it."""
    found = _found(function, dtype)
    return found and found[0]


def product(left: NDArray[Any], right: NDArray[Any], out: NDArray[Any]) -> list[int]:
    """The 16 numbers by which the loop of `numpy.matmul` knows out = left @ right of stacks (1, …, …) of one matrix."""
    (_, m, n), p, arrays = left.shape, right.shape[2], (left, right, out)
    strides = [stride for array in arrays for stride in array.strides[1:]]
    return [*(array.ctypes.data for array in arrays), 1, m, n, p, 0, 0, 0, *strides]


def running_sum(terms: NDArray[Any], total: NDArray[Any]) -> list[int]:
    """The 16 numbers by which the loop of `numpy.add` knows total (1,) ← total + the sum of terms (n,)."""
    addresses = total.ctypes.data, terms.ctypes.data, total.ctypes.data
    return [*addresses, len(terms), 0, 0, 0, 0, terms.itemsize, *(0 for _ in range(7))]


def elementwise(array: NDArray[Any]) -> list[int]:
    """The 16 numbers by which the loop of a function of one array knows array ← function(array), contiguous."""
    return [array.ctypes.data, array.ctypes.data, 0, array.size, 0, 0, 0, array.itemsize, array.itemsize, *(0,) * 7]


class _CallInfo(ctypes.Structure):
    """What NumPy tells of a ufunc's loop, as `numpy.ufunc._get_strided_loop` describes it."""

    _fields_ = (
        ("strided_loop", ctypes.c_void_p),
        ("context", ctypes.c_void_p),
        ("auxdata", ctypes.c_void_p),
        ("requires_pyapi", ctypes.c_bool),
        ("no_floatingpoint_errors", ctypes.c_bool),
    )


@cache
def _found(function: Any, dtype: np.dtype[Any]) -> tuple[Loop, Any] | None:
    """The loop, and the object that keeps what it points to alive."""
    pointer_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )
    try:
        _, capsule = function._resolve_dtypes_and_context((dtype,) * function.nargs)
        function._get_strided_loop(capsule)
        info = _CallInfo.from_address(pointer_of(capsule, CALL_INFO))
    except (AttributeError, TypeError, ValueError):
        return None
    if info.requires_pyapi or not info.strided_loop:
        return None
    return Loop(info.strided_loop, info.context or 0, info.auxdata or 0), capsule
