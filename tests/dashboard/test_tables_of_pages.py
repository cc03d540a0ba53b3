"""Tables and commands as pages show them: short names, true minuses, dashes, and what a shell reads as it is meant."""

import shlex
from typing import Any

import pytest

from cooldown.dashboard import data, parts
from cooldown.objectives import optimizers
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import ARM, Column, Table


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The tables that Streamlit is asked to show, with their options."""
    tables: list[Any] = []
    monkeypatch.setattr(parts.st, "dataframe", lambda table, **options: tables.append((table, options)))
    return tables


def test_a_table_shows_short_names_dashes_and_true_minuses(shown: list[Any]) -> None:
    columns = (
        ARM,
        Column("Validation loss", Form.LOSS),
        Column("95 % interval", Form.DIFFERENCE, ends=True),
        Column("Evaluations", Form.COUNT),
        Column("adam.learning_rate", Form.VALUE),
        Column("Reached", Form.SHARE),
        Column("Verdict"),
    )
    joint = ",".join(optimizers.names())
    table = Table(
        columns,
        [
            ("adam", 0.123456, (-0.5, 0.25), 20_550_237, 0.000123, 0.137, "tie"),
            (joint, None, None, 1234, None, None, None),
        ],
    )
    parts.rows(table, key="k", alt="a")
    ((styled, options),) = shown
    assert options["placeholder"] == "–"
    head, first, second = styled.hide(axis="index").to_string(delimiter="|").splitlines()
    assert head == (
        "Arm|Validation loss|95 % interval from|95 % interval to|Evaluations|adam.learning_rate|Reached|Verdict"
    )
    assert first == "adam|0.1235|−0.5000|+0.2500|20,550,237|0.000123|14 %|tie"
    assert second == f"{len(optimizers.names())} optimizers|–|–|–|1,234|–|–|–"
    # Sorting compares numbers and not their texts.
    assert styled.data["95 % interval from"].tolist()[0] == -0.5


def test_the_browser_formats_the_numbers_of_a_large_table(shown: list[Any]) -> None:
    columns = (ARM, Column("Loss", Form.LOSS), Column("Trials", Form.COUNT), Column("Rate", Form.READING))
    parts.rows(Table(columns, [("adam", 0.5, 1, 0.1)] * parts.MOST_STYLED), key="k", alt="a")
    formats = {title: column["type_config"]["format"] for title, column in shown[0][1]["column_config"].items()}
    assert formats == {"Loss": "%.4f", "Trials": "localized", "Rate": "%.4g"}


def test_commands_are_quoted_and_name_the_ledger_unless_it_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    for url, more in (
        ("sqlite:////tmp/a b.db", ["--db", "sqlite:////tmp/a b.db"]),
        ("sqlite:///cooldown.db", []),
        ("postgresql://me:secret@there/db", []),
    ):
        monkeypatch.setattr(data, "where", lambda url=url: url)
        monkeypatch.setattr(parts.st, "code", lambda text, **options: shown.append(text))
        parts.terminal("show", "it's; $(me)")
        assert shlex.split(shown[-1]) == ["cooldown", "show", "it's; $(me)", *more]
