"""What a row of the ledger must hold before anything is made of it.

SQLite stores a value of any type in any column, and a file can be edited or damaged. So each cell is checked against
its column's declaration in `tables`, and what is made of a row against what the rest of Cooldown takes for granted.
A fault is a ValueError with the column and the reason; `storage/reading.py` adds ledger, experiment and row to it.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from sqlalchemy import JSON, Float, Integer, LargeBinary, String, Table

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.records import Curve, Outcome

LATEST = 9_000_000_000.0
"""Seconds since 1970 until the year 2255; the clocks of pandas end a little later."""


@dataclass(frozen=True)
class NotJson:
    """The value of a cell whose text is not JSON. reason: what is wrong with it."""

    reason: str


def from_json(text: Any) -> Any:
    """The value of a JSON text, a `NotJson` for any other. Numbers are kept as such by SQLite."""
    if isinstance(text, bytes):
        return NotJson("is not text")
    if not isinstance(text, str):
        return text
    if not _is_text(text):
        return NotJson("is not text in UTF-8")
    try:
        return json.loads(text)
    except RecursionError:
        return NotJson("is nested too deeply")
    except ValueError as error:
        return NotJson(f"is not JSON: {error}")


def check_row(table: Table, row: Sequence[Any]) -> None:
    """Raise ValueError unless each cell of a row has the type that its column declares.

    row: the table's columns in their order; what follows them is not looked at.
    """
    for (name, nullable, fault_in), value in zip(_columns(table), row, strict=False):
        fault = (None if nullable else "is missing") if value is None else fault_in(value)
        if fault is not None:
            raise ValueError(f"{name} {fault}")


def check_curve(curve: Curve) -> None:
    """Raise ValueError unless the arrays of a curve fit together and its losses are numbers."""
    epochs, measured = curve.train_loss.size, curve.held_out_loss.size
    if curve.held_out_score.size != measured:
        raise ValueError(f"held_out_score has {curve.held_out_score.size} epochs, held_out_loss has {measured}")
    if curve.learning_rate.size not in (0, epochs):
        raise ValueError(f"learning_rate has {curve.learning_rate.size} epochs, train_loss has {epochs}")
    if curve.outcome is Outcome.DIVERGED:
        return
    if measured not in (1, epochs) or not measured:
        raise ValueError(f"held_out_loss has {measured} epochs, train_loss has {epochs}")
    if not 1 <= curve.kept_epoch <= epochs:
        raise ValueError(f"kept_epoch is {curve.kept_epoch}, of {epochs} epochs")
    for name in ("train_loss", "held_out_loss"):
        if not np.isfinite(getattr(curve, name)).all():
            raise ValueError(f"{name} has a loss that is not a finite number")


def check_table(name: str, value: Any) -> None:
    """Raise ValueError unless a JSON value is a table."""
    if not isinstance(value, dict):
        raise ValueError(f"{name} should be a table, got {value!r:.80}")


def check_parameters(value: Any, config: TrainConfig) -> None:
    """Raise ValueError unless a trial's parameters are a table of names and finite numbers, texts or switches, which
    are those of its config.
    """
    check_table("parameters", value)
    chosen = {choice.name: choice.hyperparameters for choice in (config.optimizer, config.schedule)}
    chosen["strategy"] = vars(config)
    chosen[""] = {"optimizer": config.optimizer.name, "schedule": config.schedule.name}
    for key, setting in value.items():
        if not isinstance(setting, bool | int | float | str) or not is_finite(setting):
            raise ValueError(f"parameters: {key} should be a finite number or a text, got {setting!r:.80}")
        owner, _, name = key.rpartition(".")
        if setting != chosen.get(owner, {}).get(name, setting):
            raise ValueError(f"parameters: {key} is {setting!r:.80}, but its config has {chosen[owner][name]!r:.80}")


def check_times(row: Any) -> None:
    """Raise ValueError unless the times of an experiment's row can be shown as dates."""
    for name in ("created_at", "finished_at", "heartbeat_at", "queued_at"):
        value = getattr(row, name)
        if value is not None and not 0 <= value <= LATEST:
            raise ValueError(f"{name} should be seconds since 1970, got {value!r}")


def check_list(name: str, value: Any, kind: type) -> None:
    """Raise ValueError unless a JSON value is a list of values of this kind, or null."""
    if value is not None and not (isinstance(value, list) and all(isinstance(each, kind) for each in value)):
        raise ValueError(f"{name} should be a list of values of type {kind.__name__}, got {value!r:.80}")


@cache
def _columns(table: Table) -> Sequence[tuple[str, bool, Callable[[Any], str | None]]]:
    """Each column's name, whether it may be null, and what finds a fault in a value of it."""
    kinds: Mapping[type, Callable[[Any], str | None]] = {
        Integer: _whole_number,
        Float: _number,
        String: _text,
        LargeBinary: _numbers,
        JSON: _json,
    }
    columns = []
    for column in table.columns:
        fault_in = next(check for kind, check in kinds.items() if isinstance(column.type, kind))
        if fault_in is _number and not column.nullable:
            fault_in = _finite_number
        if column.info.get("signed"):
            fault_in = _integer
        columns.append((column.name, bool(column.nullable), fault_in))
    return columns


def _whole_number(value: Any) -> str | None:
    return None if isinstance(value, int) and value >= 0 else f"should be a whole number, got {_shown(value)}"


def _integer(value: Any) -> str | None:
    return None if isinstance(value, int) else f"should be an integer, got {_shown(value)}"


def _number(value: Any) -> str | None:
    return None if isinstance(value, int | float) else f"should be a number, got {_shown(value)}"


def _finite_number(value: Any) -> str | None:
    # SQLite has no NaN: what may be one, such as a score, is null.
    return _number(value) or (None if is_finite(value) else f"should be a finite number, got {value}")


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return f"should be text, got {_shown(value)}"
    return None if _is_text(value) else "is not text in UTF-8"


def _numbers(value: Any) -> str | None:
    if not isinstance(value, bytes):
        return f"should be an array of numbers, got {_shown(value)}"
    return None if len(value) % 8 == 0 else f"should be an array of numbers of 8 bytes, got {len(value)} bytes"


def _json(value: Any) -> str | None:
    return value.reason if isinstance(value, NotJson) else None


def _is_text(text: str) -> bool:
    """Whether it was UTF-8 in the file: other bytes have become surrogates."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def is_finite(value: Any) -> bool:
    """Whether it is no number beyond all others, such as NaN."""
    return not isinstance(value, float) or math.isfinite(value)


def _shown(value: Any) -> str:
    return f"{len(value)} bytes" if isinstance(value, bytes) else f"{value!r:.80}"
