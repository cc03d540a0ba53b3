"""Which of numpy's elementwise functions, constants and (`eye`) matrices each framework has under the same name.

A formula is written with numpy's names, and its copy in a program calls the framework's function of that name. The
lists are fixed, so that an export needs no framework; the tests compare them with the frameworks.
"""

EVERYWHERE = """
    abs absolute add arccos arccosh arcsin arcsinh arctan arctan2 arctanh ceil clip cos cosh deg2rad divide equal
    exp exp2 expm1 eye floor floor_divide fmax fmin fmod full_like greater greater_equal heaviside hypot isfinite
    isinf isnan less less_equal log log10 log1p log2 logaddexp logaddexp2 logical_and logical_not logical_or
    logical_xor maximum minimum multiply nan_to_num negative nextafter not_equal ones_like rad2deg reciprocal round
    sign signbit sin sinc sinh sqrt square subtract tan tanh true_divide trunc where zeros_like
"""

FURTHER = {
    "torch": "acos acosh asin asinh atan atan2 atanh copysign e float_power inf nan pi positive pow remainder",
    "ops": "cbrt fabs mod power",
    "jnp": """
        acos acosh asin asinh atan atan2 atanh cbrt copysign degrees e fabs float_power inf mod nan pi positive pow
        power radians remainder rint spacing
    """,
}
"""What a library has besides, by its name in the program."""

METHODS = {"ops": {".T": "ops.transpose", ".sum()": "ops.sum"}}
"""Functions of a library in place of arrays' methods, which not all of its back ends have: TensorFlow has none."""

LIBRARIES = {"torch": "PyTorch", "ops": "keras.ops", "jnp": "jax.numpy"}


def functions_of(numpy: str) -> frozenset[str]:
    """The functions and constants that the library called `numpy` in a program has."""
    return frozenset(f"{EVERYWHERE} {FURTHER[numpy]}".split())
