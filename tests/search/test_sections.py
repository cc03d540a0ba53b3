"""The evidence behind an answer: budgets, costs, targets and pairs, from a record whose numbers are known."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from search_runs import run_in_threads, spec

from cooldown.objectives.records import Curve
from cooldown.search.cli.options import SECTIONS
from cooldown.search.cli.terminal import blocks
from cooldown.search.evidence.budgets import budget_curves, crossover_sentence, pair_crossover
from cooldown.search.evidence.document import document
from cooldown.search.evidence.sections import MADE
from cooldown.search.evidence.target import target_ratio_of, times_to_target
from cooldown.search.evidence.view import View
from cooldown.storage import ExperimentRecord, Purpose

A, B = "momentum+sgdr", "adam"


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> ExperimentRecord:
    return run_in_threads(f"sqlite:///{tmp_path_factory.mktemp('sections')}/cooldown.db", spec(epochs=3))


def with_losses(record: ExperimentRecord, losses: dict[str, list[list[float]]]) -> ExperimentRecord:
    """The record with these validation losses of its trials, by arm, repeat and trial."""
    studies = tuple(
        replace(
            study,
            trials=tuple(
                replace(trial, validation_loss=loss)
                for trial, loss in zip(study.trials, losses[study.arm][study.repeat], strict=True)
            ),
        )
        for study in record.studies
    )
    return replace(record, studies=studies)


PLANTED = {A: [[9, 8, 1, 2], [9, 7, 1, 1]], B: [[5, 4, 6, 3], [5, 4.5, 2, 2]]}


def test_an_adaptive_searchs_curve_is_its_best_so_far(record: ExperimentRecord) -> None:
    curves = budget_curves(View(with_losses(record, PLANTED)))
    assert curves[A].expected.tolist() == [9, 7.5, 1, 1]
    assert curves[B].expected.tolist() == [5, 4.25, 3, 2.5]
    assert curves[A].trials.tolist() == [1, 2, 3, 4]


def test_an_independent_searchs_curve_is_the_mean_over_subsets(record: ExperimentRecord) -> None:
    random = with_losses(replace(record, spec={**record.spec, "sampler": "random"}), PLANTED)
    curve = budget_curves(View(random))[A]
    assert curve.expected[0] == pytest.approx((5 + 4.5) / 2)
    assert curve.expected[-1] == 1
    # Two of {1, 2, 8, 9}: 1 in 3 of 6 pairs, 2 in 2, 8 in 1; of {1, 1, 7, 9}: 1 in 5, 7 in 1.
    assert curve.expected[1] == pytest.approx(((3 * 1 + 2 * 2 + 8) / 6 + (5 * 1 + 7) / 6) / 2)


def test_the_cost_axis_is_the_ledgers(record: ExperimentRecord) -> None:
    for arm, curve in budget_curves(View(record)).items():
        studies = [study for study in record.studies if study.arm == arm]
        spent = [sum(c.gradient_evaluations for c in study.curves(Purpose.SEARCH)) for study in studies]
        assert curve.gradient_evaluations[-1] == pytest.approx(np.mean(spent))
        assert curve.seconds[-1] > 0


def test_the_crossover_is_where_the_first_arm_gets_and_stays_ahead(record: ExperimentRecord) -> None:
    planted = with_losses(record, PLANTED)
    crossed = pair_crossover(View(planted), A, B)
    assert crossed is not None
    assert (crossed.trials, crossed.repeats) == (3, 2)
    assert f"{A} has the lower expected best validation loss from trial 3 on" in crossover_sentence(View(planted), A, B)
    assert "neither adam nor momentum+sgdr has" in crossover_sentence(View(planted), B, A), (
        "its interval holds everything"
    )
    sure = with_losses(record, {A: [[9, 9, 1, 1]] * 2, B: [[5, 5, 3, 3]] * 2})
    assert f"only for the first 2 trials; after that, {A} has, to the end" in crossover_sentence(View(sure), B, A)
    never = with_losses(record, {A: [[9, 8, 7, 6]] * 2, B: [[5, 4, 3, 2]] * 2})
    assert "never has a lower expected best" in crossover_sentence(View(never), A, B)
    assert pair_crossover(View(replace(planted, studies=())), A, B) is None


def test_repeats_that_only_one_arm_has_are_left_out(record: ExperimentRecord) -> None:
    planted = with_losses(record, PLANTED)
    cut = replace(planted, studies=tuple(s for s in planted.studies if (s.arm, s.repeat) != (B, 1)))
    crossed = pair_crossover(View(cut), A, B)
    assert crossed is not None
    assert (crossed.repeats, crossed.earliest, crossed.latest) == (1, None, None)


def falling(record: ExperimentRecord, last: dict[tuple[str, int], float]) -> ExperimentRecord:
    """The record with finalists whose validation loss falls from 1 over 0.5 to a last value, by arm and repeat."""

    def planted(curve: Curve, end: float) -> Curve:
        return replace(curve, held_out_loss=np.array([1, 0.5, end]), uninformed_loss=2.0)

    studies = []
    for study in record.studies:
        end = last[study.arm, study.repeat]
        trials = [
            replace(
                trial,
                curves={
                    purpose: tuple(planted(c, end) if purpose is Purpose.FINALIST else c for c in curves)
                    for purpose, curves in trial.curves.items()
                },
            )
            for trial in study.trials
        ]
        studies.append(replace(study, trials=tuple(trials)))
    return replace(record, studies=tuple(studies))


def test_a_target_is_reached_after_whole_epochs_or_censored(record: ExperimentRecord) -> None:
    planted = falling(record, {(A, 0): 0.1, (A, 1): 0.4, (B, 0): 0.1, (B, 1): 0.1})
    rows = 90
    assert times_to_target(View(planted), 0.5)[A].median == 2 * rows
    late = times_to_target(View(planted), 0.2)
    assert (late[A].median, late[A].reached, late[A].repeats) == (None, 1, 2)
    assert (late[B].median, late[B].reached) == (3 * rows, 2)
    ratio = target_ratio_of(View(planted), A, B, 0.2)
    assert ratio is not None
    assert (ratio.ratio, ratio.bound, ratio.censored_a) == (pytest.approx(1), "at_least", 1)


@pytest.mark.parametrize("name", SECTIONS)
@pytest.mark.parametrize("width", [80, 120])
def test_a_section_fits_and_names_every_arm(record: ExperimentRecord, name: str, width: int) -> None:
    console = Console(width=width, markup=False, highlight=False)
    with console.capture() as captured:
        console.print(blocks(MADE[name](View(record))))
    printed = captured.get()
    assert all(len(line) <= width for line in printed.splitlines())
    assert A in printed
    assert B in printed
    assert "nan" not in printed


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_of_an_experiment_that_has_nothing_yet(record: ExperimentRecord, name: str) -> None:
    empty = replace(record, studies=tuple(replace(study, trials=()) for study in record.studies))
    console = Console(width=80)
    with console.capture() as captured:
        console.print(blocks(MADE[name](View(empty))))
    assert captured.get().strip()


def test_the_document_has_figure_ready_curves(record: ExperimentRecord) -> None:
    shown: dict[str, Any] = document(View(record))
    assert [curve["arm"] for curve in shown["budget"]["curves"]] == [A, B]
    for curve in shown["budget"]["curves"]:
        assert curve["trials"] == [1, 2, 3, 4]
        assert len(curve["expected"]) == len(curve["low"]) == len(curve["seconds"]) == 4
    assert set(shown["budget"]["crossover"]) == {"a", "b", "trials", "earliest", "latest", "repeats", "last"}
    for arm in shown["arms"]:
        parts = ("search", "evaluation", "default", "superseded")
        assert arm["gradient_evaluations"] == sum(arm[f"{part}_gradient_evaluations"] for part in parts)
        assert arm["seconds"] == pytest.approx(sum(arm[f"{part}_seconds"] for part in parts))
