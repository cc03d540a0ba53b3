"""The catalog's formulas on another library's arrays: the same functions, with its functions for numpy's."""

from collections.abc import Callable
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

import numpy as np


@cache
def rebound(function: Callable[..., Any], library: ModuleType) -> Callable[..., Any]:
    """A formula that calls `library` where it calls numpy, also in the functions of its package that it uses.

    library: one that has numpy's elementwise functions under the same names, such as torch or jax.numpy. Which of them
    a formula may use, `search/export/array_functions.py` lists.
    """
    if not isinstance(function, FunctionType):
        return function
    package = function.__module__.partition(".")[0]
    names: dict[str, Any] = dict(function.__globals__)
    made = FunctionType(function.__code__, names, function.__name__, function.__defaults__, function.__closure__)
    made.__kwdefaults__ = function.__kwdefaults__
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        if value is np:
            names[name] = library
        elif value is function:
            names[name] = made
        elif isinstance(value, FunctionType) and value.__module__.partition(".")[0] == package:
            names[name] = rebound(value, library)
    return made
