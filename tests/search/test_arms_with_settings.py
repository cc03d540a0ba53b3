"""An experiment whose arms have settings of their own: what is trained, costs, is said, and is exported."""

import io
import json
import shlex
import tomllib
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from rich.console import Console
from search_runs import Threads, run_in_threads, spec

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import InputError
from cooldown.search.cli.listings import trials as trials_listing
from cooldown.search.cli.terminal import answer
from cooldown.search.evidence.alarms import contains
from cooldown.search.evidence.answer import answer as answer_of
from cooldown.search.evidence.budgets import crossover_sentence
from cooldown.search.evidence.credit import credit_split
from cooldown.search.evidence.document import document
from cooldown.search.evidence.learning import winners_curves
from cooldown.search.evidence.lengths import lengths_sentence
from cooldown.search.evidence.tables import arms_table, pairs_table
from cooldown.search.evidence.verdict import compared_pair, pair_verdicts
from cooldown.search.evidence.view import View
from cooldown.search.experiments import resume
from cooldown.search.experiments.result import Result
from cooldown.search.export import choose, export
from cooldown.search.figures import learning as learning_figures
from cooldown.search.report import report
from cooldown.search.report.commands import reproduction
from cooldown.search.spec.experiment import read_spec
from cooldown.search.tuning.dry_run import _shortened, estimate
from cooldown.search.tuning.progress import Progress
from cooldown.search.tuning.splits import Splits, task_of
from cooldown.search.tuning.studies import total_work
from cooldown.storage import ExperimentRecord
from cooldown.storage.fingerprint import arm_fingerprints

PLAIN, BN = "momentum+cosine", "bn=momentum+cosine[dropout=0:0.5, batch_norm=true]"
LONG = "long=momentum+cosine[batch_size=64, epochs=3]"
ARMS = (PLAIN, BN, LONG)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> ExperimentRecord:
    url = f"sqlite:///{tmp_path_factory.mktemp('settings')}/cooldown.db"
    return run_in_threads(url, spec(arms=ARMS, epochs=2, pruner="median", trials=6))


@pytest.fixture(scope="module")
def view(record: ExperimentRecord) -> View:
    return View(record)


def configs(record: ExperimentRecord, arm: str) -> list[TrainConfig]:
    studies = [study for study in (*record.studies, *record.default_configs) if study.arm == arm]
    return [trial.config for study in studies for trial in study.trials]


def test_every_run_of_an_arm_has_its_settings(record: ExperimentRecord) -> None:
    def found(arm: str) -> set[tuple[Any, ...]]:
        return {(each.batch_norm, each.batch_size, each.epochs) for each in configs(record, arm)}

    assert found(PLAIN) == {(False, 32, 2)}
    assert found(BN) == {(True, 32, 2)}
    assert found(LONG) == {(False, 64, 3)}
    assert len({each.dropout for each in configs(record, BN)}) > 2
    trained = [curve for study in record.studies if study.arm == LONG for curve in study.curves()]
    assert {len(curve.train_loss) for curve in trained} <= {1, 2, 3}
    assert 3 in {len(curve.train_loss) for curve in trained}


def test_an_arm_without_settings_is_what_it_is_alone(record: ExperimentRecord, url: str) -> None:
    alone = run_in_threads(url, spec(arms=(PLAIN,), epochs=2, pruner="median", trials=6))
    assert arm_fingerprints(alone.studies)[PLAIN] == arm_fingerprints(record.studies)[PLAIN]


def test_settings_of_an_arm_are_those_of_the_experiment_but_for_its_name(url: str) -> None:
    """The default config, which nothing random depends on the arm's name, is the same run."""
    own = run_in_threads(url, spec(arms=("adam[batch_size=16, dropout=0.2, epochs=2]",)), name="own")
    whole = run_in_threads(url, spec(arms=("adam",), batch_size=16, epochs=2, ranges={"strategy.dropout": 0.2}))
    first, second = (record.default_configs[0].trials[0] for record in (own, whole))
    assert first.config == second.config
    assert first.validation_loss == second.validation_loss


def test_the_estimate_counts_each_arms_own_epochs(url: str) -> None:
    made = spec(arms=(PLAIN, "adam[epochs=2]", "adam[epochs=4]"), ranges={"momentum.learning_rate": 0.01}, trials=2)
    shown = document(View(run_in_threads(url, made)))
    found = estimate(made, Splits(task_of(made), made), Threads(1))
    assert [arm.arm for arm in found.arms] == list(made.arms)
    for cost, arm in zip(found.arms, shown["arms"], strict=True):
        assert cost.total == arm["gradient_evaluations"]
    assert found.arms[2].total == 2 * found.arms[1].total == 4 * found.arms[0].total
    assert found.epochs == 4
    short = _shortened(made, 1)
    assert short.arms[0] == PLAIN
    assert [arm.epochs for arm in short.parsed_arms] == [None, 1, 1]


def test_progress_counts_longer_runs_for_more(record: ExperimentRecord) -> None:
    made = read_spec(**record.spec)
    studies = {study.arm: study for study in record.studies}
    assert total_work(studies[LONG], made) * 2 == total_work(studies[PLAIN], made) * 3
    assert Progress.of("tiny", made, record.studies).done
    equal = spec(arms=(PLAIN, BN))
    assert total_work(studies[PLAIN], equal) == total_work(studies[BN], equal) < total_work(studies[PLAIN], made)


def test_the_answer_says_that_budgets_differ(view: View) -> None:
    assert lengths_sentence(view) == (
        "long trains for 3 epochs, momentum+cosine and bn for 2: each arm is judged at the end of its own runs, not at "
        "equal gradient evaluations"
    )
    (alarm,) = [alarm for alarm in Result(view.record).alarms if alarm.kind == "unequal budgets"]
    assert alarm.message.startswith(lengths_sentence(view))
    assert alarm.resume is None
    pair = compared_pair(view)
    assert pair is not None
    assert ("not at equal gradient evaluations" in answer_of(view).sentence) == (LONG in pair)
    assert crossover_sentence(view, LONG, PLAIN).endswith(
        "A trial of long costs 1.5 times as many gradient evaluations as one of momentum+cosine."
    )
    assert "costs" not in crossover_sentence(view, BN, PLAIN)


def test_two_arms_of_one_optimizer_are_the_pair_and_equal_lengths_are_not_mentioned(url: str) -> None:
    view = View(run_in_threads(url, spec(arms=(PLAIN, BN))))
    assert set(compared_pair(view) or ()) == {PLAIN, BN}
    assert "tuned bn" in answer_of(view).sentence
    assert "[" not in answer_of(view).sentence.partition(":")[0]
    assert lengths_sentence(view) == ""
    assert "equal gradient evaluations" not in json.dumps(document(view))
    assert credit_split(view, (PLAIN, BN)) is None


def test_tables_show_labels_and_say_what_they_stand_for(view: View) -> None:
    table = arms_table(view)
    assert set(table.values("Arm")) == set(ARMS)
    assert (
        " bn: momentum+cosine[dropout=0:0.5, batch_norm=true]; long: momentum+cosine[batch_size=64, epochs=3]."
        in table.reading
    )
    console = Console(width=80, record=True, markup=False)
    answer(console, Result(view.record))
    console.print(trials_listing(Result(view.record).trials()))
    text = console.export_text()
    assert "\nbn  " in text
    assert "\nlong  " in text
    assert "momentum+cosine:" not in text.partition("Repeat  Trial")[2], "a comma in brackets is no choice"
    assert {"bn vs long", "long vs bn"} & set(pairs_table(pair_verdicts(view)).values("Pair"))


def test_learning_curves_end_where_each_arm_does(view: View) -> None:
    curves = winners_curves(view)
    assert {arm: each.validation.shape[1] for arm, each in curves.items()} == {PLAIN: 2, BN: 2, LONG: 3}
    assert {trace.name for trace in learning_figures.learning(curves).data if trace.showlegend is not False} >= {
        "bn",
        "long",
    }


def test_what_an_arm_sets_is_no_effect_of_optimizer_or_schedule(url: str) -> None:
    both = "[batch_norm=true]"
    arms = ("momentum", PLAIN, "adam", "adam+cosine", f"x=momentum+cosine{both}", f"y=adam+cosine{both}")
    view = View(run_in_threads(url, spec(arms=arms)))
    assert credit_split(view, (arms[1], arms[5])) is None
    plain = credit_split(view, (arms[1], arms[3]))
    assert plain is not None
    assert plain.shares
    split = credit_split(view, (arms[4], arms[5]))
    assert split is not None
    assert split.missing == ("adam", "momentum"), "constant arms with batch norm"
    general, special = view.space("adam+cosine"), view.parsed_arms
    assert not contains(general, special[arms[4]])
    assert contains(general, special[PLAIN]) == contains(view.space(arms[5]), special[arms[4]])


def test_a_resumed_experiment_is_as_if_it_had_been_run_at_once(tmp_path: Any) -> None:
    urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("one", "two")]
    made = spec(arms=(BN, LONG), repeats=1)
    run_in_threads(urls[0], made)
    grown = resume("tiny", repeats=2, db=urls[0], workers=1)
    whole = run_in_threads(urls[1], spec(arms=(BN, LONG), repeats=2))
    assert arm_fingerprints(grown.record.studies) == arm_fingerprints(whole.studies)
    assert read_spec(**grown.record.spec).arms == (BN, LONG)


@pytest.mark.parametrize("format", ["json", "toml", "torch", "optax", "keras", "sklearn"])
def test_exports_have_the_settings(view: View, format: str) -> None:
    for arm in ("bn", "long"):
        chosen = choose(view, arm)
        content = export(view, format, arm=arm).content
        assert isinstance(content, str)
        if format in ("json", "toml"):
            read = json.loads(content) if format == "json" else tomllib.loads(content)
            assert TrainConfig.from_json(read) == chosen.trial.config
            assert read["arm"] == {"bn": BN, "long": LONG}[arm]
            assert read["experiment"]["spec"]["arms"] == list(ARMS)
        else:
            compile(content, format, "exec")
            assert f"EPOCHS = {3 if arm == 'long' else 2}\nBATCH_SIZE = {64 if arm == 'long' else 32}\n" in content
            # The probability of dropping a unit, or that of keeping it.
            dropout = chosen.trial.config.dropout
            if arm == "bn":
                assert dropout
                assert repr(dropout)[:9] in content or repr(1 - dropout)[:9] in content


def test_an_arm_is_found_by_its_label(view: View) -> None:
    result = Result(view.record)
    assert result.best("bn") == result.best(BN)
    table = export(view, "csv", arm="bn").content
    assert isinstance(table, bytes)
    assert set(pd.read_csv(io.BytesIO(table)).arm) == {BN}
    with pytest.raises(InputError, match=r"unknown arm of this experiment 'bm'; did you mean"):
        result.best("bm")


def test_the_report_says_what_differs(record: ExperimentRecord) -> None:
    page = report(Result(record))
    assert "(long: 3 epochs in batches of 64 rows)" in page
    assert "and seeds, but not of epochs: long trains for 3 epochs" in page
    assert "trials, epochs and seeds." not in page
    assert BN in page
    plain = {key: value for key, value in record.spec.items() if key not in ("finalist_seeds", "generation")}
    (command,) = reproduction(replace(record, spec=read_spec(**plain).to_json())).commands
    assert read_spec(task="iris", arms=[word for word in shlex.split(command) if "cosine" in word]).arms == ARMS
    assert tomllib.loads(reproduction(record).spec_file)["arms"] == list(ARMS)
