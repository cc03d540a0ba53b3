"""The answer: its word, its sentence and its next step, for every way a question can end."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from search_runs import run_in_threads, spec
from verdict_examples import made_verdict

from cooldown.objectives.errors import InputError
from cooldown.search.cli import terminal
from cooldown.search.evidence.answer import Answer, answer, question_word
from cooldown.search.evidence.document import document
from cooldown.search.evidence.numbers import likelihood, percent
from cooldown.search.evidence.prices import START_SECONDS, price_of_repeats
from cooldown.search.evidence.summary import arm_summaries
from cooldown.search.evidence.verdict import compared_pair
from cooldown.search.evidence.view import View
from cooldown.search.evidence.wording import lead
from cooldown.search.experiments.result import Result
from cooldown.search.report import report
from cooldown.search.spec.experiment import read_spec
from cooldown.storage import ExperimentRecord, Purpose, Status

A, B = "momentum+cosine", "adam"
RANGES = {
    # So wide that no winner is at an edge.
    **dict.fromkeys(("momentum.learning_rate", "adam.learning_rate"), (1e-12, 1e6)),
    **{"momentum.momentum": 0.9, "adam.beta1": 0.9, "adam.beta2": 0.999},
    **{"cosine.warmup_steps": 0, "cosine.floor": 0, "constant.warmup_steps": 0},
}


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> ExperimentRecord:
    url = f"sqlite:///{tmp_path_factory.mktemp('answers')}/cooldown.db"
    return run_in_threads(url, spec(arms=(A, B), repeats=5, epochs=1, ranges=RANGES), name="mine")


def planted(record: ExperimentRecord, a: Any, b: Any, status: Status = Status.DONE) -> ExperimentRecord:
    """The record with these test losses (repeats,) of both arms, and neither edges nor default configs."""
    studies = []
    for study in record.studies:
        loss = dict(zip((A, B), (a, b), strict=True))[study.arm][study.repeat]
        trials = []
        for trial in study.trials:
            curves = {
                purpose: tuple(
                    replace(curve, held_out_loss=np.full_like(curve.held_out_loss, loss), uninformed_loss=99.0)
                    if purpose is Purpose.EVALUATION
                    else curve
                    for curve in of_purpose
                )
                for purpose, of_purpose in trial.curves.items()
            }
            trials.append(replace(trial, curves=curves))
        studies.append(replace(study, trials=tuple(trials)))
    return replace(record, studies=tuple(studies), default_configs=(), status=status)


def answered(record: ExperimentRecord, a: Any, b: Any, **changes: Any) -> Answer:
    return answer(View(planted(record, a, b, **changes)))


ONES = [1.0, 1.01, 0.99, 1.0, 1.0]


@pytest.mark.parametrize(
    ("a", "b", "word", "sentence"),
    [
        (
            [0.5, 0.51, 0.49, 0.5, 0.5],
            [1.0] * 5,
            "yes",
            "Yes: on iris, tuned momentum+cosine beats tuned adam: 50 % lower loss [49 %, 51 %], ahead in 5 of 5 "
            "repeats, P(better) > 99.9 %.",
        ),
        (
            [2.0, 2.1, 1.9, 2.0, 2.0],
            [1.0] * 5,
            "no",
            "No: on iris, tuned adam beats tuned momentum+cosine: 50 % lower loss [48 %, 52 %], ahead in 5 of 5 "
            "repeats, P(better) > 99.9 %.",
        ),
        (
            [0.95, 0.96, 0.94, 0.95, 0.95],
            [1.0] * 5,
            "yes",
            "Yes: on iris, tuned momentum+cosine beats tuned adam, by an amount that hardly matters: 5 % lower loss "
            "[4 %, 6 %], ahead in 5 of 5 repeats, P(better) > 99.9 %.",
        ),
        (
            ONES,
            [1.01, 1.0, 1.0, 0.99, 1.0],
            "no difference that matters",
            "No difference that matters: on iris, tuned momentum+cosine and tuned adam are equal within 10 %.",
        ),
        (
            [1.0, 1.2, 1.1, 1.25, 0.98],
            [1.0] * 5,
            "no",
            "No: on iris, tuned momentum+cosine does not beat tuned adam by 10 %: at most 4 % lower loss.",
        ),
        (
            [1.0, 2.0, 0.5, 1.1, 0.4],
            [1.0] * 5,
            "open",
            "Open: on iris, tuned momentum+cosine leads tuned adam: 15 % lower loss [90 % higher, 62 % lower], ahead "
            "in 2 of 5 repeats, P(better) 70 %.",
        ),
    ],
)
def test_every_word_has_its_sentence(record: ExperimentRecord, a: Any, b: Any, word: str, sentence: str) -> None:
    found = answered(record, a, b)
    assert (found.word, found.sentence) == (word, sentence)
    assert found.question == "Does tuned momentum+cosine beat tuned adam on iris?"
    assert str(found) == sentence
    assert (found.next is None) == (word != "open")


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"verdict": "a_better"}, "yes"),
        ({"verdict": "a_better", "equal": True}, "yes"),
        ({"verdict": "b_better", "equal": True}, "no"),
        ({"verdict": "tie"}, "no difference that matters"),
        ({"low": 0.81, "high": 3.0}, "no"),
        ({"low": 0.79, "high": 3.0}, "open"),
        ({"low": 0.81, "high": 3.0, "withheld": True}, "open"),
        ({"low": None, "high": None}, "open"),
    ],
)
def test_the_words_by_hand(changes: dict[str, Any], word: str) -> None:
    verdict = replace(made_verdict(A, B, "undecided"), **changes)
    assert question_word(replace(verdict, equal=changes.get("equal", verdict.verdict == "tie"))) == word


def test_a_lead_is_said_in_favour_of_the_arm_that_leads() -> None:
    one = lead(made_verdict(A, B, "a_better", ratio=0.8, low=0.5, high=1.25, probability_a_better=0.9))
    other = lead(made_verdict(B, A, "b_better", ratio=1.25, low=0.8, high=2.0, probability_a_better=0.1))
    assert one is not None
    assert other is not None
    assert (one.leader, one.other, one.amount) == (other.leader, other.other, other.amount) == (A, B, "20 % lower loss")
    assert one.interval == other.interval == "[25 % higher, 50 % lower]"
    for ratio, said in ((5.0, "400 % higher"), (40.0, "40 times as high"), (1e9, "over a million times as high")):
        assert replace(one, low=1 - ratio).interval == f"[{said}, 50 % lower]"
    assert one.sureness == other.sureness == "P(better) 90 %"
    assert (one.wins, other.wins) == (4, 1)
    apart = lead(made_verdict(A, B, "b_better", scale="difference", ratio=None, difference=0.5, low=0.25, high=0.75))
    assert apart is not None
    assert (apart.leader, apart.amount, apart.interval) == (B, "0.5000 lower loss", "[0.2500, 0.7500]")
    assert lead(made_verdict(A, B, "undecided", low=None)) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.08, "8 %"), (0.0949, "9 %"), (0.003, "0.3 %"), (0.0096, "1 %"), (0.0, "0 %"), (-0.2, "−20 %")],
)
def test_percentages_are_whole_unless_the_decimals_mean_something(value: float, text: str) -> None:
    assert percent(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.934, "93 %"), (0.9942, "99.4 %"), (0.9999, "> 99.9 %"), (0.5, "50 %")])
def test_probabilities_are_said_as_precisely_as_they_matter(value: float, text: str) -> None:
    assert likelihood(value) == text


def test_an_open_question_has_one_next_step_with_its_price(record: ExperimentRecord) -> None:
    view = View(planted(record, [1.0, 1.5, 0.7, 0.9, 0.8], [1.0] * 5))
    found, needed = answer(view), document(view)["verdicts"][0]["repeats_to_decide"]
    assert found.next is not None
    assert found.next.command == f"cooldown resume mine --until-decided --max-repeats {needed} --db {record.db}"
    assert found.next.seconds == price_of_repeats(view, needed)
    assert found.next.seconds is not None
    training = sum(arm.seconds - arm.superseded_seconds for arm in arm_summaries(view))
    training += sum(each.seconds for of_repeat in record.references.values() for each in of_repeat)
    cores = record.environment["cores"]
    expected = START_SECONDS + training / 5 * (needed - 5) / min(cores, 2 * (needed - 5))
    assert found.next.seconds == pytest.approx(expected, abs=0.051)


def test_too_few_repeats_ask_for_five(record: ExperimentRecord) -> None:
    few = replace(record, studies=tuple(study for study in record.studies if study.repeat < 1))
    found = answered(few, ONES, ONES)
    assert found.word == "open"
    assert found.sentence == "Open: on iris, there is no verdict on tuned momentum+cosine vs tuned adam yet."
    assert found.why == "An interval needs at least 2 repeats of both arms."
    assert found.next is not None
    assert found.next.command == f"cooldown resume mine --repeats 5 --db {record.db}"


def test_a_task_of_a_python_program_has_no_command_that_resumes_it(record: ExperimentRecord) -> None:
    """Nor has an alarm about it."""
    of_program = replace(record, spec=record.spec | {"task": "mine"})
    losses = [1.0, 1.5, 0.7, 0.9, 0.8], [1.0] * 5
    needed = document(View(planted(record, *losses)))["verdicts"][0]["repeats_to_decide"]
    step = answered(of_program, *losses).next
    assert step is not None
    arguments = f"until_decided=True, max_repeats={needed}"
    assert step.purpose == f"To settle it, start a new experiment from Python with {arguments}"
    assert (step.command, step.seconds) == ("", None)
    unfinished = answered(of_program, *losses, status=Status.INTERRUPTED).next
    assert unfinished is not None
    assert unfinished.purpose == "To finish it, start the Python program that began it again"


def test_an_unfinished_experiment_is_to_be_finished_first(record: ExperimentRecord) -> None:
    losses = [1.0, 1.5, 0.7, 0.9, 0.8], [1.0] * 5
    found = answered(record, *losses, status=Status.INTERRUPTED)
    assert found.next is not None
    assert (found.next.purpose, found.next.command) == ("To finish it", f"cooldown resume mine --db {record.db}")
    assert answered(record, *losses, status=Status.RUNNING).next is None


def test_a_withheld_verdict_is_open_and_leads_to_its_alarm(record: ExperimentRecord) -> None:
    """Ranges of which only a sliver was tried at the bottom: all values are at an edge."""
    made = planted(record, [0.5, 0.51, 0.49, 0.5, 0.5], [1.0] * 5)
    narrow = {**made.spec, "ranges": {**made.spec["ranges"], "momentum.learning_rate": [1e5, 1e6]}}
    found = answer(View(replace(made, spec=narrow)))
    assert found.word == "open"
    assert found.why.startswith("No verdict: boundary: the best values of momentum+cosine are at the edge of a range")
    assert found.next is not None
    assert found.next.command == f"cooldown resume mine --extend --db {record.db}"
    assert found.next.seconds is not None


def test_the_question_is_the_one_that_was_asked(record: ExperimentRecord) -> None:
    made = planted(record, [2.0, 2.1, 1.9, 2.0, 2.0], [1.0] * 5)
    asked = View(replace(made, spec={**made.spec, "primary": [B, A], "margin": 0.5}))
    assert compared_pair(asked) == (B, A)
    assert answer(asked).question == "Does tuned adam beat tuned momentum+cosine on iris?"
    assert answer(asked).word == "yes"
    assert document(asked)["verdicts"][0]["margin"] == 0.5


def test_the_document_has_the_contracts_keys(record: ExperimentRecord) -> None:
    shown = document(View(planted(record, [1.0, 1.5, 0.7, 0.9, 0.8], [1.0] * 5)))
    assert set(shown["answer"]) == {"question", "word", "sentence", "next"}
    assert set(shown["answer"]["next"]) == {"command", "seconds"}
    assert shown["protocol"] == 2
    (verdict,) = shown["verdicts"]
    assert set(verdict) >= {
        *("a", "b", "verdict", "ratio", "low", "high", "difference", "probability_a_better", "wins", "repeats"),
        *("repeats_to_decide", "primary", "why"),
    }


def test_every_place_says_the_same(record: ExperimentRecord) -> None:
    made = planted(record, [1.0, 1.5, 0.7, 0.9, 0.8], [1.0] * 5)
    found = answer(View(made))
    assert found.next is not None
    console = Console(width=200, markup=False, highlight=False)
    with console.capture() as captured:
        terminal.answer(console, Result(made))
    # A number stays with its percent sign.
    page = report(made).replace("\N{NO-BREAK SPACE}", " ")
    for text in (found.sentence, found.why, found.next.command):
        assert text in captured.get()
        assert text.replace("'", "&#39;") in page


@pytest.mark.parametrize(
    ("primary", "message"),
    [
        (["adam"], r"primary: should be two arms, such as \['momentum\+cosine', 'adam'\], got \['adam'\]"),
        (["adam", "adm"], "primary: unknown arm of this experiment 'adm'; did you mean 'adam'"),
        (["adam", "adam+constant"], "primary: should be two different arms, got 'adam' twice"),
    ],
)
def test_a_question_about_other_arms_is_refused(primary: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_spec(task="iris", arms=["adam", "momentum+cosine"], primary=primary)


@pytest.mark.parametrize("margin", [0, 1, -0.1, float("nan")])
def test_a_margin_is_a_fraction(margin: float) -> None:
    with pytest.raises(InputError, match="margin: should be"):
        read_spec(task="iris", margin=margin)


def test_a_spec_holds_question_and_margin_only_where_they_are_set() -> None:
    plain = read_spec(task="iris").to_json()
    assert not {"primary", "margin"} & set(plain)
    assert read_spec(task="iris", margin=0.1).to_json() == plain
    given = read_spec(task="iris", primary=["adam+constant", "momentum"], margin=0.2)
    assert given.primary == ("adam", "momentum")
    assert read_spec(**given.to_json()) == given
