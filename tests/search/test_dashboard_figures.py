"""The charts of an experiment: what is drawn are the numbers given, in looks that are the same in every picture."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from search_runs import run_in_threads, spec

from objectives import optimizers, schedules, surfaces
from objectives.hyperparameters import Hyperparameter, Scale
from objectives.records import Outcome
from search.arms import LONGEST, short
from search.budgets import PairedDifference, budget_curves, crossover_sentence, pair_crossover, pair_difference
from search.credit import Credit, spoken_effects, way_sentence
from search.figures import lines
from search.figures.budget import budget, budget_difference, budget_difference_table, budget_table
from search.figures.layout import GREY, area, wide
from search.figures.learning import learning, learning_table
from search.figures.lines import JOINT, colour_of_arm, line_of_arm, looks, marker_of_arm
from search.figures.points import repeat_trials
from search.figures.schedules import rates, rates_table
from search.figures.surface import goal, surface_figure, surface_part
from search.figures.trials import (
    WARNING,
    history,
    history_table,
    importance,
    importance_table,
    parallel,
    parallel_table,
    slice_,
    slice_table,
)
from search.figures.verdict import credit, credit_table, forest, forest_table, repeats, repeats_table
from search.learning import AMOUNTS, ArmCurves, band, winners_curves
from search.losses import means, test_losses
from search.results import Result
from search.sensitivity import sensitivities
from search.space import Parameter, space
from search.spec import experiment
from search.statistics.budget import BudgetCurve, Crossover
from search.statistics.intervals import Interval
from search.statistics.verdict import Verdict
from storage import ExperimentRecord, Purpose, Status, StudyRecord, TrialRecord

# Not a test of this module's own.
test_losses.__test__ = False  # type: ignore[attr-defined]

INF, NAN = float("inf"), float("nan")
JOINT_ARM = "momentum,nag+cosine,sgdr"
ARMS = ("momentum+cosine", "adam", JOINT_ARM, "first=adam")


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> ExperimentRecord:
    """Pruned, with a joint arm and two arms of the same choices."""
    url = f"sqlite:///{tmp_path_factory.mktemp('figures')}/cooldown.db"
    settings: dict[str, Any] = {"trials": 12, "generation": 4, "epochs": 4, "pruner": "median"}
    made = run_in_threads(url, spec(arms=ARMS, **settings))
    assert any(trial.pruned for study in made.studies for trial in study.trials)
    return made


def parameters_of(record: ExperimentRecord, arm: str) -> list[Parameter]:
    given = experiment(**record.spec)
    (parsed,) = [each for each in given.parsed_arms if each.name == arm]
    return [each for each in space(given, parsed, 3).by_key.values() if isinstance(each, Parameter)]


def running(record: ExperimentRecord) -> ExperimentRecord:
    """The same after its first generations: of one arm one study, of another both, of the others none."""
    studies = [
        replace(study, trials=tuple(replace(t, curves={Purpose.SEARCH: t.curves[Purpose.SEARCH]}) for t in trials))
        for study in record.studies
        if (trials := study.trials[: {"adam": 8, JOINT_ARM: 4}.get(study.arm, 0)]) or study.repeat == 0
    ]
    return replace(record, studies=tuple(studies[:-1]), one_shots=())


def figures_of(record: ExperimentRecord) -> dict[str, go.Figure]:
    """Every chart of an experiment."""
    result = Result(record)
    pair = (record.spec["arms"][0], "adam")
    curves, budgets = winners_curves(record), budget_curves(record)
    made = {
        "forest": forest(result.verdicts),
        "repeats": repeats({arm: means(each) for arm, each in test_losses(record).items()}, "Test loss"),
        "credit": credit({"optimizer": Interval(-0.1, -0.3, 0.1, 0.1, 4, 5)}),
        "importance": importance(sensitivities(record)),
        "rates": rates({"mine": np.array([0.1, 0.2])}),
    }
    for losses in ("validation", "training"):
        for log, x in zip((True, False) * 2, AMOUNTS, strict=True):
            drawn = partial(learning, curves, losses=losses, x=x, log_loss=log, log_x=not log)
            made |= {f"learning {losses} {x} {each}": drawn(replicates=each) for each in (True, False)}
    for x in ("trials", "gradient evaluations", "seconds"):
        made[f"budget {x}"] = budget(budgets, pair_crossover(record, *pair), pair, x, x != "seconds")  # type: ignore
    for arm in record.spec["arms"]:
        made[f"history {arm}"] = history(record.of(arm))
        made[f"parallel {arm}"] = parallel(record.of(arm), parameters_of(record, arm))
        for each in parameters_of(record, arm):
            made[f"slice {arm} {each.key}"] = slice_(record.of(arm), each)
    return made


def check(figure: go.Figure) -> None:
    """What is true of every chart: JSON that a browser can read, titles on axes, the page's colours."""
    json.loads(figure.to_json(), parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))
    layout = figure.layout
    assert layout.height
    assert layout.title.text is None
    assert layout.paper_bgcolor is None
    assert layout.plot_bgcolor is None
    assert layout.font.color is None
    if isinstance(next(iter(figure.data), None), go.Parcoords):
        assert all(dimension.label for dimension in figure.data[0].dimensions)
        return
    used = {(trace.xaxis or "x", trace.yaxis or "y") for trace in figure.data}
    for x, y in used:
        assert layout[x.replace("x", "xaxis")].title.text
        assert layout[y.replace("y", "yaxis")].title.text


def named(figure: go.Figure, name: str) -> list[Any]:
    """The traces of this name that have points."""
    return [trace for trace in figure.data if trace.name == name and len(trace.x) and trace.x[0] is not None]


def test_every_chart_of_an_experiment_can_be_shown_whatever_its_state(record: ExperimentRecord) -> None:
    one = replace(record, studies=tuple(study for study in record.studies if study.repeat == 0))
    for state in (record, one, running(record), replace(record, studies=(), one_shots=())):
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
    parameter = Parameter("adam.beta1", optimizers.get("adam").hyperparameters[1], 0.5, 0.99)  # type: ignore[arg-type]
    tables = [
        forest_table([]),
        repeats_table({}, "Test loss"),
        credit_table({}),
        learning_table({}),
        history_table([]),
        slice_table([], parameter),
        parallel_table([], [parameter]),
        importance_table([]),
        budget_table({}),
        rates_table({}),
    ]
    for table in tables:
        assert len(table) == 0
        assert len(table.columns) > 1


# Looks


def test_each_optimizer_has_its_colour_and_each_schedule_its_dash_and_symbol() -> None:
    names = schedules.names()
    for optimizer in optimizers.names():
        assert {colour_of_arm(f"{optimizer}+{name}") for name in names} == {line_of_arm(optimizer)["color"]}
    assert len({colour_of_arm(name) for name in optimizers.names()}) == len(optimizers.names())
    for of_arm, part in ((line_of_arm, "dash"), (marker_of_arm, "symbol")):
        assert len({of_arm(f"adam+{name}")[part] for name in names}) == len(names)
        assert all(of_arm(f"adam+{name}")[part] == of_arm(f"sgd+{name}")[part] for name in names)
    assert line_of_arm("adam") == {"color": colour_of_arm("adam+cosine"), "dash": "solid"}
    assert marker_of_arm("adam")["symbol"] == "circle"
    # As plotly has it, and not only as we wrote it.
    for name in names:
        go.Scatter(line=line_of_arm(f"adam+{name}"), marker=marker_of_arm(f"adam+{name}"))


def test_a_catalog_that_has_outgrown_the_colours_and_dashes_keeps_them_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "COLOURS", {family: own[:3] for family, own in lines.COLOURS.items()})
    monkeypatch.setattr(lines, "DASHES", lines.DASHES[:3])
    assert len({colour_of_arm(name) for name in optimizers.names()}) == len(optimizers.names())
    assert len({line_of_arm(f"sgd+{name}")["dash"] for name in schedules.names()}) == len(schedules.names())


def contrast(colour: str, other: str) -> float:
    """Source: WCAG 2.2, relative luminance."""

    def luminance(text: str) -> float:
        parts = np.array([int(text[at : at + 2], 16) / 255 for at in (1, 3, 5)])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    dark, light = sorted([luminance(colour), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colour", [*(colour_of_arm(name) for name in optimizers.names()), JOINT, GREY, WARNING])
def test_colours_stand_out_on_light_and_dark(colour: str) -> None:
    assert contrast(colour, "#FFFFFF") > 2
    assert contrast(colour, "#0E1117") > 2


def test_joint_arms_are_grey_with_the_dash_of_a_single_schedule() -> None:
    for arm in ("momentum,nag+cosine", "adam+cosine,sgdr", JOINT_ARM):
        assert colour_of_arm(arm) == JOINT
    assert line_of_arm("momentum,nag+cosine")["dash"] == line_of_arm("adam+cosine")["dash"]


def test_a_label_changes_nothing_but_arms_that_would_look_the_same_are_told_apart() -> None:
    assert line_of_arm("mine=adam+sgdr") == line_of_arm("adam+sgdr")
    twins = ["adam", "first=adam", "second=adam", "momentum,nag", "sgd,adam"]
    found = looks([*twins, "momentum"])
    assert len({(each.colour, each.opacity) for each in found.values()}) == len(found)
    assert len({(each.colour, each.symbol) for each in found.values()}) == len(found)
    assert len({found[arm].colour for arm in twins[:3]}) == 1
    assert found["momentum"].marker == marker_of_arm("momentum")


def test_an_arm_has_its_colour_in_every_picture(record: ExperimentRecord) -> None:
    made = figures_of(record)
    for arm in ("momentum+cosine", "adam", JOINT_ARM):
        colour, dash = colour_of_arm(arm), line_of_arm(arm)["dash"]
        for name in ("learning validation epochs False", "budget trials"):
            drawn = [trace for trace in named(made[name], arm) if trace.line.width]
            assert drawn
            assert {(trace.line.color, trace.line.dash) for trace in drawn} == {(colour, dash)}
        for name in ("repeats", "importance"):
            assert {trace.marker.color for trace in named(made[name], arm)} == {colour}
    (won,) = forest([verdict("adam", "momentum", "a_better")]).data
    assert won.marker.color == won.error_x.color == colour_of_arm("adam")


EVERYTHING = f"{','.join(optimizers.names())}+{','.join(schedules.names())}"


def test_a_long_name_is_told_by_how_much_it_may_choose_from_and_stands_whole_beside_the_pointer() -> None:
    count = len(optimizers.names()), len(schedules.names())
    assert short(EVERYTHING) == f"{count[0]} optimizers + {count[1]} schedules"
    assert short(f"mine={EVERYTHING}") == "mine"
    assert short(",".join(optimizers.names())) == f"{count[0]} optimizers"
    assert short(f"adam+{','.join(schedules.names())}") == f"adam + {count[1]} schedules"
    for name in ("adam", JOINT_ARM, "x" * 200, ""):
        assert short(name) == name
    assert lines.whole(EVERYTHING).replace("<br>", "").replace(" ", "") == EVERYTHING
    assert max(map(len, lines.whole(EVERYTHING).split("<br>"))) <= lines.HOVER_WIDTH
    assert lines.whole("<b>") == "&lt;b&gt;"
    row = repeats({EVERYTHING: {0: 1.0}, "adam": {0: 2.0}}, "Test loss")
    assert max(map(len, row.layout.yaxis.ticktext)) <= LONGEST
    assert "yellowfin" in row.data[0].hovertemplate


def test_a_schedule_by_itself_has_its_dash_in_a_grey() -> None:
    for place, name in enumerate(schedules.names()):
        line = lines.line_of_schedule(name, place)
        assert line["dash"] == line_of_arm(f"adam+{name}")["dash"]
        assert line["color"] in lines.GREYS
    drawn = rates({"cosine": np.ones(2), "mine": np.ones(2)}, lines={"cosine": lines.line_of_schedule("cosine")})
    assert [trace.line.dash for trace in drawn.data] == [line_of_arm("sgd+cosine")["dash"], "solid"]
    for grey in lines.GREYS:
        assert min(contrast(grey, "#FFFFFF"), contrast(grey, "#0E1117")) > 2


# The answer


def verdict(a: str, b: str, decision: Any, **changes: Any) -> Verdict:
    made = Verdict(
        a=a,
        b=b,
        verdict=decision,
        difference=-0.5,
        low=-0.75,
        high=-0.125,
        band=0.0625,
        score_difference=None,
        score_low=None,
        score_high=None,
        probability_a_better=0.9,
        repeats_to_decide=None,
        primary=False,
        corrected=False,
        why="",
    )
    return replace(made, **changes)


VERDICTS = [
    verdict("adam", "sgd", "undecided", low=-1.5),
    verdict("momentum+cosine", "adam", "b_better", difference=0.5, low=0.25, high=1.0, primary=True),
    verdict("nag", "sgd", "tie", difference=0.0, low=-0.01, high=0.03),
    verdict("nag", "adam", "undecided", difference=None, low=None, high=None, band=None),
]


def test_the_forest_has_a_row_for_each_pair_with_its_numbers() -> None:
    figure = forest(VERDICTS)
    axis = figure.layout.yaxis
    assert [text.split("<br>")[0] for text in axis.ticktext] == [
        "<b>momentum+cosine − adam</b>",
        "adam − sgd",
        "nag − sgd",
        "nag − adam",
    ]
    assert [text.split("<br>")[1] for text in axis.ticktext] == [
        "<i>adam is better</i>",
        "<i>undecided</i>",
        "<i>tie</i>",
        "<i>not compared yet</i>",
    ]
    assert list(axis.tickvals) == [0, 1, 2, 3]
    # The first row is on top.
    assert axis.range[0] > axis.range[1]
    drawn = [(t.y[0], t.x[0], t.x[0] - t.error_x.arrayminus[0], t.x[0] + t.error_x.array[0]) for t in figure.data]
    assert drawn == [(0, 0.5, 0.25, 1.0), (1, -0.5, -1.5, -0.125), (2, 0.0, -0.01, 0.03)]
    assert [t.marker.color for t in figure.data] == [colour_of_arm("adam"), GREY, GREY]
    assert [t.marker.symbol for t in figure.data] == ["circle", "circle", "circle-open"]
    boxes = [(box.x0, box.x1, (box.y0 + box.y1) / 2) for box in figure.layout.shapes]
    assert boxes == [(-0.0625, 0.0625, row) for row in (0, 1, 2)]
    assert figure.layout.height == 4 * 40 + 120
    assert "95 % interval: -1.5 to -0.125" in figure.data[1].hovertemplate
    assert [(note.x, note.text) for note in figure.layout.annotations] == [
        (0, "← first"),
        (1, "second →"),
    ]
    assert not forest(VERDICTS[3:]).layout.annotations


def test_the_forests_table() -> None:
    table = forest_table(VERDICTS)
    assert table["First"].tolist() == ["momentum+cosine", "adam", "nag", "nag"]
    assert table["Difference"].tolist()[:3] == [0.5, -0.5, 0.0]
    assert table["Low"].tolist()[:3] == [0.25, -1.5, -0.01]
    assert table["High"].tolist()[:3] == [1.0, -0.125, 0.03]
    assert table["Difference"].isna().tolist() == [False, False, False, True]
    assert table["Primary"].tolist() == [True, False, False, False]


VALUES: Mapping[str, Mapping[int, float]] = {
    "adam": {0: 0.5, 2: 0.25},
    "momentum+sgdr": {0: 0.25, 1: 0.125},
    "sgd": {},
    "nag": {1: 1.0},
}


@pytest.mark.parametrize(
    ("best", "ranked"),
    [("lowest", ["momentum+sgdr", "adam", "nag", "sgd"]), ("highest", ["nag", "adam", "momentum+sgdr", "sgd"])],
)
def test_repeats_are_dots_and_their_mean_a_tick(best: Any, ranked: list[str]) -> None:
    figure, table = repeats(VALUES, "Test loss", best=best), repeats_table(VALUES, "Test loss", best=best)
    assert list(figure.layout.yaxis.ticktext) == ranked == table["Arm"].tolist()
    for row, (arm, dots, tick) in enumerate(zip(ranked, figure.data[::2], figure.data[1::2], strict=True)):
        assert dict(zip(dots.customdata, dots.x, strict=True)) == VALUES[arm]
        assert set(dots.y) | set(tick.y) == {row}
        expected = np.mean(list(VALUES[arm].values())) if VALUES[arm] else NAN
        np.testing.assert_equal([tick.x[0], table["Mean test loss"][row]], [expected] * 2)
        assert {r: table[f"Repeat {r}"][row] for r in VALUES[arm]} == VALUES[arm]
    assert "Test loss" in figure.layout.xaxis.title.text
    assert table[[f"Repeat {repeat}" for repeat in range(3)]].isna().sum().sum() == 12 - 5


def test_credit_is_bars_with_their_intervals() -> None:
    shares = {
        "optimizer": Interval(0.25, -0.125, 0.75, 0.1, 4, 5),
        "tuning": Interval(-0.5, -1.0, -0.25, 0.1, 4, 5),
        "total": Interval(-0.25, -0.5, 0.5, 0.1, 4, 5),
    }
    figure, table = credit(shares), credit_table(shares)
    drawn = [(b.x[0], b.x[0] - b.error_x.arrayminus[0], b.x[0] + b.error_x.array[0]) for b in figure.data]
    assert drawn == [(each.estimate, each.low, each.high) for each in shares.values()]
    assert [tuple(row) for row in table[["Change of test loss", "Low", "High"]].to_numpy()] == drawn
    assert table["Factor"].tolist() == list(shares)
    assert list(figure.layout.yaxis.ticktext) == ["Optimizer", "Tuning", "<b>Total</b>"]
    colours = [bar.marker.color for bar in figure.data]
    assert colours[0] != colours[1] == colours[2]


def test_the_effects_that_are_drawn_are_those_of_the_sentence() -> None:
    known = {name: Interval(place, place - 1, place + 1, 0.1, 4, 5) for place, name in enumerate(("tuning", "total"))}
    tuned = {"optimizer": Interval(0.5, 0, 1, 0.1, 4, 5), "schedule": Interval(-0.5, -1, 0, 0.1, 4, 5)}
    split = Credit("default adam", "tuned nag+cosine", ("adam", "nag"), {}, known, tuned, ())
    effects = spoken_effects(split)
    assert list(effects.values()) == [known["tuning"], tuned["optimizer"], tuned["schedule"]]
    assert list(credit(effects).layout.yaxis.ticktext) == [
        "Tuning",
        "Nag in place of adam,<br>all tuned",
        "Annealing,<br>all tuned",
    ]
    assert way_sentence(split) == "From default adam to tuned nag+cosine: +1.0000 [+0.0000, +2.0000]."
    without = replace(split, effects={}, tuned={})
    assert (spoken_effects(without), way_sentence(without)) == ({}, "")


# Learning curves


def curves_of(arm: str, validation: list[list[float]], rate: list[list[float]], diverged: list[bool]) -> ArmCurves:
    loss = np.array(validation)
    count = np.arange(1.0, loss.shape[1] + 1)
    return ArmCurves(
        arm=arm,
        repeat=np.arange(len(loss)),
        seed=np.arange(len(loss)) + 10,
        validation=loss,
        train=loss / 2,
        rate=np.array(rate),
        diverged=np.array(diverged),
        uninformed_loss=2.0,
        axes={amount: count * 10**place for place, amount in enumerate(AMOUNTS)},
    )


BY_HAND = curves_of(
    "adam", [[1.0, 0.5, 0.25], [2.0, 1.0, 0.5], [4.0, 50.0, NAN]], [[0.1, 0.1, 0.0]] * 3, [False, False, True]
)


@pytest.mark.parametrize("losses", ["validation", "training"])
@pytest.mark.parametrize("x", AMOUNTS)
def test_learning_draws_medians_and_quartiles(losses: Any, x: Any) -> None:
    figure = learning({"adam": BY_HAND}, losses=losses, x=x, log_loss=False)
    filled, loss, rate = figure.data
    values = BY_HAND.validation if losses == "validation" else BY_HAND.train
    median, low, high = band(values, BY_HAND.diverged)
    np.testing.assert_array_equal(loss.x, BY_HAND.axes[x])
    np.testing.assert_array_equal(loss.y, median)
    np.testing.assert_array_equal(loss.customdata, np.stack([low, high], axis=-1))
    assert np.isinf(high[-1])
    np.testing.assert_array_equal(filled.y[2:4], [filled.y[2], low[-1]])
    assert filled.y[2] > figure.layout.yaxis.range[1]
    np.testing.assert_array_equal(filled.y[:2], high[:2])
    assert (filled.fill, filled.legendgroup) == ("toself", loss.legendgroup)
    np.testing.assert_array_equal(rate.y, [0.1, 0.1, 0.0])
    assert (loss.yaxis, rate.yaxis, figure.layout.yaxis2.type) == (None, "y2", "log")
    assert figure.layout.yaxis.title.text == f"{losses.capitalize()} loss"
    # What is worse than to have learned nothing leaves the picture, and all else is in it.
    assert figure.layout.yaxis.range[1] < 5
    assert figure.layout.yaxis.range[1] > values[:, 0].min()


def test_replicates_are_lines_of_their_own_with_gaps_between() -> None:
    figure = learning({"adam": BY_HAND}, replicates=True)
    single, median, _ = figure.data
    np.testing.assert_array_equal(np.reshape(single.y, (3, 4))[:, :3], BY_HAND.validation)
    np.testing.assert_array_equal(np.reshape(single.x, (3, 4))[:, :3], [BY_HAND.axes["epochs"]] * 3)
    assert np.isnan(np.reshape(single.y, (3, 4))[:, 3]).all()
    assert [tuple(each) for each in single.customdata[::4]] == [(0, 10), (1, 11), (2, 12)]
    assert single.connectgaps is None
    np.testing.assert_array_equal(median.y, band(BY_HAND.validation, BY_HAND.diverged)[0])


def test_the_axes_of_learning_are_as_asked() -> None:
    for log_loss in (True, False):
        layout = learning({"adam": BY_HAND}, log_loss=log_loss, log_x=not log_loss).layout
        assert (layout.yaxis.type == "log") == log_loss
        assert (layout.xaxis.type == "log") != log_loss
        low, high = (10 ** np.array(layout.yaxis.range)) if log_loss else layout.yaxis.range
        assert low <= 0.25
        assert 4 >= high >= 3


def test_of_one_epoch_there_are_markers() -> None:
    figure = learning({"adam": curves_of("adam", [[1.0], [2.0]], [[0.1]] * 2, [False] * 2)})
    assert {trace.mode for trace in figure.data} == {"markers"}
    assert [trace.y[0] for trace in figure.data] == [1.5, 0.1]


def test_the_learning_table_has_all_that_is_drawn(record: ExperimentRecord) -> None:
    curves = winners_curves(record)
    table = learning_table(curves, "training")
    assert table["Arm"].unique().tolist() == list(curves)
    for arm, own in curves.items():
        part = table[table["Arm"] == arm]
        for amount in AMOUNTS:
            np.testing.assert_array_equal(part[amount.capitalize()], own.axes[amount])
        drawn = band(own.train, own.diverged)
        for name, values in zip(("Median loss", "Lower quartile", "Upper quartile"), drawn, strict=True):
            np.testing.assert_array_equal(part[name], values)
        np.testing.assert_array_equal(part["Learning rate"], band(own.rate)[0])


def test_an_area_is_drawn_where_both_its_curves_are_known() -> None:
    x = np.arange(7.0)
    low, high = np.array([0.0, 0, NAN, 0, 0, 0, NAN]), np.array([1.0, 1, 1, INF, 1, 1, 1])
    assert [(list(each.x), list(each.y)) for each in area(x, low, high)] == [
        ([0, 1, 1, 0], [1, 1, 0, 0]),
        ([4, 5, 5, 4], [1, 1, 0, 0]),
    ]


# Trials


def test_history_has_every_trial_and_the_best_so_far(record: ExperimentRecord) -> None:
    for arm in ARMS:
        studies = record.of(arm)
        figure, table = history(list(reversed(studies))), history_table(studies)
        for study in studies:
            numbers = [trial.number for trial in study.trials]
            losses = [trial.validation_loss for trial in study.trials]
            pruned = [trial.pruned for trial in study.trials]
            (points,) = named(figure, f"repeat {study.repeat}")
            assert (list(points.x), list(points.y)) == (numbers, losses)
            assert [tuple(each) for each in points.customdata] == [(study.repeat, number) for number in numbers]
            assert [symbol.endswith("-open") for symbol in points.marker.symbol] == pruned
            (steps,) = named(figure, f"best of repeat {study.repeat}")
            whole = [INF if gone else loss for loss, gone in zip(losses, pruned, strict=True)]
            np.testing.assert_array_equal(steps.y, np.minimum.accumulate(whole))
            assert (steps.line.shape, steps.line.color) == ("hv", points.marker.color)
            part = table[table["Repeat"] == study.repeat]
            assert part["Trial"].tolist() == numbers
            assert part["Validation loss"].tolist() == losses
            assert part["Best so far"].tolist() == list(steps.y)
            assert part["Pruned"].tolist() == pruned
        assert bool([t for t in figure.data if t.name == "pruned"]) == table["Pruned"].any()
    assert len({named(history(record.of("adam")), f"repeat {r}")[0].marker.color for r in (0, 1)}) == 2


def diverged(trial: TrialRecord) -> TrialRecord:
    lost = tuple(replace(curve, outcome=Outcome.DIVERGED) for curve in trial.curves[Purpose.SEARCH])
    loss = float(np.mean([curve.final_loss for curve in lost]))
    return replace(trial, validation_loss=loss, curves={Purpose.SEARCH: lost})


def test_trials_that_did_no_better_than_guessing_are_crosses_at_its_line(record: ExperimentRecord) -> None:
    parameter = parameters_of(record, "adam")[0]
    studies = [
        replace(s, trials=(diverged(s.trials[0]), *(t for t in s.trials[1:] if t.validation_loss < 1)))
        for s in record.of("adam")
    ]
    for figure in (
        history(studies, log=False),
        slice_(studies, parameter),
        history(studies),
    ):
        (line,) = [shape for shape in figure.layout.shapes if shape.type == "rect"]
        losses = [study.trials[0].validation_loss for study in studies]
        assert (line.y0, line.y1) == pytest.approx((min(losses), max(losses)))
        (note,) = figure.layout.annotations
        assert note.text == "no better than guessing"
        log = figure.layout.yaxis.type == "log"
        assert note.y == pytest.approx(math.log10(max(losses)) if log else max(losses))
        for study in studies:
            (points,) = named(figure, f"repeat {study.repeat}")
            assert [symbol == "x" for symbol in points.marker.symbol].index(True) == 0
            assert list(points.marker.symbol).count("x") == 1
        assert [trace.name for trace in figure.data if trace.name == "no better than guessing"]
    clean = [replace(study, trials=study.trials[1:]) for study in studies]
    assert not history(clean).layout.shapes
    assert not slice_(clean, parameter).layout.annotations


def test_the_legend_has_each_repeats_own_symbol_though_its_first_trial_won(record: ExperimentRecord) -> None:
    study = record.of("adam")[0]
    assert study.winner is not None
    first = [replace(study, trials=(study.winner,))]
    for figure in (history(first), slice_(first, parameters_of(record, "adam")[0])):
        (entry,) = [trace for trace in figure.data if trace.name == "repeat 0" and trace.showlegend is not False]
        assert entry.marker.symbol == "circle"
        assert (figure.layout.xaxis.dtick == 1) == (figure.layout.xaxis.title.text == "Trial")


def test_losses_are_logarithmic_as_asked_where_they_can_be(record: ExperimentRecord) -> None:
    studies = record.of("adam")
    assert history(studies, log=True).layout.yaxis.type == "log"
    assert history(studies, log=False).layout.yaxis.type is None
    low = [replace(study, trials=(replace(study.trials[0], validation_loss=-1.0),)) for study in studies]
    assert history(low, log=True).layout.yaxis.type is None


def test_before_a_whole_trial_there_is_no_best_so_far(record: ExperimentRecord) -> None:
    study = next(study for study in record.studies if any(trial.pruned for trial in study.trials))
    first = next(trial for trial in study.trials if trial.pruned)
    (own,) = repeat_trials([replace(study, trials=(first,))])
    assert np.isnan(own.best).all()
    assert own.winner == -1
    check(history([replace(study, trials=(first,))]))


@pytest.mark.parametrize(
    ("losses", "is_wide"), [([0.1, 3.1], True), ([0.1, 2.9], False), ([0.0, 9.0], False), ([], False)]
)
def test_losses_spread_widely_have_a_logarithmic_axis(losses: list[float], is_wide: bool) -> None:
    assert wide(np.array(losses)) == is_wide


def test_a_slice_has_every_trial_that_chose_a_value(record: ExperimentRecord) -> None:
    for arm in ARMS:
        for parameter in parameters_of(record, arm):
            check_slice(record.of(arm), parameter)


def check_slice(studies: list[StudyRecord], parameter: Parameter) -> None:
    figure, table = slice_(studies, parameter), slice_table(studies, parameter)
    layout, flipped = figure.layout, parameter.hyperparameter.scale is Scale.ONE_MINUS_LOG
    rows = []
    for study in studies:
        chosen = [trial for trial in study.trials if parameter.key in trial.parameters]
        values = [trial.parameters[parameter.key] for trial in chosen]
        points = named(figure, f"repeat {study.repeat}")
        if not chosen:
            assert points == []
            continue
        assert list(points[0].y) == [trial.validation_loss for trial in chosen]
        np.testing.assert_allclose(points[0].x, [1 - value if flipped else value for value in values], rtol=1e-12)
        assert [tuple(each) for each in points[0].customdata] == [
            (study.repeat, trial.number, value) for trial, value in zip(chosen, values, strict=True)
        ]
        stars = [symbol == "star" for symbol in points[0].marker.symbol]
        assert stars == [trial is study.winner for trial in chosen]
        rows += [(study.repeat, t.number, v, t.validation_loss) for t, v in zip(chosen, values, strict=True)]
    assert [tuple(row) for row in table.iloc[:, :4].itertuples(index=False)] == rows
    # Its range is what the axis shows, with the ends as lines, rising with the natural value.
    ends = [1 - end if flipped else end for end in (parameter.low, parameter.high)]
    lines_ = [shape for shape in layout.shapes if shape.type == "line"]
    assert [line.x0 for line in lines_] == [line.x1 for line in lines_] == pytest.approx(ends)
    log = parameter.hyperparameter.scale is not Scale.LINEAR
    assert (layout.xaxis.type == "log") == log
    low, high = layout.xaxis.range
    places = np.log10(ends) if log else ends
    assert (low < places[0] < places[1] < high) if not flipped else (low > places[0] > places[1] > high)
    if log:
        assert len(layout.xaxis.tickvals) >= 2
        natural = [float(text) for text in layout.xaxis.ticktext]
        np.testing.assert_allclose([1 - at if flipped else at for at in layout.xaxis.tickvals], natural, rtol=1e-9)
        assert min(natural) >= parameter.low * (1 - 1e-9)
        assert max(natural) <= parameter.high * (1 + 1e-9)


@pytest.mark.parametrize("name", ["learning_rate", "beta1"])
@pytest.mark.parametrize("edge", ["low", "high"])
def test_the_edge_that_an_alarm_names_is_in_a_warning_colour(record: ExperimentRecord, name: str, edge: Any) -> None:
    (parameter,) = [each for each in parameters_of(record, "adam") if each.key == f"adam.{name}"]
    figure = slice_(record.of("adam"), parameter, edge)
    end = parameter.low if edge == "low" else parameter.high
    at = 1 - end if name == "beta1" else end
    warned = [line for line in figure.layout.shapes if line.line.color == WARNING]
    assert [line.x0 for line in warned] == [at]
    (note,) = [note for note in figure.layout.annotations if note.font.color == WARNING]
    assert note.x == pytest.approx(math.log10(at))
    # Its words are inside the range.
    assert note.xanchor == ("left" if edge == "low" else "right")
    plain = slice_(record.of("adam"), parameter)
    assert not [note for note in plain.layout.annotations if note.font.color == WARNING]


def test_parallel_coordinates_are_positions_with_natural_ticks(record: ExperimentRecord) -> None:
    for arm in ARMS:
        studies, parameters = record.of(arm), parameters_of(record, arm)
        table = parallel_table(studies, parameters)
        whole = {(s.repeat, t.number): t for s in studies for t in s.trials if not t.pruned}
        assert list(zip(table["Repeat"], table["Trial"], strict=True)) == list(whole)
        for _, own in table.groupby("Repeat"):
            assert own["Rank"].rank().tolist() == own["Validation loss"].rank().tolist()
            assert ((own["Rank"] > 0) & (own["Rank"] < 1)).all()
        (drawn,) = parallel(studies, parameters).data
        assert list(drawn.line.color) == sorted(table["Rank"], reverse=True)
        table = table.sort_values("Rank", ascending=False, kind="stable")
        *dimensions, loss = drawn.dimensions
        for parameter, dimension in zip(parameters, dimensions, strict=True):
            assert dimension.label == parameter.key
            chosen = table[parameter.key].to_numpy(float)
            missing = np.isnan(chosen)
            assert missing.any() == ("–" in dimension.ticktext)
            assert (np.array(dimension.values)[missing] < 0).all()
            back = [parameter.at(at) for at in np.array(dimension.values)[~missing]]
            np.testing.assert_allclose(back, chosen[~missing], rtol=1e-9, atol=1e-12)
            ticks = dict(zip(dimension.tickvals, dimension.ticktext, strict=True))
            if parameter.low < parameter.high:
                assert float(ticks[1.0]) == pytest.approx(parameter.high, rel=0.01)
        losses = table["Validation loss"].to_numpy()
        np.testing.assert_allclose(10 ** np.array(loss.values) if wide(losses) else loss.values, losses)
        assert float(loss.ticktext[-1]) == pytest.approx(losses.max(), rel=0.01)


def test_near_1_a_tick_has_as_many_digits_as_it_takes() -> None:
    h = Hyperparameter("beta2", 0.999, 0.9, 0.99999, Scale.ONE_MINUS_LOG, maximum=1, open_maximum=True)
    parameter = Parameter("adam.beta2", h, 0.9, 0.99999)
    assert list(slice_([StudyRecord(1, "adam", 0, {}, ())], parameter).layout.xaxis.ticktext) == [
        "0.99999",
        "0.9999",
        "0.999",
        "0.99",
        "0.9",
    ]


def test_importance_has_a_bar_for_each_hyperparameter_the_largest_on_top(record: ExperimentRecord) -> None:
    found = [each for each in sensitivities(record) if each.arm != "first=adam"]
    assert any(each.importance is not None for each in found)
    figure, table = importance(found), importance_table(found)
    labels, rows = list(figure.layout.yaxis.ticktext), []
    for bars in figure.data:
        header = labels[bars.y[0] - 1]
        assert header == f"<b>{bars.name}</b>"
        rows += [(bars.name, labels[row], value) for row, value in zip(bars.y, bars.x, strict=True)]
        known = [value for value in bars.x if not math.isnan(value)]
        assert known == sorted(known, reverse=True)
    shares = {(each.arm, each.key): each.importance for each in found}
    assert {(arm, key): None if math.isnan(value) else value for arm, key, value in rows} == shares
    assert list(zip(table["Arm"], table["Hyperparameter"], strict=True)) == [row[:2] for row in rows]
    np.testing.assert_array_equal(table["Importance"].to_numpy(float), [row[2] for row in rows])
    # Of one arm alone the name is not said again.
    alone = importance([each for each in found if each.arm == "adam"])
    assert "<b>adam</b>" not in alone.layout.yaxis.ticktext
    rate = next(each for each in found if each.key == "adam.learning_rate")
    assert any(f"{rate.width:.4g} of {rate.range_width:.4g} decades" in text for text in alone.data[0].customdata)


# Budget


def budget_of(expected: list[float], half: float) -> BudgetCurve:
    values = np.array(expected)
    count = np.arange(1, len(values) + 1)
    spread = np.where(np.isfinite(values), half, NAN)
    return BudgetCurve(count, values, values - spread, values + spread, count * 100.0, count * 0.5, 5)


BUDGETS = {"momentum+cosine": budget_of([INF, 1.0, 0.25, 0.125], 0.25), "adam": budget_of([0.5, 0.5, 0.5], 0.25)}


@pytest.mark.parametrize(("x", "per_trial"), [("trials", 1), ("gradient evaluations", 100), ("seconds", 0.5)])
@pytest.mark.parametrize("log", [True, False])
def test_the_budget_curves_and_their_bands(x: Any, per_trial: float, log: bool) -> None:
    figure = budget(BUDGETS, x=x, log=log)
    for arm, curve in BUDGETS.items():
        (line,) = named(figure, arm)
        known = np.isfinite(curve.expected)
        np.testing.assert_array_equal(line.x, curve.trials * per_trial)
        np.testing.assert_array_equal(np.array(line.y)[known], curve.expected[known])
        assert np.isnan(np.array(line.y)[~known]).all()
        (filled,) = [trace for trace in figure.data if trace.legendgroup == arm and trace.fill]
        n = int(known.sum())
        np.testing.assert_array_equal(filled.x[:n], line.x[known])
        np.testing.assert_array_equal(filled.y[:n], curve.high[known])
        low = np.array(filled.y[n:])[::-1]
        bottom = 10 ** figure.layout.yaxis.range[0] if log else -INF
        visible = curve.low[known] > bottom
        np.testing.assert_array_equal(low[visible], curve.low[known][visible])
        # On a logarithmic axis the rest ends below the picture, and not nowhere.
        assert (low[~visible] < bottom).all()
        assert not log or (low > 0).all()
    assert (figure.layout.yaxis.type == "log") == log


def crossed(trials: int | None, earliest: int | None, latest: int | None) -> Crossover:
    return Crossover(trials=trials, earliest=earliest, latest=latest, repeats=5, last=4)


def test_the_crossover_is_marked_where_trials_are_counted() -> None:
    pair = ("momentum+cosine", "adam")
    figure = budget(BUDGETS, crossed(3, 2, 4), pair)
    line, interval = figure.layout.shapes
    assert (line.x0, line.x1, interval.x0, interval.x1) == (3, 3, 2, 4)
    (note,) = figure.layout.annotations
    assert "trial 3" in note.text
    assert "momentum+cosine is ahead of adam" in note.text
    assert len(budget(BUDGETS, crossed(3, 2, None), pair).layout.shapes) == 1
    for without in (
        budget(BUDGETS, crossed(None, 2, None), pair),
        budget(BUDGETS, crossed(3, 2, 4), pair, "seconds"),
        budget(BUDGETS, None, pair),
        budget(BUDGETS, crossed(3, 2, 4), None),
    ):
        assert not without.layout.shapes
        assert not without.layout.annotations


def test_a_budget_of_one_repeat_has_no_band_and_one_of_one_trial_a_marker() -> None:
    alone = replace(BUDGETS["adam"], low=np.full(3, NAN), high=np.full(3, NAN), repeats=1)
    assert [trace.mode for trace in budget({"adam": alone}, log=True).data] == ["lines"]
    assert [trace.mode for trace in budget({"adam": budget_of([0.5], 0.1)}).data] == ["markers"]


def test_the_budget_table_has_all_that_is_drawn() -> None:
    table = budget_table(BUDGETS)
    assert table["Arm"].tolist() == ["momentum+cosine"] * 4 + ["adam"] * 3
    for name, field in (
        ("Trials", "trials"),
        ("Gradient evaluations", "gradient_evaluations"),
        ("Seconds", "seconds"),
        ("Expected best", "expected"),
        ("Low", "low"),
        ("High", "high"),
    ):
        expected = np.concatenate([getattr(curve, field) for curve in BUDGETS.values()])
        np.testing.assert_array_equal(table[name], expected)


def test_the_axis_of_the_budget_may_be_logarithmic_and_its_words_with_it() -> None:
    figure = budget(BUDGETS, crossed(3, 2, 4), ("momentum+cosine", "adam"), log_x=True, height=300)
    assert (figure.layout.xaxis.type, figure.layout.height) == ("log", 300)
    assert figure.layout.shapes[0].x0 == 3
    assert figure.layout.annotations[0].x == pytest.approx(math.log10(3))


def test_the_paired_difference_is_that_of_each_repeat(record: ExperimentRecord) -> None:
    pair = ("momentum+cosine", "adam")
    found = pair_difference(record, *pair)
    assert found is not None
    best = {
        arm: np.array(
            [
                np.minimum.accumulate([INF if t.pruned else t.validation_loss for t in study.trials])
                for study in sorted(record.of(arm), key=lambda study: study.repeat)
            ]
        )
        for arm in pair
    }
    each = best[pair[0]] - best[pair[1]]
    np.testing.assert_allclose(found.difference, each.mean(axis=0))
    half = 12.706204736 * each.std(axis=0, ddof=1) / math.sqrt(2)
    np.testing.assert_allclose(found.high - found.difference, half, rtol=1e-6)
    np.testing.assert_allclose(found.difference - found.low, half, rtol=1e-6)
    assert found.repeats == 2
    other = pair_difference(record, *reversed(pair))
    assert other is not None
    np.testing.assert_allclose(other.difference, -found.difference)
    one = replace(record, studies=tuple(study for study in record.studies if study.repeat == 0))
    alone = pair_difference(one, *pair)
    assert alone is not None
    assert np.isnan(alone.low).all()
    assert pair_difference(replace(record, studies=()), *pair) is None
    for drawn in (found, alone):
        check(budget_difference(drawn, pair))
        assert len(budget_difference_table(drawn)) == len(found.trials)


def test_the_difference_is_drawn_with_its_band() -> None:
    found = PairedDifference(
        np.arange(1, 4), np.array([NAN, 1.0, -1.0]), np.array([NAN, 0, -2]), np.array([NAN, 2, 0]), 5
    )
    filled, line = budget_difference(found, ("adam", "sgd"), log_x=True).data
    np.testing.assert_array_equal(line.y, found.difference)
    assert list(filled.y) == [2, 0, -2, 0]
    notes = [note.text for note in budget_difference(found, ("adam", "sgd")).layout.annotations]
    assert notes == ["sgd ahead ↑", "adam ahead ↓"]


@pytest.mark.parametrize(
    ("crossing", "status", "told"),
    [
        (
            (3, 2, 4),
            Status.DONE,
            "* is below B's from trial 3 on (95 % interval: trial 2 to trial 4).",
        ),
        ((3, 2, None), Status.DONE, "* from trial 3 on, but that is undecided: not before trial 2, perhaps never."),
        ((None, 2, None), Status.DONE, "* it is undecided from which trial on * not before trial 2, perhaps never*"),
        ((None, 2, None), Status.RUNNING, "In the trials so far it is undecided *"),
        (
            (None, None, None),
            Status.RUNNING,
            "* is below B's up to trial 4, and not * of the trials so far.",
        ),
        ((None, 1, None), Status.RUNNING, "In the trials so far it is open whether *"),
    ],
)
def test_a_crossover_is_never_said_to_be_what_its_interval_denies(
    monkeypatch: pytest.MonkeyPatch, record: ExperimentRecord, crossing: Any, status: Status, told: str
) -> None:
    monkeypatch.setattr("search.budgets.pair_crossover", lambda *_: crossed(*crossing))
    sentence = crossover_sentence(replace(record, status=status), "A", "B")
    assert fnmatchcase(sentence, told.replace("[", "[[]")), sentence
    assert "never falls" not in sentence


# Schedules, and what users write


def test_rates_are_drawn_against_the_update() -> None:
    given = {"one": np.array([0.1, 0.2, 0.0]), "two": np.array([1.0])}
    figure, table = rates(given), rates_table(given)
    for trace, (name, values) in zip(figure.data, given.items(), strict=True):
        np.testing.assert_array_equal(trace.y, values)
        assert list(trace.x) == list(range(1, len(values) + 1))
        assert table[table["Label"] == name]["Learning rate"].tolist() == values.tolist()
        assert table[table["Label"] == name]["Update"].tolist() == list(trace.x)
    assert [trace.mode for trace in figure.data] == ["lines", "markers"]
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


# Surfaces, as a part of a page


@pytest.mark.parametrize("name", ["saddle", "beale"])
@pytest.mark.parametrize("within", ["beside", "below"])
@pytest.mark.parametrize("dark", [True, False])
def test_a_surface_on_a_page_has_the_paths_of_the_whole_figure_in_the_pages_colours(
    name: str, within: Any, dark: bool
) -> None:
    surface, paths = surfaces.get(name), surfaces.trajectories(name, ["sgd", "adam"], 20)
    part, alone = surface_part(surface, paths, within, dark=dark), surface_figure(surface, paths)
    layout = part.layout
    assert layout.title.text is None
    assert layout.paper_bgcolor is layout.plot_bgcolor is layout.font.color is None
    assert layout.template.layout.to_plotly_json() == go.Figure().layout.template.layout.to_plotly_json()
    assert not [trace for trace in part.data if trace.marker.showscale]
    assert {trace.legend for trace in part.data if trace.showlegend is not False} == {"legend"}
    beside = layout.xaxis.domain[1] < layout.xaxis2.domain[0]
    assert beside == (within == "beside")
    assert beside or layout.yaxis.domain[0] > layout.yaxis2.domain[1]
    assert [frame.name for frame in part.frames] == [frame.name for frame in alone.frames]
    for frame, other in zip(part.frames, alone.frames, strict=True):
        for place, moved, same in zip(frame.traces, frame.data, other.data, strict=True):
            np.testing.assert_array_equal(moved.x, same.x)
            assert part.data[place].legendgroup == alone.data[place + 1].legendgroup
    ink = {trace.marker.color for trace in part.data if trace.name in ("start", "minimum")}
    assert ink == {"white" if dark else "black"}
    assert goal(surface)
