"""`CompiledPass`: whole passes of a perceptron's replicates without Python between their updates.

What Python does between two updates, such as drawing random numbers, has no place here: `Population` then makes them
one by one, with the same kernels and the same bits.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import float64, from_dtype, int64, types
from numpy.typing import NDArray

from cooldown.objectives.models._workspace import Kernels, kernels_of
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.models.numpy_loops import loop_of, product, running_sum
from cooldown.objectives.models.pass_kernel import Buffers, Calls, Network, OfRule, Replicates, train
from cooldown.objectives.scratch import Scratch


class Rule(NamedTuple):
    """An update rule as a pass calls it.

    update: its kernel (`fusion.fused`). matrices: that of its work on weight matrices (`fusion.fused_matrices`); None
    for a rule that works on none. arguments: what the two take beside the arrays of a replicate.
    """

    update: Callable[..., None]
    arguments: OfRule
    matrices: Callable[..., None] | None = None


class CompiledPass:
    """The passes of replicates of `model`, all with the same rule.

    dtype: of the arithmetic. Not to be used by two threads at once.
    """

    def __init__(self, model: MLP, rule: Rule, dtype: np.dtype[Any]) -> None:
        self._model, self._rule, self._dtype = model, rule, dtype
        self._X, self._targets = model.rows(dtype)
        chosen = kernels_of(model.architecture, model.weights is not None)
        targets = tuple((array.dtype, array.ndim, array.flags.writeable) for array in self._targets)
        optional = tuple(array.ndim for array in rule.arguments.optional)
        self._calls = _calls(chosen, rule.update, rule.matrices, dtype, targets, optional)
        self._bound: dict[int, tuple[Network, Buffers]] = {}
        self._scratch = Scratch()

    @staticmethod
    def possible(dtype: np.dtype[Any]) -> bool:
        """Whether this version of NumPy tells the addresses of its loops."""
        return loop_of(np.matmul, dtype) is not None and loop_of(np.add, np.dtype(np.float64)) is not None

    def run(
        self, replicates: Replicates, orders: NDArray[np.int64], order_of: NDArray[np.int64], first: int
    ) -> NDArray[np.float64]:
        """U updates of every replicate, in place, from update index `first` on; returns their losses (R, U).

        orders: (S, U, B) rows. order_of: (R,) which of them is a replicate's.
        """
        updates, rows = orders.shape[1:]
        if rows not in self._bound:
            self._bound[rows] = self._bind(rows, len(replicates.state), len(replicates.hyperparameters))
        rates, losses = np.empty((updates, 1), self._dtype), np.empty((len(order_of), updates))
        of_rule = self._rule.arguments
        of_pass = self._X, self._targets, orders, order_of, first, rates, losses
        train(*self._bound[rows], of_rule, replicates, *of_pass)
        return losses

    def _bind(self, rows: int, slots: int, hyperparameters: int) -> tuple[Network, Buffers]:
        """The buffers for batches of `rows` rows, and the network whose products are bound to them."""
        model, shape = self._model.architecture, self._model.architecture.layers
        units, norms = sum(model.hidden), model.norms
        sizes = {
            "theta": (1, model.size),
            "gradient": (1, model.trainable),
            "state": (slots, 1, model.trainable),
            "inputs": (rows, model.widths[0]),
            "outputs": (rows * units,),
            "deltas": (rows * units,),
            "logits": (1, model.widths[-1], rows),
            "normalized": (rows * units if model.batch_norm else 0,),
            "inverse": (units if model.batch_norm else 0,),
            "hyperparameters": (hyperparameters, 1),
            "start": (1, model.size),
        }
        in_double = {"unread": 1, "squares": model.trainable, "total": 1}
        # Batches of several sizes, as a shorter last one, have the same memory.
        buffers = Buffers(
            **{name: self._scratch.array(name, size, self._dtype) for name, size in sizes.items()},
            **{name: np.empty(size) for name, size in in_double.items()},
            since=np.empty(1, np.int64),
        )
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
        products = [product(*each) for each in zip(below, weights, above, strict=True)]
        for i in range(len(shape) - 1, -1, -1):
            products.append(product(_transposed(below[i]), deltas[i], shape[i].weights(buffers.gradient)))
            if i:
                products.append(product(deltas[i], _transposed(weights[i]), deltas[i - 1]))
        table = np.array(layers, np.int64).reshape(-1, 5)
        descriptions = np.array(products, np.int64), np.array(running_sum(buffers.squares, buffers.total), np.int64)
        return Network(self._calls, table, shape[-1].bias, *descriptions), buffers


@cache
def _calls(
    chosen: Kernels,
    rule: Callable[..., None],
    matrices: Callable[..., None] | None,
    dtype: np.dtype[Any],
    targets: tuple[tuple[np.dtype[Any], int, bool], ...],
    optional: tuple[int, ...],
) -> Calls:
    """The addresses of a network and a rule. targets: type, dimensions, and whether they may be written to. optional:
    the dimensions of what the rule takes of that name.
    """
    real = from_dtype(dtype)
    rows, stack = real[:, ::1], real[:, :, ::1]
    of_loss = [types.Array(from_dtype(of), ndim, "C", readonly=not writeable) for of, ndim, writeable in targets]
    of_update = rows, int64, int64[::1], rows
    of_rule = [types.Array(real, ndim, "C") for ndim in optional]
    signatures = (
        (chosen.activation, (stack, rows, int64)),
        (chosen.activation_backward, (stack, stack, rows, int64)),
        (chosen.loss, (stack, rows, rows, int64, *of_loss, int64[:, ::1], float64[::1])),
        (chosen.norm, (stack, rows, int64, int64, stack, rows)),
        (chosen.norm_backward, (stack, rows, rows, int64, stack, rows)),
        (matrices, (rows, rows, stack, real[::1], *of_update, int64[:, ::1], rows)),
        (rule, (rows, rows, stack, float64[:, ::1], real[::1], *of_update, *of_rule)),
    )
    loops = loop_of(np.matmul, dtype), loop_of(np.add, np.dtype(np.float64))
    return Calls(*loops, *(address(*each) if each[0] is not None else 0 for each in signatures))  # type: ignore[arg-type]


def _transposed(stack: NDArray[Any]) -> NDArray[Any]:
    return stack.transpose(0, 2, 1)


def address(kernel: Any, arguments: tuple[Any, ...]) -> int:
    """The address of a kernel for arguments of these types of Numba; it is compiled if it is not yet."""
    kernel.compile(arguments)
    compiled = kernel.overloads[arguments]
    return int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_cfunc_wrapper_name))
