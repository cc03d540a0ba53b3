"""The arms of an experiment as a user lists them: texts, tables and the names of sets, each arm once."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from cooldown.objectives.errors import InputError
from cooldown.search.spec import limits
from cooldown.search.spec.arms import CHOICES, Arm, short

ARM_SETS: Mapping[str, tuple[str, ...]] = {
    "survey": (
        *("sgd", "momentum", "nag", "adagrad", "adadelta", "rmsprop", "adam", "adamax", "nadam", "amsgrad", "adamw"),
        *("yellowfin", "momentum+step", "momentum+cosine", "momentum+sgdr", "momentum+batch_growth"),
        *("adam+cosine", "adam+plateau", "adam+noam"),
    ),
    "modern": (
        *("adamw+cosine", "adamw+wsd", "lion+cosine", "radam", "prodigy+cosine", "muon+cosine"),
        *("schedule_free_sgd", "schedule_free_adamw"),
        *("ema=adamw[averaging=ema, averaging_decay=0.9:0.999]", "swa=momentum[averaging=swa]"),
        "sam=momentum+cosine[sam=0.01:0.2]",
    ),
}
"""Arms under one name, given in place of an arm: those of the survey, and the methods that came after it."""


def read_arms(value: Any) -> Any:
    """The names of the arms in a list or a table by label, sets replaced by their arms; anything else, and what is
    neither a text nor a table in it, as it is.

    Raises InputError with one line per problem: arms that cannot be read, are listed twice, or would be shown alike.
    """
    if not isinstance(value, list | tuple | Mapping):
        return value
    if len(value) > limits.ARMS:
        raise InputError(f"should be at most {limits.ARMS} arms, got {len(value):,}")
    given = value.items() if isinstance(value, Mapping) else ((None, each) for each in value)
    arms: list[Any] = []
    problems = [] if value else ["should contain at least one arm"]
    for label, each in given:
        of_set = ARM_SETS.get(each.strip()) if label is None and isinstance(each, str) else None
        for one in of_set or (each,):
            try:
                arms.append(_arm(label, one))
            except InputError as error:
                problems.append(str(error))
    read = [arm for arm in arms if isinstance(arm, Arm)]
    problems += [f"arm {name!r} is listed twice" for name, count in _counts(arm.name for arm in read) if count > 1]
    # An arm with settings is shown by a part of its name.
    shown = {short(arm.name) for arm in read if arm.settings}
    problems += [
        f"{count} arms would all be shown as {name!r}; give them labels that differ, such as "
        f"mine={next(arm for arm in read if short(arm.name) == name).choices}[…]"
        for name, count in _counts(short(name) for name in dict.fromkeys(arm.name for arm in read))
        if count > 1 and name in shown
    ]
    if problems:
        raise InputError("\n".join(problems))
    return tuple(arm.name if isinstance(arm, Arm) else arm for arm in arms)


def _arm(label: Any, given: Any) -> Any:
    """The arm of a text or a table; anything else as it is. label: the key of a table of arms, None in a list."""
    if isinstance(given, Mapping):
        return Arm.from_table(given, label)
    if label is not None:
        return Arm.from_table({CHOICES: given}, label)
    return Arm.parse(given) if isinstance(given, str) else given


def _counts(names: Iterable[str]) -> Iterable[tuple[str, int]]:
    return Counter(names).items()
