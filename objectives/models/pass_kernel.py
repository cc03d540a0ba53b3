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
from cooldown.objectives.models.numpy_loops import Loop

Numbers = NDArray[Any]
Whole = NDArray[np.int64]


class Calls(NamedTuple):
    """NumPy's product and its sum, and addresses of kernels; 0 for one that a network or a rule has not."""

    product: Loop
    sum: Loop
    activation: int
    activation_backward: int
    loss: int
    norm: int
    norm_backward: int
    matrices: int
    rule: int


class Network(NamedTuple):
    """A perceptron of L hidden layers as the pass calls it.

    layers: (L, 5) of each hidden layer, the units below it, its width, and its columns of biases, scales and running
    statistics; the last two -1 without batch normalization. output_bias: the output's column of biases.
    products: (3L + 2, 16) descriptions: forward, output included; then of each layer from the last to the first, the
    gradient of its weights and, of all but the first, that of its inputs. sum: (16,) that of the squared gradient.
    """

    calls: Calls
    layers: Whole
    output_bias: int
    products: Whole
    sum: Whole


class Buffers(NamedTuple):
    """Arrays of one replicate, to which the products are bound, for batches of B rows and H hidden units.

    theta: (1, size). gradient: (1, P). state: (slots, 1, P). inputs: (B, d). outputs, deltas, normalized: (B·H,), layer
    by layer. inverse: (H,). logits: (1, K, B). The last two of hidden layers are empty without batch normalization.
    since: (1,) and hyperparameters: (H, 1), for the rule. start: (1, size) the parameters while those of a step uphill
    take their place; unread: (1,) their loss. squares: (P,) and total: (1,), float64, of the gradient.
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
    since: Whole
    hyperparameters: Numbers
    start: Numbers
    unread: NDArray[np.float64]
    squares: NDArray[np.float64]
    total: NDArray[np.float64]


class OfRule(NamedTuple):
    """What a rule's kernels take beside the arrays of a replicate.

    optional: those that its formula takes of the arguments of `fusion.OPTIONAL`, for one replicate. spans: (M, 4) and
    direction: (1, P), of the weight matrices that it works on; empty for a rule that works on none.
    """

    optional: tuple[Numbers, ...]
    spans: Whole
    direction: Numbers


class Replicates(NamedTuple):
    """The arrays of R replicates that a pass reads and changes, as in a `Population`.

    theta: (R, size). state: (slots, R, P). memory: (R, M). l2, decay: (R,), of the L2 penalty and of weight decay.
    radii: (R,) of sharpness-aware minimization, 0 without it. bounds: (R,) of the gradient's norm, inf without one.
    rates: (T, R). since: (R,). hyperparameters: (H, R).
    """

    theta: Numbers
    state: Numbers
    memory: NDArray[np.float64]
    l2: Numbers
    decay: Numbers
    radii: Numbers
    bounds: Numbers
    rates: Numbers
    since: Whole
    hyperparameters: Numbers


def _calling(_typing: Any, address: Any, arguments: Any) -> Any:
    """call(address, arguments): call the kernel at `address`, which returns nothing, with a tuple of arguments.

    It gets its arrays without an owner: counting each view that it makes of them takes as long as a small kernel.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        given = cgutils.unpack_tuple(builder, values[1])
        for place, of in enumerate(signature.args[1]):
            if isinstance(of, types.Array):
                array = context.make_array(of)(context, builder, given[place])
                array.meminfo = cgutils.get_null_value(array.meminfo.type)
                given[place] = array._getvalue()
        kernel_type = ir.FunctionType(context.get_value_type(types.none), [value.type for value in given])
        builder.call(builder.inttoptr(values[0], kernel_type.as_pointer()), given)
        return context.get_dummy_value()

    return types.none(address, arguments), generate


call: Any = intrinsic(_calling)


def _computing(_typing: Any, loop: Any, description: Any) -> Any:
    """compute(loop, description): run a `Loop`, for what 16 numbers describe: 3 addresses, 4 dimensions and 9 strides,
    the last ones of each unused where a loop has fewer.
    """

    def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        word, opaque = target.get_value_type(types.intp), ir.IntType(8).as_pointer()
        numbers = target.make_array(signature.args[1])(target, builder, values[1]).data
        described = [builder.gep(numbers, [word(place)]) for place in (0, 3, 7)]
        pointer = word.as_pointer()
        loop_type = ir.FunctionType(ir.IntType(32), [opaque, pointer, pointer, pointer, opaque])
        of_loop = cgutils.unpack_tuple(builder, values[0])
        address = builder.inttoptr(of_loop[0], loop_type.as_pointer())
        of_context, of_data = (builder.inttoptr(value, opaque) for value in of_loop[1:])
        builder.call(address, [of_context, *described, of_data])
        return target.get_dummy_value()

    return types.none(loop, description), generate


compute: Any = intrinsic(_computing)

ALONE: dict[str, Any] = {"error_model": "numpy", "_nrt": False}
"""Options of functions that make views only: they count no references to arrays, which their caller keeps."""

PART: dict[str, Any] = {"inline": "always", **ALONE}
"""Of what becomes a part of the pass."""


@njit(**PART)
def copy_into(source, target):  # type: ignore[no-untyped-def]
    """source (n,) into target (n,): an assignment of slices would be compiled to more and slower code."""
    for i in range(source.size):
        target[i] = source[i]


@njit(**PART)
def _of_layer(units, layer, rows):  # type: ignore[no-untyped-def]
    """The part (1, B, width) of `units` (B·H,) that is a layer's."""
    start, width = layer[0] * rows, layer[1]
    return units[start : start + rows * width].reshape((1, rows, width))


@njit(**PART)
def _norm(network, buffers):  # type: ignore[no-untyped-def]
    """The norm of the gradient as NumPy sums it, in float64, where the square of a float32 does not overflow."""
    for p in range(buffers.squares.size):
        value = np.float64(buffers.gradient[0, p])
        buffers.squares[p] = value * value
    buffers.total[0] = 0
    compute(network.calls.sum, network.sum)
    return np.sqrt(buffers.total[0])


@njit(**PART)
def _differentiate(network, buffers, targets, batch, losses):  # type: ignore[no-untyped-def]
    """The gradient of the loss at `theta`, for the rows `batch` (1, B) that are in `inputs`; losses: (1,), written."""
    theta, gradient, calls, products = buffers.theta, buffers.gradient, network.calls, network.products
    depth, rows = len(network.layers), batch.shape[1]
    for i in range(depth):
        layer = network.layers[i]
        z = _of_layer(buffers.outputs, layer, rows)
        compute(calls.product, products[i])
        if layer[3] >= 0:
            normalized = _of_layer(buffers.normalized, layer, rows)
            inverse = _of_layer(buffers.inverse, layer, 1)[0]
            call(calls.norm, (z, theta, layer[3], layer[4], normalized, inverse))
        call(calls.activation, (z, theta, layer[2]))
    compute(calls.product, products[depth])
    call(calls.loss, (buffers.logits, theta, gradient, network.output_bias) + targets + (batch, losses))  # noqa: RUF005
    for i in range(depth - 1, -1, -1):
        layer, place = network.layers[i], depth + 1 + 2 * (depth - 1 - i)
        z, delta = _of_layer(buffers.outputs, layer, rows), _of_layer(buffers.deltas, layer, rows)
        compute(calls.product, products[place])
        compute(calls.product, products[place + 1])
        call(calls.activation_backward, (delta, z, gradient, layer[2]))
        if layer[3] >= 0:
            normalized = _of_layer(buffers.normalized, layer, rows)
            inverse = _of_layer(buffers.inverse, layer, 1)[0]
            call(calls.norm_backward, (delta, theta, gradient, layer[3], normalized, inverse))
    compute(calls.product, products[3 * depth + 1])


@kernel(nogil=True, **ALONE)
def train(network, buffers, of_rule, replicates, X, targets, orders, order_of, first, rates, losses):  # type: ignore[no-untyped-def]
    """Every update of a pass, from update index `first` on.

    X: (n, d). targets: what the loss takes of all rows. orders: (S, U, B) the rows of each update; order_of: (R,) which
    of them is a replicate's. rates: (U, 1), a buffer. losses: (R, U) float64, written.
    """
    theta, gradient, state = buffers.theta, buffers.gradient, buffers.state
    since, hyperparameters, calls = buffers.since, buffers.hyperparameters, network.calls
    updates, rows, parameters = orders.shape[1], orders.shape[2], gradient.shape[1]
    real = theta.dtype.type
    for r in range(len(replicates.theta)):
        order, memory, l2 = orders[order_of[r]], replicates.memory[r : r + 1], replicates.l2[r : r + 1]
        radius, bound, decay = replicates.radii[r], replicates.bounds[r], replicates.decay[r]
        copy_into(replicates.theta[r], theta[0])
        for i in range(len(state)):
            copy_into(replicates.state[i, r], state[i, 0])
        for i in range(len(hyperparameters)):
            hyperparameters[i, 0] = replicates.hyperparameters[i, r]
        for u in range(updates):
            rates[u, 0] = replicates.rates[first + u, r]
        # The rule counts its updates from here: rates are those of the pass.
        since[0] = replicates.since[r] - first
        for u in range(updates):
            for b in range(rows):
                copy_into(X[order[u, b]], buffers.inputs[b])
            loss = losses[r, u : u + 1]
            # With sharpness-aware minimization again, a step uphill, as in training/ascent.py.
            for uphill in range(1 + (radius > 0)):
                if uphill:
                    loss = buffers.unread
                    copy_into(theta[0], buffers.start[0])
                    norm = _norm(network, buffers)
                    step = real(radius / norm if norm != 0 else 0.0)
                    for p in range(parameters):
                        theta[0, p] += step * gradient[0, p]
                _differentiate(network, buffers, targets, order[u : u + 1], loss)
            if radius > 0:
                copy_into(buffers.start[0], theta[0])
            # As in training/gradients.py.
            if bound < np.inf:
                norm = _norm(network, buffers)
                if norm > bound:
                    factor = real(bound / norm)
                    for p in range(parameters):
                        gradient[0, p] *= factor
            if decay != 0:
                kept = real(1) - rates[u, 0] * decay
                for p in range(parameters):
                    theta[0, p] *= kept
            if calls.matrices:
                now = u, since, hyperparameters, of_rule.spans, of_rule.direction
                call(calls.matrices, (theta, gradient, state, l2, rates, *now))
            of_update = u, since, hyperparameters
            call(calls.rule, (theta, gradient, state, memory, l2, rates) + of_update + of_rule.optional)  # noqa: RUF005
        copy_into(theta[0], replicates.theta[r])
        for i in range(len(state)):
            copy_into(state[i, 0], replicates.state[i, r])
