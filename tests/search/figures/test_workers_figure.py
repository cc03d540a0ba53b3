"""The timeline of workers: each job is one bar, of its worker, at its time."""

from dataclasses import replace
from typing import Any

import pytest
from charts import check

from cooldown.search.evidence.view import View
from cooldown.search.evidence.work import REFERENCES, DoneJob, busy, done_jobs, pauses, work_table
from cooldown.search.figures.workers import FADED, workers
from cooldown.storage import ExperimentRecord, Purpose, Work, WorkRecord


def bars(figure: Any) -> list[tuple[float, float, int]]:
    """Beginning, end and row of each."""
    return [
        (begin, begin + width, row)
        for trace in figure.data
        for begin, width, row in zip(trace.base, trace.x, trace.y, strict=True)
    ]


def planted(record: ExperimentRecord, *work: tuple[int | None, Purpose, int | None, Work]) -> View:
    repeats = {study.id: study.repeat for study in record.studies}
    found = (WorkRecord(study, repeats.get(study or 0, 0), purpose, at, each) for study, purpose, at, each in work)
    return View(replace(record, work=tuple(found)))


def test_every_replicate_was_trained_in_a_job_that_is_told(record: ExperimentRecord) -> None:
    view = View(record)
    jobs = done_jobs(view)
    told = {(job.arm, *trial) for job in jobs for trial in job.trials}
    assert told == {(study.arm, study.repeat, trial.number) for study in record.studies for trial in study.trials}
    of_arms = [job for job in jobs if job.arm != REFERENCES]
    # A search trains its trials four at a time, then its finalists and its winner; a default config needs two steps.
    steps = [len({trial.generation for trial in study.trials}) + 2 for study in record.studies]
    assert len(of_arms) == sum(steps) + 2 * len(record.default_configs)
    figure = workers(view)
    check(figure)
    assert len(bars(figure)) == len(jobs) == len(work_table(view))


def test_bars_lie_where_their_jobs_were_and_what_is_not_chosen_is_faded(record: ExperimentRecord) -> None:
    first, second = record.studies[0], record.studies[-1]
    assert first.arm != second.arm
    view = planted(
        record,
        (first.id, Purpose.SEARCH, 0, Work("b:2", 1000.0, 1020.0)),
        (second.id, Purpose.SEARCH, 1, Work("a:1", 1010.0, 1015.0)),
        (first.id, Purpose.FINALIST, None, Work("b:2", 1030.0, 1040.0)),
        (None, Purpose.EVALUATION, None, Work("a:1", 1015.0, 1016.0)),
    )
    assert busy(done_jobs(view)) == {"b:2": pytest.approx(0.75), "a:1": pytest.approx(0.15)}
    assert [job.what for job in done_jobs(view)] == ["trials 0 to 3", "trials 4 to 7", REFERENCES, "finalists"]
    figure = workers(view, lambda job: (first.repeat, 0) in job.trials and job.arm == first.arm)
    assert sorted(bars(figure)) == [(0.0, 20.0, 0), (10.0, 15.0, 1), (15.0, 16.0, 1), (30.0, 40.0, 0)]
    assert {trace.opacity: len(trace.x) for trace in figure.data if trace.name == first.arm}[1.0] >= 1
    assert sum(len(trace.x) for trace in figure.data if trace.opacity == FADED) >= 2
    assert len([trace for trace in figure.data if trace.showlegend]) == len({trace.name for trace in figure.data}) == 3


def test_long_runs_are_told_in_larger_units(record: ExperimentRecord) -> None:
    study = record.studies[0].id
    for seconds, title, end in ((90.0, "seconds", 90.0), (3600.0, "minutes", 60.0), (86400.0, "hours", 24.0)):
        figure = workers(planted(record, (study, Purpose.SEARCH, 0, Work("a:1", 5.0, 5.0 + seconds))))
        assert title in figure.layout.xaxis.title.text
        assert bars(figure) == [(0.0, end, 0)]


def test_arms_of_one_colour_have_different_patterns(record: ExperimentRecord) -> None:
    looks = [
        (trace.marker.color, trace.marker.pattern.shape) for trace in workers(View(record)).data if trace.showlegend
    ]
    assert len(set(looks)) == len(looks)


def test_without_workers_there_is_no_figure(record: ExperimentRecord) -> None:
    assert workers(planted(record)) is None


def test_a_default_config_shares_no_trial_with_a_search(record: ExperimentRecord) -> None:
    default = record.default_configs[0]
    view = planted(record, (default.id, Purpose.SEARCH, 0, Work("a:1", 0.0, 1.0)))
    assert done_jobs(view) == (DoneJob("a:1", default.arm, 0, "default config, search", frozenset(), 0.0, 1.0),)


def test_a_long_pause_is_cut_out_and_told(record: ExperimentRecord) -> None:
    first, second = record.studies[0].id, record.studies[-1].id
    view = planted(
        record,
        (first, Purpose.SEARCH, 0, Work("a:1", 0.0, 20.0)),
        (second, Purpose.SEARCH, 1, Work("b:2", 5.0, 30.0)),
        (first, Purpose.FINALIST, None, Work("a:1", 7530.0, 7560.0)),
        (second, Purpose.FINALIST, None, Work("b:2", 7570.0, 7575.0)),
    )
    jobs = done_jobs(view)
    assert [(pause.begin, pause.end) for pause in pauses(jobs)] == [(30.0, 7530.0)]
    assert busy(jobs) == {"a:1": pytest.approx(50 / 75), "b:2": pytest.approx(30 / 75)}
    figure = workers(view)
    assert sorted(bars(figure)) == [(0.0, 20.0, 0), (5.0, 30.0, 1), (30.0, 60.0, 0), (70.0, 75.0, 1)]
    assert [(shape.x0, shape.line.dash) for shape in figure.layout.shapes] == [(30.0, "dot")]
    assert [(note.x, note.text) for note in figure.layout.annotations] == [(30.0, "2 h 5 min")]
    assert "without pauses" in figure.layout.xaxis.title.text
    # The table has the times as they were.
    assert work_table(view).values("Begins") == [0.0, 5.0, 7530.0, 7570.0]
