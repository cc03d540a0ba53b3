"""Functions of the catalog as text: a formula is written once, and an exported program holds the very lines.

`collect` follows what a function needs, constants and functions of ours, and leaves out the annotations.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

from cooldown.objectives.errors import InputError
from cooldown.search.export.literals import call

OURS = "cooldown"


class NotPortableError(InputError):
    """A function that needs what cannot be written into a program of its own."""


@dataclass
class Source:
    """What a program needs, in the order in which it can stand there."""

    imports: set[str] = field(default_factory=set)
    constants: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)

    @property
    def standard_imports(self) -> list[str]:
        """Imports of the standard library, which is all that the catalog's functions use beside numpy."""
        return sorted((line for line in self.imports if "numpy" not in line), key=lambda line: line.split()[1])

    @property
    def text(self) -> str:
        """The functions."""
        return "\n\n\n".join(self.functions.values())


def collect(source: Source, function: Callable[..., Any], name: str, numpy: str = "np") -> None:
    """Add `function` to `source` as `name`, and before it what it needs.

    numpy: what stands for numpy's name in it: another library's, whose functions have the same names. Raises
    NotPortableError where it needs an object that is no constant, no function and no module.
    """
    if name in source.functions:
        return
    # What a decorator of ours adds, such as a message where a download fails, a program does without.
    function = inspect.unwrap(function)
    if not isinstance(function, FunctionType):
        raise NotPortableError(f"{function!r:.80} is no plain function")
    for used in _names(function):
        if used not in function.__globals__:
            continue
        value = function.__globals__[used]
        if isinstance(value, ModuleType):
            _add_module(source, value, used, numpy)
        elif isinstance(value, FunctionType) and value.__module__.partition(".")[0] == OURS:
            collect(source, value, used, numpy)
        elif hasattr(value, "__module__") and value.__module__.partition(".")[0] != OURS:
            source.imports.add(f"from {value.__module__.lstrip('_')} import {used}")
        elif isinstance(value, int | float | str | tuple):
            source.constants[used] = repr(value)
        else:
            raise NotPortableError(f"{function.__name__} needs {used}, a {type(value).__name__}")
    source.functions[name] = written(function, name, numpy)


def _add_module(source: Source, module: ModuleType, used: str, numpy: str) -> None:
    if module.__name__ == "numpy":
        if numpy == "np":
            source.imports.add("import numpy as np")
    elif module.__name__.partition(".")[0] == OURS:
        raise NotPortableError(f"it needs the module {module.__name__}")
    else:
        source.imports.add(f"import {module.__name__}" + (f" as {used}" if used != module.__name__ else ""))


def written(function: Callable[..., Any], name: str, numpy: str = "np") -> str:
    """The function's own lines under another name, without annotations."""
    text = textwrap.dedent(inspect.getsource(function))
    definition = ast.parse(text).body[0]
    assert isinstance(definition, ast.FunctionDef)
    arguments = definition.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
        if argument is not None:
            argument.annotation = None
    body = "\n".join(text.splitlines()[definition.body[0].lineno - 1 :])
    if numpy != "np":
        body = _renamed(body, definition, numpy)
    signature = call(name, ast.unparse(arguments).split(", "), 0, "def :")
    return f"def {signature}:\n{body}".rstrip()


def _renamed(body: str, definition: ast.FunctionDef, numpy: str) -> str:
    """The body with another library's name wherever numpy's stands."""
    lines = body.splitlines()
    first = definition.body[0].lineno
    found = [
        (node.lineno - first, node.col_offset)
        for node in ast.walk(definition)
        if isinstance(node, ast.Name) and node.id == "np" and node.lineno >= first
    ]
    for line, column in sorted(found, reverse=True):
        # ast counts bytes.
        before = lines[line].encode()[:column].decode()
        lines[line] = before + numpy + lines[line][len(before) + 2 :]
    return "\n".join(lines)


def _names(function: FunctionType) -> list[str]:
    """The global names that a function and those defined in it use, each once."""
    codes = [function.__code__]
    names: list[str] = []
    while codes:
        code = codes.pop()
        names += code.co_names
        codes += [each for each in code.co_consts if inspect.iscode(each)]
    return list(dict.fromkeys(names))
