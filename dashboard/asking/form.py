"""`Form`: the settings of a new experiment as its reader fills them in, each with a place for what is wrong with it."""

from collections.abc import Sequence
from typing import Any, Literal, TypedDict

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cooldown.dashboard.parts import plain
from cooldown.search.service.asking import OF_RUN
from cooldown.search.spec.mistakes import Mistake


class _Kept(TypedDict):
    key: str
    persist_state: Literal["session"]


def kept(field: str) -> _Kept:
    """The arguments of a widget that asks for this field: what was typed is there again when the reader comes back."""
    return {"key": f"new {field}", "persist_state": "session"}


class Form:
    """What is asked for so far. fields: the arguments of `actions.submit`, without those that are not given."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self._places: dict[str, DeltaGenerator] = {}

    def put(self, field: str, value: Any) -> None:
        """Set a field; None, "" and an empty list leave it at its default. What is wrong with it is told here."""
        if value is not None and value != "" and value != []:
            self.fields[field] = value
        self._places.setdefault(field, st.empty())

    @property
    def spec(self) -> dict[str, Any]:
        """The fields that make the spec, without those of its run."""
        return {name: value for name, value in self.fields.items() if name not in OF_RUN}

    @property
    def asked(self) -> set[str]:
        """The fields that the form asks for."""
        return set(self._places)

    def tell(self, mistakes: Sequence[Mistake]) -> list[Mistake]:
        """Say what is wrong with each field, below it; returns the mistakes that belong to no field of the form."""
        by_field: dict[str, list[str]] = {}
        for mistake in mistakes:
            by_field.setdefault(mistake.field, []).append(mistake.message)
        for field in by_field.keys() & self.asked:
            self._places[field].error("  \n".join(map(plain, by_field[field])), icon=":material/error:")
        return [mistake for mistake in mistakes if mistake.field not in self.asked]
