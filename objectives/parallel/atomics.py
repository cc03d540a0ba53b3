"""Single words of shared memory that threads and processes read and write at once, in compiled code.

Numba has no atomic operations for processors; these are LLVM's own, on an int64 of an array. A store with `release` is
seen by a load or an exchange with `acquire` together with all that was written before it.
"""

import sys
from typing import Any

from numba import extending, types

BYTES = 8

# Numba's types for it count the context among the arguments of a call.
intrinsic: Any = extending.intrinsic

yield_processor = types.ExternalFunction("SwitchToThread" if sys.platform == "win32" else "sched_yield", types.int32())
"""Lets another thread run: whoever waits for one that has no core would otherwise wait until its time is up."""


def _pointer(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.gep(array.data, [arguments[1]])


@intrinsic  # type: ignore[untyped-decorator]
def exchange(_typing: Any, array: Any, index: Any, value: Any) -> Any:  # noqa: ARG001
    """Write `value` at `array[index]`, and return what was there."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.atomic_rmw("xchg", _pointer(context, builder, signature, arguments), arguments[2], "acq_rel")

    return types.int64(array, types.intp, types.int64), code


@intrinsic  # type: ignore[untyped-decorator]
def load(_typing: Any, array: Any, index: Any) -> Any:  # noqa: ARG001
    """The value at `array[index]`."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_pointer(context, builder, signature, arguments), "acquire", BYTES)

    return types.int64(array, types.intp), code


@intrinsic  # type: ignore[untyped-decorator]
def store(_typing: Any, array: Any, index: Any, value: Any) -> Any:  # noqa: ARG001
    """Write `value` at `array[index]`."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature, arguments)
        builder.store_atomic(arguments[2], pointer, "release", BYTES)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.int64), code
