"""Source code of the catalog's functions: each formula is written once, and exported programs contain copies of it.

`collect` also adds the constants and functions that a function uses, if they are defined in Cooldown or in the module
of a user's entry. Annotations are left out.
"""

import ast
import dis
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

from cooldown.objectives.errors import InputError
from cooldown.search.export.array_functions import LIBRARIES, METHODS, functions_of
from cooldown.search.export.literals import call, literal

OURS = "cooldown"


class NotPortableError(InputError):
    """A function that uses something that cannot be copied into a stand-alone program."""


@dataclass
class Source:
    """The parts of a program, in an order in which they can be defined. origins: the originals of `functions`."""

    imports: set[str] = field(default_factory=set)
    constants: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    origins: dict[str, Callable[..., Any]] = field(default_factory=dict)

    @property
    def standard_imports(self) -> list[str]:
        """Imports of the standard library, which is all that the catalog's functions use besides numpy."""
        return sorted((line for line in self.imports if "numpy" not in line), key=lambda line: line.split()[1])

    @property
    def text(self) -> str:
        """The source of all functions."""
        return "\n\n\n".join(self.functions.values())


def collect(source: Source, function: Callable[..., Any], name: str, numpy: str = "np") -> None:
    """Add `function` to `source` as `name`, after everything that it uses.

    numpy: the name that replaces numpy's, of a library whose functions have the same names. Raises NotPortableError if
    it uses an object that is not a constant, a function or a module, or if two different objects have the same name.
    """
    # Without our decorators, which add, for example, a message if a download fails.
    function = inspect.unwrap(function)
    if name in source.origins:
        if source.origins[name] is not function:
            raise NotPortableError(f"two functions are called {name}; one is in {_place(function)}")
        return
    if not isinstance(function, FunctionType):
        raise NotPortableError(f"{function!r:.80} is not a plain function")
    # Before what it uses, for a function may use itself.
    source.origins[name] = function
    # For a user's entry, definitions of its own module or package are copied too.
    ours = {OURS, _root(function)}
    renamed = {}
    for used in _names(function):
        if used not in function.__globals__:
            continue
        value = function.__globals__[used]
        if isinstance(value, ModuleType):
            if value.__name__ == "numpy":
                _check_functions(function, used, numpy)
                renamed[used] = numpy
            _add_module(source, value, used, numpy, ours)
        elif isinstance(value, FunctionType) and _root(value) in ours:
            # The same function may be needed for numpy's arrays and for another library's.
            renamed[used] = used if numpy == "np" else f"{used}_in_{numpy}"
            collect(source, value, renamed[used], numpy)
        elif numpy != "np" and hasattr(value, "__module__") and _root(value) == "numpy":
            raise NotPortableError(
                f"{_place(function)} uses numpy's {used} by this name, which does not work on arrays of "
                f"{LIBRARIES[numpy]}; write np.{used} with `import numpy as np`"
            )
        elif hasattr(value, "__module__") and _root(value) not in ours:
            source.imports.add(f"from {value.__module__.lstrip('_')} import {used}")
        elif isinstance(value, int | float | str | tuple):
            if source.constants.setdefault(used, literal(value)) != literal(value):
                raise NotPortableError(f"two constants are called {used}; one is used in {_place(function)}")
        else:
            raise NotPortableError(f"{function.__name__} uses {used}, a {type(value).__name__}, which cannot be copied")
    source.functions[name] = written(function, name, renamed, METHODS.get(numpy, {}))


def _check_functions(function: Callable[..., Any], used: str, numpy: str) -> None:
    """Raise NotPortableError if the function uses something of numpy, called `used` in it, that the library lacks."""
    if numpy == "np":
        return
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    attributes = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == used
    }
    missing = sorted(attributes - functions_of(numpy))
    if missing:
        raise NotPortableError(
            f"{_place(function)} uses {' and '.join(f'np.{name}' for name in missing)}, which {LIBRARIES[numpy]} does "
            "not have under this name; use another function, or --format sklearn"
        )


def _place(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _root(value: Any) -> str:
    """The top-level package or module in which an object is defined."""
    return str(value.__module__).partition(".")[0]


def _add_module(source: Source, module: ModuleType, used: str, numpy: str, ours: set[str]) -> None:
    if module.__name__ == "numpy":
        if numpy == "np":
            source.imports.add("import numpy as np")
    elif module.__name__.partition(".")[0] in ours:
        raise NotPortableError(f"it uses the module {module.__name__}, which cannot be copied")
    else:
        source.imports.add(f"import {module.__name__}" + (f" as {used}" if used != module.__name__ else ""))


def written(
    function: Callable[..., Any], name: str, renamed: Mapping[str, str], methods: Mapping[str, str] | None = None
) -> str:
    """The function's source under another name, without annotations.

    renamed: new names of globals, by their name. methods: functions that take the place of an array's methods and
    attributes, by the end of the expression, as `.T`.
    """
    text = textwrap.dedent(inspect.getsource(function))
    definition = ast.parse(text).body[0]
    assert isinstance(definition, ast.FunctionDef)
    arguments = definition.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
        if argument is not None:
            argument.annotation = None
    body = _edited("\n".join(text.splitlines()[definition.body[0].lineno - 1 :]), definition, renamed, methods or {})
    signature = call(name, ast.unparse(arguments).split(", "), 0, "def :")
    return f"def {signature}:\n{body}".rstrip()


def _edited(body: str, definition: ast.FunctionDef, renamed: Mapping[str, str], methods: Mapping[str, str]) -> str:
    """The body with globals renamed and methods replaced by functions."""
    lines = [line.encode() for line in body.splitlines()]
    first = definition.body[0].lineno
    # Line, columns in bytes as ast counts them, and what to write there.
    edits: list[tuple[int, int, int, str]] = []
    for node in ast.walk(definition):
        if not isinstance(node, ast.expr) or node.lineno < first or node.end_col_offset is None:
            continue
        line, start, end = node.lineno - first, node.col_offset, node.end_col_offset
        if isinstance(node, ast.Name) and renamed.get(node.id, node.id) != node.id:
            edits.append((line, start, end, renamed[node.id]))
        elif node.end_lineno == node.lineno:
            shown = lines[line][start:end].decode()
            for method, function in methods.items():
                if shown.endswith(method) and isinstance(node, ast.Call if method.endswith("()") else ast.Attribute):
                    edits += [(line, start, start, f"{function}("), (line, end - len(method), end, ")")]
    for line, start, end, text in sorted(edits, reverse=True):
        lines[line] = lines[line][:start] + text.encode() + lines[line][end:]
    return b"\n".join(lines).decode()


def _names(function: FunctionType) -> list[str]:
    """The global names that a function and the functions inside it use, each once."""
    codes = [function.__code__]
    names: list[str] = []
    while codes:
        code = codes.pop()
        # Not co_names, which holds attributes too: `norm` in np.linalg.norm is no global.
        names += [step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL"]
        codes += [constant for constant in code.co_consts if inspect.iscode(constant)]
    return list(dict.fromkeys(names))
