"""The figures of a page, packed: every array of numbers is stored once.

The losses of a search appear in its history and in the chart of each hyperparameter. Arrays are therefore stored apart,
as 32-bit floats (seven digits), and figures refer to them: `{"$a": 3}` is array 3, `{"$c": […]}` rows made of such
columns, and `{"$r": ["circle", 20, "star", 1]}` a run-length encoded list. The page's script unpacks them.
"""

import json
import math
from base64 import b64decode, b64encode
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

LONG = 16
"""The length from which on a list is packed."""

LARGEST = float(np.finfo(np.float32).max)


class Figures:
    """The figures of one page, in order."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[str, bytes], int] = {}
        self._figures: list[dict[str, Any]] = []

    def add(self, figure: go.Figure) -> int:
        """Add a figure and return its number on this page."""
        content = figure.to_plotly_json()
        # The page has its own templates, one for light and one for dark.
        layout = {name: value for name, value in content["layout"].items() if name != "template"}
        self._figures.append({"data": self._packed(content["data"]), "layout": self._packed(layout)})
        return len(self._figures) - 1

    def json(self) -> str:
        """Everything as JSON that is safe inside a script element."""
        arrays = [[dtype, b64encode(data).decode()] for dtype, data in self._arrays]
        return script_json({"arrays": arrays, "figures": self._figures})

    def _packed(self, value: Any) -> Any:
        if isinstance(value, dict):
            if "bdata" in value:
                return self._array(_unpacked(value))
            return {str(name): self._packed(item) for name, item in value.items()}
        if isinstance(value, np.ndarray):
            return self._list(value.tolist()) if value.dtype == object else self._array(value)
        if isinstance(value, list | tuple):
            return self._list(list(value))
        if isinstance(value, np.generic):
            value = value.item()
        return _rounded(value) if isinstance(value, float) else value

    def _list(self, values: list[Any]) -> Any:
        if len(values) < LONG:
            return [self._packed(item) for item in values]
        if all(isinstance(item, int | float) and not isinstance(item, bool) for item in values):
            return self._array(np.array(values))
        return _runs(values) or [self._packed(item) for item in values]

    def _array(self, values: NDArray[Any]) -> Any:
        if values.ndim == 2:
            return {"$c": [self._array(column) for column in values.T]}
        if len(values) < LONG:
            return [self._packed(item) for item in values.tolist()]
        if (runs := _runs(values.tolist())) is not None:
            return runs
        small = _smallest(values)
        key = small.dtype.str[1:], small.tobytes()
        return {"$a": self._arrays.setdefault(key, len(self._arrays))}


def script_json(value: Any) -> str:
    """JSON without anything that HTML or a script could read as a tag, a comment or the end of a line."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _unpacked(value: dict[str, Any]) -> NDArray[Any]:
    """The array that plotly encoded."""
    shape = tuple(int(part) for part in str(value.get("shape", "-1")).split(","))
    return np.frombuffer(b64decode(value["bdata"]), np.dtype(value["dtype"])).reshape(shape)


def _runs(values: list[Any]) -> dict[str, Any] | None:
    """Run-length encoded values: value, count, value, count, …; None where that is not much shorter."""
    runs: list[Any] = []
    for value in values:
        if isinstance(value, float) and not math.isfinite(value):
            return None
        if runs and runs[-2] == value:
            runs[-1] += 1
        else:
            runs += [_rounded(value) if isinstance(value, float) else value, 1]
        if len(runs) > len(values) // 4:
            return None
    return {"$r": runs}


def _smallest(values: NDArray[Any]) -> NDArray[Any]:
    """The same numbers in the smallest type that browsers have for them; fractions with seven digits."""
    known = values[np.isfinite(values)]
    if len(known) == len(values) and (values == np.round(values)).all():
        for kind in ("<i1", "<i2", "<i4"):
            ends = np.iinfo(kind)
            if ends.min <= known.min() and known.max() <= ends.max:
                return values.astype(kind)
    wide = known.size and np.abs(known).max() > LARGEST
    return values.astype("<f8" if wide else "<f4")


def _rounded(value: float) -> float | None:
    """A number with seven digits; None for NaN and infinity, which JSON cannot express."""
    return float(f"{value:.7g}") if math.isfinite(value) else None
