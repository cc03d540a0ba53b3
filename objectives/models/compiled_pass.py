"""`CompiledPass`: whole passes of a perceptron's replicates without Python between their updates.

For a rule that needs nothing but a gradient. What Python does between two updates, such as drawing random numbers, has
no place here: `Population` then makes them one by one, with the same kernels and the same bits.
"""

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import float64, from_dtype, int64, types
from numpy.typing import NDArray

from cooldown.objectives.models._workspace import Kernels, kernels_of
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.models.pass_kernel import Buffers, Calls, Network, Replicates, train
from cooldown.objectives.scratch import Scratch

CALL_INFO = b"numpy_1.24_ufunc_call_info"
"""The name under which NumPy gives `_CallInfo`; it changes with the layout."""


class CompiledPass:
    """The passes of replicates of `model`, all with the update `rule` of `fusion.fused`, which takes nothing optional.

    slots: the arrays of the rule's state. dtype: of the arithmetic. Not to be used by two threads at once.
    """

    def __init__(self, model: MLP, rule: Callable[..., None], slots: int, dtype: np.dtype[Any]) -> None:
        self._model, self._slots, self._dtype = model, slots, dtype
        self._X, self._targets = model.rows(dtype)
        chosen = kernels_of(model.architecture, model.weights is not None)
        targets = tuple((array.dtype, array.ndim, array.flags.writeable) for array in self._targets)
        self._calls = _calls(chosen, rule, dtype, targets)
        self._bound: dict[int, tuple[Network, Buffers]] = {}
        self._scratch = Scratch()

    @staticmethod
    def possible(dtype: np.dtype[Any]) -> bool:
        """Whether this version of NumPy tells the address of its product."""
        return _matmul_loop(dtype).address != 0

    def run(
        self, replicates: Replicates, orders: NDArray[np.int64], order_of: NDArray[np.int64], first: int
    ) -> NDArray[np.float64]:
        """U updates of every replicate, in place, from update index `first` on; returns their losses (R, U).

        orders: (S, U, B) rows. order_of: (R,) which of them is a replicate's.
        """
        updates, rows = orders.shape[1:]
        if rows not in self._bound:
            self._bound[rows] = self._bind(rows)
        losses = np.empty((len(order_of), updates))
        train(*self._bound[rows], replicates, self._X, self._targets, orders, order_of, first, losses)
        return losses

    def _bind(self, rows: int) -> tuple[Network, Buffers]:
        """The buffers for batches of `rows` rows, and the network whose products are bound to them."""
        model, shape = self._model.architecture, self._model.architecture.layers
        units, norms = sum(model.hidden), model.norms
        sizes = {
            "theta": (1, model.size),
            "gradient": (1, model.trainable),
            "state": (self._slots, 1, model.trainable),
            "inputs": (rows, model.widths[0]),
            "outputs": (rows * units,),
            "deltas": (rows * units,),
            "logits": (1, model.widths[-1], rows),
            "normalized": (rows * units if model.batch_norm else 0,),
            "inverse": (units if model.batch_norm else 0,),
        }
        # Batches of several sizes, as a shorter last one, have the same memory.
        buffers = Buffers(**{name: self._scratch.array(name, size, self._dtype) for name, size in sizes.items()})
        layers = [
            (of_layer.start, layer.outputs, layer.bias, *((norm.scale, norm.statistics) if norm else (-1, -1)))
            for layer, norm, of_layer in zip(shape, norms, model.units, strict=False)
        ]

        def of_hidden(array: NDArray[Any]) -> list[NDArray[Any]]:
            parts = [array[rows * each.start : rows * each.stop] for each in model.units]
            return [part.reshape(1, rows, -1) for part in parts]

        output = buffers.logits.transpose(0, 2, 1)
        below = [buffers.inputs[None], *of_hidden(buffers.outputs)]
        above, deltas = [*below[1:], output], [*of_hidden(buffers.deltas), output]
        weights = [layer.weights(buffers.theta) for layer in shape]
        products = [_product(*each) for each in zip(below, weights, above, strict=True)]
        for i in range(len(shape) - 1, -1, -1):
            products.append(_product(_transposed(below[i]), deltas[i], shape[i].weights(buffers.gradient)))
            if i:
                products.append(_product(deltas[i], _transposed(weights[i]), deltas[i - 1]))
        table = np.array(layers, np.int64).reshape(-1, 5)
        return Network(self._calls, table, shape[-1].bias, np.array(products, np.int64)), buffers


@cache
def _calls(
    chosen: Kernels,
    rule: Callable[..., None],
    dtype: np.dtype[Any],
    targets: tuple[tuple[np.dtype[Any], int, bool], ...],
) -> Calls:
    """The addresses of a network. targets: type, dimensions, and whether they may be written to."""
    real = from_dtype(dtype)
    rows, stack = real[:, ::1], real[:, :, ::1]
    of_loss = [types.Array(from_dtype(of), ndim, "C", readonly=not writeable) for of, ndim, writeable in targets]
    signatures = (
        (chosen.activation, (stack, rows, int64)),
        (chosen.activation_backward, (stack, stack, rows, int64)),
        (chosen.loss, (stack, rows, rows, int64, *of_loss, int64[:, ::1], float64[::1])),
        (chosen.norm, (stack, rows, int64, int64, stack, rows)),
        (chosen.norm_backward, (stack, rows, rows, int64, stack, rows)),
        (rule, (rows, rows, stack, float64[:, ::1], real[::1], rows, int64, int64[::1], rows)),
    )
    return Calls(*_matmul_loop(dtype)[:3], *(_address(*each) if each[0] is not None else 0 for each in signatures))


def _transposed(stack: NDArray[Any]) -> NDArray[Any]:
    return stack.transpose(0, 2, 1)


def _product(left: NDArray[Any], right: NDArray[Any], out: NDArray[Any]) -> list[int]:
    """16 numbers by which NumPy's loop knows the product out = left @ right of stacks (1, …, …) of one matrix."""
    (_, m, n), p, arrays = left.shape, right.shape[2], (left, right, out)
    strides = [stride for array in arrays for stride in array.strides[1:]]
    return [*(array.ctypes.data for array in arrays), 1, m, n, p, 0, 0, 0, *strides]


def _address(kernel: Any, arguments: tuple[Any, ...]) -> int:
    """The address of a kernel for arguments of these types of Numba; it is compiled if it is not yet."""
    kernel.compile(arguments)
    compiled = kernel.overloads[arguments]
    return int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_cfunc_wrapper_name))


class _CallInfo(ctypes.Structure):
    """What NumPy tells of a ufunc's loop, as `numpy.ufunc._get_strided_loop` describes it."""

    _fields_ = (
        ("strided_loop", ctypes.c_void_p),
        ("context", ctypes.c_void_p),
        ("auxdata", ctypes.c_void_p),
        ("requires_pyapi", ctypes.c_bool),
        ("no_floatingpoint_errors", ctypes.c_bool),
    )


class _Loop(NamedTuple):
    """A loop's addresses, 0 if they are not known; `owner` keeps what they point to alive."""

    address: int
    context: int
    auxdata: int
    owner: Any = None


@cache
def _matmul_loop(dtype: np.dtype[Any]) -> _Loop:
    """The loop of `numpy.matmul`, which NumPy offers to compilers."""
    pointer_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )
    try:
        _, capsule = np.matmul._resolve_dtypes_and_context((dtype, dtype, dtype))  # type: ignore[attr-defined]
        np.matmul._get_strided_loop(capsule)  # type: ignore[attr-defined]
        info = _CallInfo.from_address(pointer_of(capsule, CALL_INFO))
    except (AttributeError, TypeError, ValueError):
        return _Loop(0, 0, 0)
    if info.requires_pyapi:
        return _Loop(0, 0, 0)
    return _Loop(info.strided_loop or 0, info.context or 0, info.auxdata or 0, capsule)
