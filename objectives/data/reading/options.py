"""`Reading`: what a user says about a table that its cells leave open."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import combinations
from typing import Any

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.errors import InputError

DECIMALS = (".", ",")

ALLOWED = {("categories", "target"), ("categories", "groups"), ("dates", "groups"), ("dates", "time")}
"""Two uses that a column may have: labels that are predicted, and features by which the rows are split too."""


@dataclass(frozen=True)
class Reading:
    """How a table is read, where its cells alone do not decide.

    decimal: the decimal mark of numbers that can be read in two ways, such as 1,234: "." or ",". missing: further texts
    that mark a missing cell. categories: columns whose texts are labels as they are written. dates: columns of dates,
    each as its name, or as `name=format` with a format of `datetime.strptime`. drop: columns to leave out.
    """

    decimal: str | None = None
    missing: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.decimal is not None and self.decimal not in DECIMALS:
            raise InputError(f"decimal: should be '.' or ',', got {self.decimal!r}")
        for name in ("missing", "categories", "dates", "drop"):
            object.__setattr__(self, name, _texts(name, getattr(self, name)))

    def given(self) -> dict[str, Any]:
        """The settings that are not at their default, by name."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name)) != field.default}

    def formats(self, columns: Sequence[str]) -> Mapping[str, str | None]:
        """The columns of dates, each with its format, or None for one that its cells decide.

        columns: all names; a column may be called `a=b`.
        """
        found: dict[str, str | None] = {}
        for text in self.dates:
            name, equals, written = text.partition("=") if text not in columns else (text, "", "")
            found[name] = written if equals else None
        return found

    def check(self, where: str, columns: Sequence[str], used: Mapping[str, str | None]) -> None:
        """InputError unless all columns that are named here exist, each with one use.

        columns: the names in the file, with those that are dropped. used: columns with another use, such as the target,
        by the name of the setting.
        """
        named = {"drop": self.drop, "categories": self.categories, "dates": tuple(self.formats(columns))}
        for setting, names in named.items():
            for name in names:
                if name not in columns:
                    raise InputError(f"{where}: {setting}: {unknown_name('column', name, columns)}")
        uses = [(setting, frozenset(names)) for setting, names in named.items()]
        uses += [(setting, frozenset([name])) for setting, name in used.items() if name is not None]
        for (setting, of_one), (other, of_other) in combinations(uses, 2):
            both = of_one & of_other
            if both and (setting, other) not in ALLOWED:
                raise InputError(f"{where}: column {min(both)!r} is in both {setting} and {other}")


def _texts(name: str, value: Any) -> tuple[str, ...]:
    """`value` as a tuple of texts: one text, or several."""
    texts = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Iterable) else (value,)
    if bad := [text for text in texts if not isinstance(text, str)]:
        raise InputError(f"{name}: should be texts, got {bad[0]!r:.80}")
    return texts


AS_WRITTEN = Reading()
"""A table whose cells decide everything."""
