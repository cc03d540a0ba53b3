"""Arms whose workers are simulated: searched, resumed, answered and exported like any other."""

from pathlib import Path

import numpy as np
import pytest
from search_runs import print_of, run_in_threads, spec

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import InputError
from cooldown.search.evidence.answer import answer
from cooldown.search.evidence.credit import credit_split
from cooldown.search.evidence.learning import winners_curves
from cooldown.search.evidence.view import View
from cooldown.search.experiments import Result
from cooldown.search.figures.learning import learning_table
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.samplers import names as samplers

ASYNCHRONOUS = "adagrad@downpour[workers=3, compute=exponential, push_every=1:4]"
SCALED = "momentum+cosine@hogwild[workers=2:8, staleness_scaling=true|false]"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("adam@hogwild", "adam@hogwild"),
        ("adam+constant @ hogwild", "adam@hogwild"),
        ("mine=adam+cosine@downpour[push_every=16, workers=8]", "mine=adam+cosine@downpour[workers=8, push_every=16]"),
        (SCALED, SCALED),
    ],
)
def test_a_name_is_read_and_written(text: str, name: str) -> None:
    arm = Arm.parse(text)
    assert arm.name == name
    assert Arm.parse(name) == arm
    assert Arm.parse("adam").around != arm.around


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("adam+plateau@easgd", "plateau reacts at the end of an epoch, which asynchronous workers do not wait for"),
        ("adam@hogwild,easgd", "unknown asynchronous method 'hogwild,easgd'"),
        ("adam@hogwild[workers=1.5]", "must be a whole number"),
        ("@hogwild", "a name is missing"),
    ],
)
def test_what_is_no_arm(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Arm.parse(text)


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> View:
    url = f"sqlite:///{tmp_path_factory.mktemp('asynchronous') / 'l.db'}"
    return View(run_in_threads(url, spec(arms=(SCALED, ASYNCHRONOUS, "adagrad"), epochs=2), name="workers"))


def test_the_ledger_has_the_configs(view: View) -> None:
    for study in view.record.studies:
        for trial in study.trials:
            config = trial.config
            if study.arm == "adagrad":
                assert config.asynchronous is None
                continue
            assert config.asynchronous is not None
            settings = config.asynchronous.hyperparameters
            if study.arm == ASYNCHRONOUS:
                assert settings["workers"] == 3
                assert trial.parameters["downpour.push_every"] == settings["push_every"]
            else:
                assert trial.parameters["hogwild.staleness_scaling"] == settings["staleness_scaling"]
    assert "@" in answer(view).sentence
    assert credit_split(view, (SCALED, ASYNCHRONOUS)) is None, "they differ in more than rule and schedule"


def test_curves_have_simulated_time_and_mean_staleness(view: View) -> None:
    curves = winners_curves(view)
    for arm, own in curves.items():
        time, updates = own.axes["simulated time"], own.axes["updates"]
        assert (own.staleness > 0).all() == ("@" in arm)
        assert (time < updates).all() == ("@" in arm)
        assert (np.diff(time) > 0).all()
    table = learning_table(curves).frame()
    assert table[table["Arm"] == "adagrad"]["Simulated time"].tolist() == curves["adagrad"].axes["updates"].tolist()


def test_a_program_has_no_workers_and_json_has(view: View) -> None:
    result = Result(view.record)
    with pytest.raises(InputError, match="a program cannot express asynchronous workers"):
        result.export("sklearn", arm=ASYNCHRONOUS)
    assert TrainConfig.from_json(result.export("json", arm=ASYNCHRONOUS)).asynchronous is not None
    assert result.fit_best(ASYNCHRONOUS).predict([[5.1, 3.5, 1.4, 0.2]]).shape == (1,)


@pytest.mark.parametrize("sampler", sorted(samplers()))
def test_every_sampler_searches_their_settings(sampler: str, tmp_path: Path) -> None:
    experiment = spec(arms=(SCALED,), sampler=sampler, repeats=1)
    first, again = (run_in_threads(f"sqlite:///{tmp_path}/{i}.db", experiment, name="one") for i in range(2))
    assert print_of(first) == print_of(again)
