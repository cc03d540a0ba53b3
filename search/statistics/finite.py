"""Numbers that JSON can hold."""

import math


def finite(value: float) -> float | None:
    """The value; None for infinity and NaN, which JSON does not have."""
    return value if math.isfinite(value) else None
