"""The settings of an arm: what stands in brackets behind its choices, as in `momentum+cosine[dropout=0:0.5]`.

A text is taken apart by `split` and `given_in`; a table of a spec file or of Python names the same settings, with lists
for ranges and choices. `read` checks both against what the run, the strategies and the arm's entries declare, and
`written` is the text that `given_in` reads back.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.errors import InputError
from cooldown.objectives.hyperparameters import Declared, Hyperparameter
from cooldown.objectives.strategies import STRATEGIES
from cooldown.search.spec import limits
from cooldown.search.spec.values import OFF, STRATEGY, is_number, is_off, read_value, word

Settings = tuple[tuple[str, Any], ...]
"""By full name, in the order in which they are declared: a value, (low, high) of a range, a tuple of choices, or None
for a strategy that is off.
"""

RUN = {"batch_size": limits.BATCH_SIZE, "epochs": limits.EPOCHS}
"""Settings of the training run itself, with their largest values: whole numbers that no search varies."""

EXAMPLE = "[batch_norm=true, dropout=0:0.5]"

Owned = tuple[str, Declared | None]
"""Who declares a setting, and how; None for one of RUN."""


def split(text: str) -> tuple[str, str | None]:
    """What stands before the brackets and in them; None for an arm without brackets. Raises InputError for brackets
    that do not match.
    """
    before, bracket, inside = text.partition("[")
    if not bracket and "]" not in text:
        return text, None
    inside = inside.rstrip()
    if "]" in before or not inside.endswith("]") or "[" in inside or "]" in inside[:-1]:
        raise InputError(f"the settings must stand at the end, in one pair of brackets, as in {EXAMPLE}")
    return before, inside[:-1]


def given_in(text: str) -> tuple[dict[str, Any], list[str]]:
    """The settings in the text between the brackets as they are in a table, by the names that are written there; and
    what is wrong with their syntax.
    """
    given: dict[str, Any] = {}
    problems = []
    if not text.strip():
        return {}, [f"the brackets are empty; write settings as in {EXAMPLE}"]
    for part in text.split(","):
        name, equals, value = part.partition("=")
        name = name.strip()
        if not equals or not name or not value.strip():
            problems.append(f"the setting {part.strip()!r:.80} must be NAME=VALUE, as in {EXAMPLE}")
        elif name in given:
            problems.append(f"{name!r:.80} is set twice")
        else:
            try:
                given[name] = _value(name, value)
            except InputError as error:
                problems.append(str(error))
    return given, problems


def _value(name: str, text: str) -> Any:
    separators = [separator for separator in ":|" if separator in text]
    if not separators:
        return word(text)
    values = [word(part) for part in text.split(separators[0])]
    if len(separators) > 1 or "" in values:
        raise InputError(f"{name}={text.strip()!r:.80}: write a range as LOW:HIGH, and values to choose from as A|B")
    if all(map(is_number, values)) != (separators[0] == ":"):
        syntax = (
            "write values to choose from as A|B" if separators[0] == ":" else "write a range of numbers as LOW:HIGH"
        )
        raise InputError(f"{name}={text.strip()!r:.80}: {syntax}")
    return values


def read(
    given: Mapping[str, Any], entries: Mapping[str, Sequence[Declared]], *, complete: bool = True
) -> tuple[Settings, list[str]]:
    """The settings, and what is wrong with them, one message each.

    given: values by name, as `given_in` and spec files have them: a list is a range or values to choose from. entries:
    what the arm's entries declare, by their names. complete: whether these are all of the arm's entries; if one is
    unknown, nothing is said of names that could be its own.
    """
    declared = _declared(entries)
    settings: dict[str, Any] = {}
    problems = []
    for name, value in given.items():
        try:
            full = _full_name(str(name), declared)
            if full is None:
                if complete:
                    known = [_short_name(each, declared) for each in declared]
                    raise unknown_name("setting", f"{name!s:.80}", known)
                continue
            if full in settings:
                raise InputError(f"{_short_name(full, declared)} is set twice")
            settings[full] = _checked(full, *declared[full], value)
        except InputError as error:
            problems.append(str(error))
    return tuple((full, settings[full]) for full in declared if full in settings), problems


def written(settings: Settings, entries: Mapping[str, Sequence[Declared]]) -> str:
    """The settings as text without the brackets, each by its shortest name; `given_in` and `read` read them back."""
    declared = _declared(entries)
    return ", ".join(f"{_short_name(full, declared)}={_text(value, declared[full][1])}" for full, value in settings)


def _declared(entries: Mapping[str, Sequence[Declared]]) -> dict[str, Owned]:
    """All settings that an arm with these entries can have, by full name, in the order in which they are written."""
    declared: dict[str, Owned] = dict.fromkeys(RUN, ("", None))
    declared |= {f"{STRATEGY}.{name}": (STRATEGY, strategy.declared) for name, strategy in STRATEGIES.items()}
    for owner, hyperparameters in entries.items():
        declared |= {f"{owner}.{each.name}": (owner, each) for each in hyperparameters}
    return declared


def _full_name(name: str, declared: Mapping[str, Owned]) -> str | None:
    """The full name of what is called `name`, None for nothing; raises InputError where that could be several."""
    if name in declared:
        return name
    found = [full for full in declared if _bare(full) == name]
    if len(found) > 1:
        raise InputError(f"{name!r} is ambiguous in this arm; write {' or '.join(found)}")
    return found[0] if found else None


def _short_name(full: str, declared: Mapping[str, Owned]) -> str:
    """The shortest name by which `_full_name` finds the setting."""
    bare = _bare(full)
    return bare if Counter(map(_bare, declared))[bare] == 1 else full


def _bare(full: str) -> str:
    return full.rpartition(".")[2]


def _checked(full: str, owner: str, declared: Declared | None, value: Any) -> Any:
    if declared is None:
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= RUN[full]:
            raise InputError(f"{full} must be one whole number from 1 to {RUN[full]:,}, got {value!r:.80}")
        return value
    if is_off(declared, value):
        return None
    checked = read_value(full, owner, declared, value)
    for choice in checked if isinstance(checked, tuple) else (checked,):
        if isinstance(choice, str) and (word(choice) != choice or re.search(r"[\[\]:|,]", choice)):
            raise InputError(f"{full}: the value {choice!r:.80} cannot be written as part of an arm; set it in ranges")
    return checked


def _text(value: Any, declared: Declared | None) -> str:
    if isinstance(value, tuple):
        separator = ":" if isinstance(declared, Hyperparameter) else "|"
        return separator.join(_text(each, declared) for each in value)
    if value is None:
        return OFF
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
