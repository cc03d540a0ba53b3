"""Normal numbers of which some are kept: how many bits one takes is random, so that none can be left out."""

from cooldown.objectives.kernel_cache import kernel


@kernel(error_model="numpy")
def standard_normal(rng, rows, chosen, out):  # type: ignore[no-untyped-def]
    """out (c, width) ← the rows `chosen` (c,), in ascending order, of `rng.standard_normal((rows, width))`.

    Numba compiles NumPy's own method: the numbers, and the state in which `rng` is left, are the same to the last bit.
    """
    width, row = out.shape[1], 0
    for i in range(chosen.size):
        for _ in range((chosen[i] - row) * width):
            rng.standard_normal()
        for h in range(width):
            out[i, h] = rng.standard_normal()
        row = chosen[i] + 1
    for _ in range((rows - row) * width):
        rng.standard_normal()
