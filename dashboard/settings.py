"""Widgets for the hyperparameters of an entry of a catalog, as its file declares them."""

from collections.abc import Iterable
from typing import Any

import streamlit as st

from cooldown.dashboard import addressed
from cooldown.objectives.hyperparameters import Categorical, Hyperparameter, Unit
from cooldown.search.evidence.numbers import formatted


def setting(entry: str, declared: Hyperparameter | Categorical, highest: float | None = None) -> Any:
    """One hyperparameter of an entry, as the reader sets it. highest: the largest number that can be set."""
    name = f"{entry}.{declared.name}"
    if not isinstance(declared, Hyperparameter):
        return addressed.choice(
            *(st.selectbox, declared.name, declared.choices, name, declared.default),
            help=declared.meaning,
            format_func=formatted,
        )
    unit = f" ({declared.unit.value})" if declared.unit is not Unit.NONE else ""
    return addressed.number(
        f"{declared.name}{unit}",
        name,
        declared.default,
        declared.minimum,
        highest,
        integer=declared.integer,
        help=declared.meaning,
    )


def settings(
    entry: str, hyperparameters: Iterable[Hyperparameter | Categorical], *, columns: int = 1, **highest: float
) -> dict[str, Any]:
    """All hyperparameters of an entry, in so many columns. highest: the largest numbers, by hyperparameter."""
    side_by_side, values = st.columns(columns), {}
    for place, declared in enumerate(hyperparameters):
        with side_by_side[place % columns]:
            values[declared.name] = setting(entry, declared, highest.get(declared.name))
    return values
