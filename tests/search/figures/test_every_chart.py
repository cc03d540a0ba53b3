"""Every chart in every state of an experiment can be shown; and of texts that users write none is more than a text."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest
from charts import JOINT_ARM, check, figures_of

from cooldown.objectives.hyperparameters import Hyperparameter
from cooldown.search.figures import lines
from cooldown.search.figures.budget import budget, budget_table
from cooldown.search.figures.importance import importance, importance_table
from cooldown.search.figures.learning import learning, learning_table
from cooldown.search.figures.schedules import rates, rates_table
from cooldown.search.figures.trials import history, history_table, parallel, parallel_table, slice_table
from cooldown.search.figures.verdict import credit, forest, repeats, repeats_table
from cooldown.search.spec.space import Parameter
from cooldown.search.statistics.intervals import Interval
from cooldown.storage import ExperimentRecord, Purpose


def running(record: ExperimentRecord) -> ExperimentRecord:
    """The same after its first generations: of one arm one study, of another both, of the others none."""
    studies = [
        replace(study, trials=tuple(replace(t, curves={Purpose.SEARCH: t.curves[Purpose.SEARCH]}) for t in trials))
        for study in record.studies
        if (trials := study.trials[: {"adam": 8, JOINT_ARM: 4}.get(study.arm, 0)]) or study.repeat == 0
    ]
    return replace(record, studies=tuple(studies[:-1]), default_configs=())


def test_every_chart_of_an_experiment_can_be_shown_whatever_its_state(record: ExperimentRecord) -> None:
    one = replace(record, studies=tuple(study for study in record.studies if study.repeat == 0))
    for state in (record, one, running(record), replace(record, studies=(), default_configs=())):
        made = figures_of(state)
        for figure in made.values():
            check(figure)
        assert bool(made["history adam"].data) == bool(state.studies)


@pytest.mark.parametrize(
    "figure",
    [
        forest([]),
        repeats({}, "Test loss"),
        credit({}),
        learning({}),
        history([]),
        parallel([], []),
        importance([]),
        budget({}),
        rates({}),
    ],
)
def test_nothing_gives_an_empty_figure(figure: go.Figure) -> None:
    check(figure)
    assert len(figure.data) == 0


def test_nothing_gives_empty_tables() -> None:
    parameter = Parameter("adam.rate", Hyperparameter("rate", 0.1, 0.01, 1.0), 0.01, 1.0)
    tables = [
        repeats_table({}, "Test loss").frame(),
        learning_table({}).frame(),
        history_table([]).frame(),
        slice_table([], parameter).frame(),
        parallel_table([], [parameter]).frame(),
        importance_table([]).frame(),
        budget_table({}).frame(),
        rates_table({}).frame(),
    ]
    for table in tables:
        assert len(table) == 0
        assert len(table.columns) > 1


def test_rates_are_drawn_against_the_update() -> None:
    given = {"one": np.array([0.1, 0.2, 0.0]), "two": np.array([1.0])}
    figure, table = rates(given), rates_table(given).frame()
    for trace, (name, values) in zip(figure.data, given.items(), strict=True):
        np.testing.assert_array_equal(trace.y, values)
        assert list(trace.x) == list(range(1, len(values) + 1))
        assert table[table["Label"] == name]["Learning rate"].tolist() == values.tolist()
        assert table[table["Label"] == name]["Update"].tolist() == list(trace.x)
    assert [trace.mode for trace in figure.data] == ["lines+markers", "markers"]
    # They can be told apart without their colours.
    assert len({trace.marker.symbol for trace in figure.data}) == 2
    assert figure.layout.yaxis.rangemode == "tozero"
    assert rates(given, log=True).layout.yaxis.type == "log"
    assert rates(given, "Multiplier").layout.yaxis.title.text == "Multiplier"
    many = rates({str(number): np.ones(2) for number in range(20)})
    assert len({(trace.line.color, trace.line.dash) for trace in many.data}) == 20


@pytest.mark.parametrize(
    "texts",
    [
        lambda text: [trace.name for trace in rates({text: np.ones(2)}).data],
        lambda text: [rates({}, text).layout.yaxis.title.text],
        lambda text: list(credit({text: Interval(1, 0, 2, 1, 4, 5)}).layout.yaxis.ticktext),
        lambda text: [repeats({}, text).layout.xaxis.title.text],
        lambda text: [lines.label(text)],
    ],
)
def test_what_looks_like_a_tag_is_shown_as_it_is_written(texts: Callable[[str], list[str]]) -> None:
    (shown,) = texts("<b>x</b>&<a href='y'>z</a>")
    assert "<" not in shown
    assert "&lt;b&gt;x&lt;/b&gt;&amp;&lt;a" in shown.lower()


def test_a_label_is_no_template() -> None:
    (trace,) = rates({"%{y}": np.ones(2)}).data
    assert trace.name == "%{y}"
    assert trace.hovertemplate == rates({"other": np.ones(2)}).data[0].hovertemplate
