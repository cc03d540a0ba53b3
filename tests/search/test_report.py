"""The report: one page without external resources that shows the record, in every state and with any name."""

import json
import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from report_pages import ARMS, HOSTILE, STATES, read, told

from cooldown.search.evidence.numbers import Form, formatted
from cooldown.search.experiments.result import Result
from cooldown.search.report import report
from cooldown.search.report.commands import reproduction
from cooldown.search.report.embedding import Figures
from cooldown.search.report.trials import thinned
from cooldown.storage import ExperimentRecord, Status

SECTIONS = {
    "Answer",
    "Alarms",
    "Pairs",
    "Test scores",
    "Best configs",
    "Learning curves",
    "Search",
    "Sensitivity",
    "Budget",
    "Credit",
    "Cost",
    "Time to target",
    "Protocol",
    "All winners",
    "Reproduction",
}
LIMIT = 6_000_000
"""Bytes of a page."""


@pytest.fixture(scope="module")
def record(small_record: ExperimentRecord) -> ExperimentRecord:
    return small_record


@pytest.fixture(scope="module")
def text(record: ExperimentRecord) -> str:
    return report(record)


# What it says


def test_every_section_is_there_with_the_sentence_and_its_numbers(record: ExperimentRecord, text: str) -> None:
    page, result = read(text), Result(record)
    titles = [title for level, title in page.headings if level == 2]
    assert set(titles) >= SECTIONS
    assert titles[:5] == ["Answer", "Alarms", "Pairs", "Test scores", "Best configs"]
    assert result.answer.sentence in told(page)
    for verdict in result.verdicts:
        assert formatted(verdict.ratio, Form.RATIO) in told(page)
    for alarm in result.alarms:
        assert alarm.message in told(page)
    for each in (
        record.task_fingerprint,
        result.to_json()["fingerprint"],
        str(record.environment["packages"]["numpy"]),
    ):
        assert each in told(page)
    for arm in ARMS:
        assert json.dumps(result.best(arm).to_json(), indent=2) in page.text
    assert "cooldown compare spec.toml --name 'small one'" in told(page)


def test_the_page_is_well_made(text: str) -> None:
    page = read(text)
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">')
    levels = [level for level, _ in page.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(page.ids) == len(set(page.ids))
    links = [given["href"] for tag, given in page.elements if tag == "a"]
    assert links
    assert {link.removeprefix("#") for link in links} <= set(page.ids)
    assert all(given.get("scope") in ("row", "col") for tag, given in page.elements if tag == "th")
    plots = [given for _, given in page.elements if given.get("class") == "plot"]
    assert len(plots) > 20
    assert all(given["role"] == "group" and given["aria-label"] for given in plots)
    # Those of the first page, of the pairs and of the credit split are in the tables beside them.
    assert text.count('class="numbers"') == len(plots) - 3


def test_nothing_is_asked_of_another_machine(text: str) -> None:
    for tag, given in read(text).elements:
        assert tag not in ("link", "iframe", "img", "object", "embed", "base", "audio", "video")
        assert not {"src", "srcset", "action", "data", "background"} & set(given)
        assert given.get("href", "#").startswith("#")
    own = re.sub(r"<script>.*?</script>", "", text, count=1, flags=re.S)
    assert "url(" not in own
    assert "@import" not in own
    assert not re.search(r"https?://", own)
    assert "default-src 'none'" in own


def test_the_same_record_gives_the_same_page(record: ExperimentRecord, text: str) -> None:
    assert report(record) == text
    assert report(Result(record)) == text


@pytest.mark.parametrize("state", STATES)
def test_no_state_breaks_it(record: ExperimentRecord, state: str) -> None:
    made = STATES[state](record)
    text = report(made)
    page, words = read(text), told(read(text))
    titles = {title for level, title in page.headings if level == 2}
    # One arm is compared with none.
    compared = set() if state == "one arm" else {"Pairs"}
    assert (SECTIONS - {"Alarms", "Pairs"}) | compared <= titles
    assert ("Pairs" in titles) == bool(compared)
    assert "nan" not in re.findall(r"\w+", words.lower())
    assert "None" not in words
    if made.status is Status.DONE:
        assert 'class="status' not in text
    else:
        assert text.index('class="status') < text.index('id="answer"')
        assert made.status.value in words
        resumed = "cooldown report 'small one'" if made.status is Status.RUNNING else "cooldown resume 'small one'"
        assert resumed in words
    assert made.message in words
    if state == "empty":
        assert words.count("There are no trials yet.") >= 4
        assert "write this report again later" in words
    if state == "one arm":
        assert "Best found on iris: " in words


@pytest.mark.parametrize("name", HOSTILE)
def test_what_users_write_is_shown_as_it_is(record: ExperimentRecord, name: str) -> None:
    made = replace(
        record,
        name=name,
        message=name,
        status=Status.FAILED,
        spec={**record.spec, "task": name, "target": name},
        environment={"packages": {name: name}, "system": name},
    )
    text = report(made)
    page = read(text)
    assert page.headings[0] == [1, name]
    assert " ".join(name.split()) in told(page)
    assert [tag for tag, _ in page.elements].count("script") == 3
    assert "b" not in [tag for tag, _ in page.elements]
    assert "49" not in text.split("<h1>")[1].split("</h1>")[0]
    # A task with such a name is an object that only its owner has.
    assert "The task is a Python object" in told(page)
    compile(reproduction(made).python, "reproduction", "exec")


# Its size


def large(record: ExperimentRecord, trials: int) -> ExperimentRecord:
    """5 arms × 5 repeats × so many trials of 30 epochs, none like another."""
    random = np.random.default_rng(0)
    arms = [*ARMS, "again=adam"]
    studies = []
    for arm in arms:
        (first, *_) = [study for study in record.studies if study.arm == arm.removeprefix("again=")]
        for repeat in range(5):
            made = []
            for number in range(trials):
                trial = first.trials[number % len(first.trials)]
                # Between two that were tried, and so within the range.
                shaken = {
                    key: value + random.uniform() * (first.trials[0].parameters[key] - value)
                    if isinstance(value, float)
                    else value
                    for key, value in trial.parameters.items()
                }
                curves = {
                    purpose: tuple(replace(c, held_out_loss=c.held_out_loss * random.uniform(0.5, 2)) for c in own)
                    for purpose, own in trial.curves.items()
                    if number < len(first.trials) or purpose.value == "search"
                }
                made.append(
                    replace(
                        trial,
                        number=number,
                        generation=number // 4,
                        parameters=shaken,
                        validation_loss=trial.validation_loss * random.uniform(0.5, 2),
                        curves=curves,
                    )
                )
            studies.append(replace(first, arm=arm, repeat=repeat, trials=tuple(made)))
    spec = {**record.spec, "arms": arms, "repeats": 5, "trials": trials}
    return replace(record, spec=spec, studies=tuple(studies), default_configs=())


def test_a_large_experiment_stays_small(record: ExperimentRecord) -> None:
    text = report(large(record, 200))
    assert len(text.encode()) < LIMIT
    assert "trials are drawn, to keep" not in text
    assert "cooldown trials NAME --csv" in text


def test_a_huge_one_leaves_trials_out_and_says_so(record: ExperimentRecord) -> None:
    made = large(record, 20)
    studies = made.of("adam")
    kept = thinned(studies, 30)
    assert 20 < sum(len(study.trials) for study in kept) < 80
    for study, own in zip(studies, kept, strict=True):
        assert study.winner is not None
        assert own.winner is not None
        assert own.winner.number == study.winner.number
        assert own.best(1)[0].number == study.best(1)[0].number
    assert thinned(studies, 100) == studies


def test_trials_that_are_left_out_are_told(record: ExperimentRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cooldown.search.report.trials.MOST_POINTS", 60)
    monkeypatch.setattr("cooldown.search.report.trials.MOST_SLICES", 2)
    words = told(read(report(large(record, 20))))
    assert re.search(r"\d+ of 100 trials are drawn", words)
    assert "most important hyperparameters are drawn" in words


def unpacked(value: Any, arrays: list[Any]) -> Any:
    """What the page's script does."""
    if isinstance(value, list):
        return [unpacked(each, arrays) for each in value]
    if not isinstance(value, dict):
        return value
    if "$a" in value:
        return arrays[value["$a"]]
    if "$c" in value:
        return [list(row) for row in zip(*(unpacked(each, arrays) for each in value["$c"]), strict=True)]
    if "$r" in value:
        pairs = zip(value["$r"][::2], value["$r"][1::2], strict=True)
        return [each for each, count in pairs for _ in range(count)]
    return {name: unpacked(each, arrays) for name, each in value.items()}


def test_packed_figures_hold_what_the_figures_do() -> None:
    from base64 import b64decode

    x, y = np.arange(40), np.linspace(0.1, 1e5, 40)
    y[3] = np.nan
    rows = np.stack([np.full(40, 2.0), x, y], axis=-1)
    symbols = np.array(["circle"] * 39 + ["star"])
    figure = go.Figure(
        [
            go.Scatter(x=x, y=y, customdata=rows, marker={"symbol": symbols}),
            go.Scatter(x=y * 1e300, y=y, name="</script>"),
        ],
        layout={"height": 300, "xaxis": {"range": [0, 1 / 3]}},
    )
    packed = Figures()
    assert packed.add(figure) == 0
    assert "<" not in packed.json()
    given = json.loads(packed.json())
    arrays = [np.frombuffer(b64decode(data), f"<{kind}").tolist() for kind, data in given["arrays"]]
    # The losses are there once: for both traces, and in what a point says of itself.
    assert len(arrays) == 3
    (first, second), layout = unpacked(given["figures"][0]["data"], arrays), given["figures"][0]["layout"]
    np.testing.assert_array_equal(first["x"], x)
    np.testing.assert_allclose(first["y"], y, rtol=1e-6)
    np.testing.assert_allclose(np.array(first["customdata"]), rows, rtol=1e-6)
    assert first["marker"]["symbol"] == symbols.tolist()
    np.testing.assert_allclose(second["x"], y * 1e300)
    assert second["name"] == "</script>"
    assert layout == {"height": 300, "xaxis": {"range": [0, 0.3333333]}}
