"""The expected best after k trials, the crossover, and the difference repeat by repeat."""

import math
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pytest
from charts import INF, NAN, check, named

from cooldown.search.evidence.budgets import PairedComparison, crossover_sentence, pair_comparison
from cooldown.search.evidence.view import View
from cooldown.search.figures.budget import budget, budget_comparison, budget_comparison_table, budget_table
from cooldown.search.statistics.budget import BudgetCurve, Crossover
from cooldown.storage import ExperimentRecord, Status


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
        # The band ends with the axis, which holds all of the curves.
        bottom, top = (10**end if log else end for end in figure.layout.yaxis.range)
        np.testing.assert_allclose(filled.y[:n], np.minimum(curve.high[known], top))
        np.testing.assert_allclose(filled.y[n:][::-1], np.maximum(curve.low[known], bottom))
        assert (line.y[known] > bottom).all()
        assert (line.y[known] < top).all()
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
        # Its interval reaches from the first trial to never.
        budget(BUDGETS, crossed(3, 1, None), pair),
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
    table = budget_table(BUDGETS).frame()
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


def test_the_paired_ratio_is_that_of_each_repeat(record: ExperimentRecord) -> None:
    pair = ("momentum+cosine", "adam")
    found = pair_comparison(View(record), *pair)
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
    each = np.log(best[pair[0]] / best[pair[1]])
    assert found.scale == "ratio"
    np.testing.assert_allclose(found.value, np.exp(each.mean(axis=0)))
    half = 12.706204736 * each.std(axis=0, ddof=1) / math.sqrt(2)
    np.testing.assert_allclose(np.log(found.high / found.value), half, rtol=1e-6)
    np.testing.assert_allclose(np.log(found.value / found.low), half, rtol=1e-6)
    assert found.repeats == 2
    other = pair_comparison(View(record), *reversed(pair))
    assert other is not None
    np.testing.assert_allclose(other.value, 1 / found.value)
    one = replace(record, studies=tuple(study for study in record.studies if study.repeat == 0))
    alone = pair_comparison(View(one), *pair)
    assert alone is not None
    assert np.isnan(alone.low).all()
    assert pair_comparison(View(replace(record, studies=())), *pair) is None
    for drawn in (found, alone):
        check(budget_comparison(drawn, pair))
        assert len(budget_comparison_table(drawn).frame()) == len(found.trials)


def test_the_difference_is_drawn_with_its_band() -> None:
    found = PairedComparison(
        "difference", np.arange(1, 4), np.array([NAN, 1.0, -1.0]), np.array([NAN, 0, -2]), np.array([NAN, 2, 0]), 5
    )
    filled, line = budget_comparison(found, ("adam", "sgd"), log_x=True).data
    np.testing.assert_array_equal(line.y, found.value)
    assert list(filled.y) == [2, 0, -2, 0]
    assert line.text[2] == "difference −1.0000 after 3 trials<br>95 % interval [−2.0000, 0.0000]"
    notes = [note.text for note in budget_comparison(found, ("adam", "sgd")).layout.annotations]
    assert notes == ["sgd ahead ↑", "adam ahead ↓"]
    assert budget_comparison(found, ("adam", "sgd")).layout.shapes[0].y0 == 0
    ratio = budget_comparison(replace(found, scale="ratio", value=np.array([NAN, 2.0, 0.5])), ("adam", "sgd")).layout
    assert (ratio.yaxis.type, ratio.shapes[0].y0) == ("log", 1)


@pytest.mark.parametrize(
    ("crossing", "status", "told"),
    [
        (
            (3, 2, 4),
            Status.DONE,
            "* A has the lower expected best validation loss from trial 3 on (95 % interval: trial 2 to 4).",
        ),
        (
            (3, 2, None),
            Status.DONE,
            "* from trial 3 on by the means, but not with confidence (95 % interval: from trial 2 to never).",
        ),
        (
            (None, 2, None),
            Status.DONE,
            "* it is open whether A ever has * not before trial 2; its mean was lower *",
        ),
        ((None, 2, None), Status.RUNNING, "In the trials so far, it is open whether *"),
        (
            (None, None, None),
            Status.RUNNING,
            "A has the lower * only for the first 4 trials; after that, B has, to the end of the trials so far.",
        ),
        ((None, 1, None), Status.RUNNING, "In the trials so far, neither A nor B has a clearly lower *"),
    ],
)
def test_a_crossover_is_never_said_to_be_what_its_interval_denies(
    monkeypatch: pytest.MonkeyPatch, record: ExperimentRecord, crossing: Any, status: Status, told: str
) -> None:
    monkeypatch.setattr("cooldown.search.evidence.budgets.pair_crossover", lambda *_: crossed(*crossing))
    monkeypatch.setattr("cooldown.search.evidence.budgets.trial_cost_sentence", lambda *_: "")
    sentence = crossover_sentence(View(replace(record, status=status)), "A", "B")
    assert fnmatchcase(sentence, told.replace("[", "[[]")), sentence
    assert "never falls" not in sentence
