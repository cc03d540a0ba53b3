"""A pass over the training rows in compiled code: every update of one replicate, then of the next.

It computes nothing itself: it calls the kernels of the network and of the rule, and NumPy's matrix product, by their
addresses (compiled_pass.py). Called so, a kernel runs the machine code that it runs when Python calls it, to the same
bits; called by its name, it would be optimized anew within its caller. A replicate's arrays stay in the cache.
"""

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from cooldown.objectives.kernel_cache import kernel

Numbers = NDArray[Any]
Whole = NDArray[np.int64]


class Calls(NamedTuple):
    """Addresses of NumPy's product, its context and its data, and of kernels; 0 for one that a network has not."""

    loop: int
    context: int
    data: int
    activation: int
    activation_backward: int
    loss: int
    norm: int
    norm_backward: int
    rule: int


class Network(NamedTuple):
    """A perceptron of L hidden layers as the pass calls it.

    layers: (L, 5) of each hidden layer, the units below it, its width, and its columns of biases, scales and running
    statistics; the last two -1 without batch normalization. output_bias: the output's column of biases.
    products: (3L + 2, 16) descriptions: forward, output included; then of each layer from the last to the first, the
    gradient of its weights and, of all but the first, that of its inputs.
    """

    calls: Calls
    layers: Whole
    output_bias: int
    products: Whole


class Buffers(NamedTuple):
    """Arrays of one replicate, to which the products are bound, for batches of B rows and H hidden units.

    theta: (1, size). gradient: (1, P). state: (slots, 1, P). inputs: (B, d). outputs, deltas, normalized: (B·H,), layer
    by layer. inverse: (H,). logits: (1, K, B). The last two of hidden layers are empty without batch normalization.
    """

    theta: Numbers
    gradient: Numbers
    state: Numbers
    inputs: Numbers
    outputs: Numbers
    deltas: Numbers
    logits: Numbers
    normalized: Numbers
    inverse: Numbers


class Replicates(NamedTuple):
    """The arrays of R replicates that a pass reads and changes, as in a `Population`.

    theta: (R, size). state: (slots, R, P). memory: (R, M). l2, decay: (R,), of the L2 penalty and of weight decay.
    rates: (T, R). since: (R,). hyperparameters: (H, R).
    """

    theta: Numbers
    state: Numbers
    memory: NDArray[np.float64]
    l2: Numbers
    decay: Numbers
    rates: Numbers
    since: Whole
    hyperparameters: Numbers


def _calling(_typing: Any, address: Any, arguments: Any) -> Any:
    """call(address, arguments): call the kernel at `address`, which returns nothing, with a tuple of arguments."""

    def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        given = cgutils.unpack_tuple(builder, values[1])
        kernel_type = ir.FunctionType(context.get_value_type(types.none), [value.type for value in given])
        builder.call(builder.inttoptr(values[0], kernel_type.as_pointer()), given)
        return context.get_dummy_value()

    return types.none(address, arguments), generate


call: Any = intrinsic(_calling)


def _multiplying(_typing: Any, loop: Any, context: Any, data: Any, product: Any) -> Any:
    """multiply(loop, context, data, product): compute a product, described by 16 numbers: 3 addresses, 4 dimensions and
    9 strides.
    """

    def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        word, opaque = target.get_value_type(types.intp), ir.IntType(8).as_pointer()
        numbers = target.make_array(signature.args[3])(target, builder, values[3]).data
        described = [builder.gep(numbers, [word(place)]) for place in (0, 3, 7)]
        pointer = word.as_pointer()
        loop_type = ir.FunctionType(ir.IntType(32), [opaque, pointer, pointer, pointer, opaque])
        address = builder.inttoptr(values[0], loop_type.as_pointer())
        of_context, of_data = (builder.inttoptr(value, opaque) for value in values[1:3])
        builder.call(address, [of_context, *described, of_data])
        return target.get_dummy_value()

    return types.none(loop, context, data, product), generate


multiply: Any = intrinsic(_multiplying)


@njit
def _copy(source, target):  # type: ignore[no-untyped-def]
    """source (n,) into target (n,): an assignment of slices would be compiled to more and slower code."""
    for i in range(source.size):
        target[i] = source[i]


@njit
def _of_layer(units, layer, rows):  # type: ignore[no-untyped-def]
    """The part (1, B, width) of `units` (B·H,) that is a layer's."""
    start, width = layer[0] * rows, layer[1]
    return units[start : start + rows * width].reshape((1, rows, width))


@kernel(nogil=True)
def train(network, buffers, replicates, X, targets, orders, order_of, first, losses):  # type: ignore[no-untyped-def]
    """Every update of a pass, from update index `first` on.

    X: (n, d). targets: what the loss takes of all rows. orders: (S, U, B) the rows of each update; order_of: (R,) which
    of them is a replicate's. losses: (R, U) float64, written.
    """
    theta, gradient, state, logits = buffers.theta, buffers.gradient, buffers.state, buffers.logits
    calls, products = network.calls, network.products
    loop, context, data = calls.loop, calls.context, calls.data
    depth, updates, rows = len(network.layers), orders.shape[1], orders.shape[2]
    rates, since = np.empty((updates, 1), theta.dtype), np.empty(1, np.int64)
    hyperparameters = np.empty((len(replicates.hyperparameters), 1), theta.dtype)
    one = theta.dtype.type(1)
    for r in range(len(replicates.theta)):
        order, memory, l2 = orders[order_of[r]], replicates.memory[r : r + 1], replicates.l2[r : r + 1]
        _copy(replicates.theta[r], theta[0])
        for i in range(len(state)):
            _copy(replicates.state[i, r], state[i, 0])
        for i in range(len(hyperparameters)):
            hyperparameters[i, 0] = replicates.hyperparameters[i, r]
        for u in range(updates):
            rates[u, 0] = replicates.rates[first + u, r]
        # The rule counts its updates from here: rates are those of the pass.
        since[0] = replicates.since[r] - first
        for u in range(updates):
            for b in range(rows):
                _copy(X[order[u, b]], buffers.inputs[b])
            for i in range(depth):
                layer = network.layers[i]
                z = _of_layer(buffers.outputs, layer, rows)
                multiply(loop, context, data, products[i])
                if layer[3] >= 0:
                    normalized = _of_layer(buffers.normalized, layer, rows)
                    inverse = _of_layer(buffers.inverse, layer, 1)[0]
                    call(calls.norm, (z, theta, layer[3], layer[4], normalized, inverse))
                call(calls.activation, (z, theta, layer[2]))
            multiply(loop, context, data, products[depth])
            measured = order[u : u + 1], losses[r, u : u + 1]
            call(calls.loss, (logits, theta, gradient, network.output_bias) + targets + measured)  # noqa: RUF005
            for i in range(depth - 1, -1, -1):
                layer, place = network.layers[i], depth + 1 + 2 * (depth - 1 - i)
                z, delta = _of_layer(buffers.outputs, layer, rows), _of_layer(buffers.deltas, layer, rows)
                multiply(loop, context, data, products[place])
                multiply(loop, context, data, products[place + 1])
                call(calls.activation_backward, (delta, z, gradient, layer[2]))
                if layer[3] >= 0:
                    normalized = _of_layer(buffers.normalized, layer, rows)
                    inverse = _of_layer(buffers.inverse, layer, 1)[0]
                    call(calls.norm_backward, (delta, theta, gradient, layer[3], normalized, inverse))
            multiply(loop, context, data, products[3 * depth + 1])
            if replicates.decay[r] != 0:
                kept = one - rates[u, 0] * replicates.decay[r]
                for p in range(gradient.shape[1]):
                    theta[0, p] *= kept
            call(calls.rule, (theta, gradient, state, memory, l2, rates, u, since, hyperparameters))
        _copy(theta[0], replicates.theta[r])
        for i in range(len(state)):
            _copy(state[i, 0], replicates.state[i, r])
