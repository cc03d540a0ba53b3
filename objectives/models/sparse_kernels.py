"""The first layer's products on sparse rows, in time proportional to what is filled.

All arrays are C-contiguous but for those of outputs, and of one float type; R replicates, B rows, d columns, H units.
The first d·H columns of θ are the first layer's weights. Rows are `indptr` (n + 1,), `columns` and `values` (filled,).
"""

import numpy as np

from cooldown.objectives.fusion import OPTIONS
from cooldown.objectives.kernel_cache import kernel


@kernel(**OPTIONS)
def forward(indptr, columns, values, indices, theta, out):  # type: ignore[no-untyped-def]
    """out (R, B, H) ← the rows `indices` (R, B) times the weights in `theta` (R, size)."""
    width = out.shape[2]
    sums = np.empty(width, theta.dtype)
    for r in range(out.shape[0]):
        for b in range(out.shape[1]):
            row = indices[r, b]
            sums[:] = theta.dtype.type(0)
            for place in range(indptr[row], indptr[row + 1]):
                value, start = values[place], columns[place] * width
                weights = theta[r, start : start + width]
                for h in range(width):
                    sums[h] += value * weights[h]
            for h in range(width):
                out[r, b, h] = sums[h]


@kernel(**OPTIONS)
def backward(  # type: ignore[no-untyped-def]
    indptr, columns, values, indices, delta, gradient, filled, counts, is_filled
):
    """The weights' part of `gradient` (R, P) ← the rows `indices` (R, B), transposed, times `delta` (R, B, H).

    filled (R, most): the columns that the batch of each replicate fills, and counts (R,): how many, are written; they
    come with those of the last batch, whose gradients are not zero. is_filled: (d,) False, and so again afterwards.
    """
    width, zero = delta.shape[2], gradient.dtype.type(0)
    change = np.empty(width, gradient.dtype)
    for r in range(delta.shape[0]):
        for i in range(counts[r]):
            start = filled[r, i] * width
            gradient[r, start : start + width] = zero
        count = 0
        for b in range(delta.shape[1]):
            row = indices[r, b]
            for h in range(width):
                change[h] = delta[r, b, h]
            for place in range(indptr[row], indptr[row + 1]):
                column, value = columns[place], values[place]
                if not is_filled[column]:
                    is_filled[column] = True
                    filled[r, count] = column
                    count += 1
                start = column * width
                of_column = gradient[r, start : start + width]
                for h in range(width):
                    of_column[h] += value * change[h]
        for i in range(count):
            is_filled[filled[r, i]] = False
        counts[r] = count


@kernel(**OPTIONS)
def pack(source, first, width, filled, counts, out):  # type: ignore[no-untyped-def]
    """out (R, rest + most·width) ← of each row of `source` (R, ≥ P) the columns from `first` on, the rest, and then
    the weights of the `counts` (R,) columns `filled` (R, …); 0 behind these.
    """
    rest = out.shape[1] - counts.max() * width
    for r in range(out.shape[0]):
        given, taken = source[r, first : first + rest], out[r, :rest]
        for p in range(rest):
            taken[p] = given[p]
        for i in range(counts[r]):
            start, place = filled[r, i] * width, rest + i * width
            given, taken = source[r, start : start + width], out[r, place : place + width]
            for h in range(width):
                taken[h] = given[h]
        taken = out[r, rest + counts[r] * width :]
        for p in range(taken.size):
            taken[p] = source.dtype.type(0)


@kernel(**OPTIONS)
def unpack(packed, first, width, filled, counts, target):  # type: ignore[no-untyped-def]
    """`packed`, as `pack` makes it, back into `target`."""
    rest = packed.shape[1] - counts.max() * width
    for r in range(packed.shape[0]):
        given, taken = packed[r, :rest], target[r, first : first + rest]
        for p in range(rest):
            taken[p] = given[p]
        for i in range(counts[r]):
            start, place = filled[r, i] * width, rest + i * width
            given, taken = packed[r, place : place + width], target[r, start : start + width]
            for h in range(width):
                taken[h] = given[h]
