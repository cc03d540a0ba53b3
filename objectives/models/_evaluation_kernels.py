"""Parts of the measuring of held-out rows, which NumPy reduces slowly where there are few outputs.

They compute what NumPy does, to the last bit: no option may contract or reorder anything.
"""

from cooldown.objectives.kernel_cache import kernel

LANES = 8
"""NumPy sums so many numbers or fewer one after the other, and more of them in as many partial sums."""

MOST = 128
"""NumPy sums more numbers than these in halves; the kernel `sums` does not."""


@kernel(error_model="numpy")
def centred(z, theta, bias, labels, at_label, hits):  # type: ignore[no-untyped-def]
    """z (R, m, K) ← z + b − max(z + b) of each row, with the biases b in `theta` (R, size) from column `bias` on;
    at_label (R, m) is its value at `labels` (m,), and `hits` (R,) counts the rows in which the first of the largest
    outputs is the label's.
    """
    outputs = z.shape[2]
    for r in range(z.shape[0]):
        offsets, found = theta[r, bias : bias + outputs], 0
        for b in range(z.shape[1]):
            row = z[r, b]
            for k in range(outputs):
                row[k] += offsets[k]
            # Choices, not branches: which output is the largest cannot be foreseen.
            highest = row[0]
            for k in range(1, outputs):
                highest = row[k] if row[k] > highest else highest
            first = 0
            for k in range(outputs - 1, -1, -1):
                first = k if row[k] == highest else first
            for k in range(outputs):
                row[k] -= highest
            at_label[r, b] = row[labels[b]]
            found += first == labels[b]
        hits[r] = found


@kernel(error_model="numpy")
def sums(z, out):  # type: ignore[no-untyped-def]
    """out (R, m) ← the sums of z (R, m, K) over the last axis, K at most `MOST`, in the order of `numpy.sum`."""
    outputs = z.shape[2]
    for r in range(z.shape[0]):
        for b in range(z.shape[1]):
            row, begin, total = z[r, b], 0, z.dtype.type(0)
            if outputs >= LANES:
                begin = outputs - outputs % LANES
                s0, s1, s2, s3, s4, s5, s6, s7 = row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7]
                for k in range(LANES, begin, LANES):
                    s0 += row[k]
                    s1 += row[k + 1]
                    s2 += row[k + 2]
                    s3 += row[k + 3]
                    s4 += row[k + 4]
                    s5 += row[k + 5]
                    s6 += row[k + 6]
                    s7 += row[k + 7]
                total = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
            for k in range(begin, outputs):
                total += row[k]
            out[r, b] = total
