"""Arms with settings in a spec: their forms, what overrides what, their search spaces and their default configs."""

import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from search_runs import spec

from cooldown.objectives.errors import InputError
from cooldown.search.cli import main
from cooldown.search.cli.settings import merged_settings
from cooldown.search.experiments.service import dry_run
from cooldown.search.spec.arm_lists import ARM_SETS
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.experiment import Experiment, read_spec
from cooldown.search.spec.space import Choice, Parameter, Space, search_space

BN = "bn=momentum+cosine[batch_norm=true]"
TOML = """
task = "iris"
[arms]
plain = "momentum+cosine"
[arms.bn]
is = "momentum+cosine"
batch_norm = true
dropout = [0, 0.5]
initialization = ["he", "poor"]
momentum.momentum = 0.9
"""


ROOT = Path(__file__).parents[2]


def of(made: Experiment, place: int = 0) -> Space:
    """The space of one arm on 96 training rows."""
    arm = made.parsed_arms[place]
    return search_space(made, arm, made.updates_per_epoch(arm, 96))


def test_the_forms_of_a_list_and_of_a_table(tmp_path: Path) -> None:
    path = tmp_path / "spec.toml"
    path.write_text(TOML)
    names = (
        "plain=momentum+cosine",
        "bn=momentum+cosine[dropout=0:0.5, batch_norm=true, initialization=he|poor, momentum=0.9]",
    )
    assert read_spec(**merged_settings(str(path), {})).arms == names
    table = {"is": "momentum+cosine", "batch_norm": True, "dropout": (0, 0.5), "initialization": ["he", "poor"]}
    table["momentum.momentum"] = 0.9
    assert read_spec(task="iris", arms={"plain": "momentum+cosine", "bn": table}).arms == names
    assert read_spec(task="iris", arms=["plain=momentum+cosine", {"label": "bn", **table}]).arms == names
    assert read_spec(**merged_settings(str(path), {"arms": [BN]})).arms == (BN,), "flags override the file"
    assert read_spec(task="iris", arms=[{"is": "adam"}]).to_json() == read_spec(task="iris", arms=["adam"]).to_json()


def test_the_spec_files_in_the_docs_are_read() -> None:
    table, several = re.findall(r"^```toml\n(.*?)^```", (ROOT / "docs" / "arms.md").read_text(), re.M | re.S)
    assert [arm.label for arm in read_spec(**tomllib.loads(table)).parsed_arms] == ["plain", "bn"]
    assert read_spec(task="iris", **tomllib.loads(several)).arms == ("momentum+cosine", BN)


@pytest.mark.parametrize("arm", ["adam[", "adam[dropout=nan]", "x y=adam[l2=0.1]", "adam@downpur", "[", "🙂[🙂=🙂]"])
def test_the_command_refuses_an_arm_in_one_message(
    arm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in ("compare", "tune"):
        monkeypatch.setattr("sys.argv", ["cooldown", command, "iris", "--arm", arm])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 2
        said = capsys.readouterr()
        assert said.err.startswith("cooldown: ")
        assert "arm" in said.err or "optimizer" in said.err
        assert "Traceback" not in said.err
        assert not said.out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arms", "said"),
    [
        ({}, "arms: should contain at least one arm"),
        ({"is": "adam", "batch_norm": True}, "arms: arm 'batch_norm': needs its choices"),
        ({"a b": "adam"}, "arms: arm 'a b': the label before = must be"),
        ({"x": {"is": "y=adam"}}, "arms: arm 'x': must have one text as its label, got 'x', 'y'"),
        ({3: "adam"}, "arms: arm 3: must have one text as its label, got 3"),
        (["adam[dropout=0.1]", "adam[strategy.dropout=0.10]"], "arms: arm 'adam[dropout=0.1]' is listed twice"),
        (["x=adam[l2=0.1]", "x=sgd[l2=0.1]"], "arms: 2 arms would all be shown as 'x'; give them labels that differ"),
        (
            [f"adam+cosine[dropout={p}, clip_norm=1, batch_norm=true]" for p in (0.1, 0.2)],
            "arms: 2 arms would all be shown as 'adam+cosine[3 settings]'; give them labels that differ",
        ),
        (["adam[gradient_noise_decay=0.5]"], "ranges: arm 'adam[gradient_noise_decay=0.5]': gradient_noise_decay has"),
        ([["adam"]], "arms[0]: should be a valid string, got ['adam']"),
    ],
)
def test_arms_that_cannot_be_compared(arms: Any, said: str) -> None:
    with pytest.raises(InputError) as raised:
        read_spec(task="iris", arms=arms)
    assert said in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_labels_may_repeat_as_before_where_no_arm_has_settings() -> None:
    assert read_spec(task="iris", arms=["a=adam", "a=sgd"]).arms == ("a=adam", "a=sgd")


def test_the_arms_settings_come_after_presets_and_ranges_and_before_widened_ranges() -> None:
    arm = "x=adam+noam[beta2=0.9, dropout=0.1:0.5, early_stopping=off]"
    ranges = {"adam.beta2": 0.95, "adam.beta1": 0.8, "strategy.dropout": 0.3, "strategy.early_stopping": 5}
    made = spec(arms=(arm, "adam"), ranges=ranges)
    found = made.ranges_of(made.parsed_arms[0])
    assert found == {"adam.beta1": 0.8, "adam.beta2": 0.9, "adam.epsilon": 1e-9, "strategy.dropout": (0.1, 0.5)}
    assert made.ranges_of(made.parsed_arms[1]) == ranges
    wider = spec(arms=(arm,), widened={Arm.parse(arm).name: [{"strategy.dropout": [0.0, 0.5]}]})
    assert wider.ranges_of(wider.parsed_arms[0])["strategy.dropout"] == (0.0, 0.5)


def test_a_widened_decay_is_read_beside_its_noise() -> None:
    arm = "adam[gradient_noise=0.1, gradient_noise_decay=0.5:0.6]"
    assert spec(arms=(arm,), widened={arm: [{"strategy.gradient_noise_decay": [0.4, 0.6]}]}).widened


def test_a_run_reacts_by_an_arms_own_early_stopping() -> None:
    assert spec(arms=("adam", "x=adam[early_stopping=3]")).reacts
    assert not spec(arms=("adam", BN)).reacts
    stopped = {"strategy.early_stopping": 3}
    assert spec(arms=("adam",), ranges=stopped).reacts
    assert not spec(arms=("x=adam[early_stopping=off]",), ranges=stopped).reacts


def test_the_space_has_the_arms_settings() -> None:
    space = of(spec(arms=("adam+sgdr[batch_norm=true, dropout=0:0.5, initialization=he|poor, beta2=0.99, l2=0.01:1]",)))
    assert isinstance(space.by_key["strategy.dropout"], Parameter)
    assert space.by_key["strategy.initialization"] == Choice("strategy.initialization", ("he", "poor"))
    assert space.by_key["strategy.l2"].at(0.5) == pytest.approx(0.1), "on the declared scale"  # type: ignore[union-attr]
    assert "adam.beta2" not in space.by_key
    config = space.config({"strategy.dropout": 0.25, "strategy.initialization": "poor"})
    assert (config.batch_norm, config.dropout, config.initialization) == (True, 0.25, "poor")
    assert config.optimizer.hyperparameters["beta2"] == 0.99
    assert {config.initialization for config in space.programs()} == {"he", "poor"}


def test_ranges_in_epochs_and_updates_follow_the_arms_own_run() -> None:
    made = spec(arms=("adam+sgdr", "x=adam+sgdr[epochs=80, batch_size=16]"), epochs=40)
    own, other = of(made, 1), of(made)
    assert (own.batch_size, own.epochs, other.batch_size, other.epochs) == (16, 80, 32, 40)
    ends = {}
    for space in (own, other):
        for name, parameter in space.by_key.items():
            assert isinstance(parameter, Parameter)
            ends[space.epochs, name] = np.array([parameter.low, parameter.high])
    assert (ends[80, "sgdr.period"] == 2 * ends[40, "sgdr.period"]).all()
    assert (ends[80, "sgdr.warmup_steps"] == 4 * ends[40, "sgdr.warmup_steps"]).all(), "twice the updates in each epoch"
    assert (own.default.batch_size, own.default.epochs) == (16, 80)
    assert [config.batch_size for config in own.programs()] == [16]


@pytest.mark.parametrize(
    ("setting", "name", "value"),
    [
        ("batch_norm=true", "batch_norm", True),
        ("dropout=0:0.5", "dropout", 0.0),
        ("dropout=0.1:0.5", "dropout", 0.3),
        ("clip_norm=0.1:10", "clip_norm", 1.0),
        ("early_stopping=2:10", "early_stopping", 6),
        ("early_stopping=off", "early_stopping", None),
        ("initialization=he|poor", "initialization", "he"),
        ("initialization=he|auto", "initialization", "auto"),
        ("shuffle=false|true", "shuffle", True),
        ("beta2=0.99", "beta2", 0.99),
        ("beta2=0.9:0.9999", "beta2", 0.999),
        ("beta2=0.9:0.99", "beta2", 1 - 10**-1.5),
        ("learning_rate=0.0001:0.1", "learning_rate", 0.001),
        ("learning_rate=0.01:1", "learning_rate", 0.1),
        ("learning_rate=0.5", "learning_rate", 0.5),
        ("warmup_steps=4:8", "warmup_steps", 6),
    ],
)
def test_the_default_config_has_the_arms_settings(setting: str, name: str, value: Any) -> None:
    """Of a range its default, or else its middle on the scale of the search; of choices the default, or the first."""
    config = of(spec(arms=(f"adam+cosine[{setting}]",))).default
    found = {**config.to_json(), **config.optimizer.hyperparameters, **config.schedule.hyperparameters}[name]
    assert found == (pytest.approx(value) if isinstance(value, float) else value)


def test_the_default_config_stays_when_a_range_is_widened() -> None:
    arm = "adam[dropout=0.1:0.5]"
    wider = spec(arms=(arm,), widened={arm: [{"strategy.dropout": [0.0, 0.9]}]})
    assert of(wider).default == of(spec(arms=(arm,))).default


def test_a_name_a_label_or_a_longer_form_means_an_arm() -> None:
    made = spec(arms=("momentum+cosine", BN, "a=adam", "a=sgd"))
    for text in (BN, "bn", "bn=momentum+cosine[strategy.batch_norm=true]"):
        assert made.arm_called(text) == BN
    assert made.arm_called("a=adam+constant") == "a=adam"
    for text in ("a", "adam", "momentum+cosine[", ""):
        with pytest.raises(InputError, match="unknown arm of this experiment"):
            made.arm_called(text)


@pytest.mark.parametrize("setting", ["batch_norm=true, batch_size=1", "initialization=poor|large"])
def test_a_model_that_lacks_what_an_arm_sets_is_reported_before_the_run(setting: str, url: str) -> None:
    task = "iris" if "batch_size" in setting else "quadratic"
    with pytest.raises(InputError, match=r"needs at least 2 rows in a batch|is for an MLP"):
        dry_run(task, arms=["adam", f"x=adam[{setting}]"], db=url)


def test_a_set_of_arms_stands_for_its_arms() -> None:
    made = read_spec(task="digits", arms=["survey", "modern", "mine=adam[batch_size=64]"])
    assert made.arms == (*ARM_SETS["survey"], *ARM_SETS["modern"], "mine=adam[batch_size=64]")
    assert read_spec(**made.to_json()) == made
    # Every one of the methods that came after the survey, and none of the survey twice.
    newer = {"lion", "radam", "prodigy", "muon", "schedule_free_sgd", "schedule_free_adamw"}
    assert {name for arm in made.parsed_arms for name in arm.optimizers} >= newer
    for arm in made.parsed_arms:
        assert search_space(made, arm, 10).programs()


def test_an_arm_beside_a_set_that_has_it_is_listed_twice() -> None:
    with pytest.raises(InputError, match="arm 'adam' is listed twice"):
        read_spec(task="digits", arms=["survey", "adam"])
