"""The spec: every mistake at once, TOML, and JSON both ways."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cooldown.objectives import optimizers, schedules
from cooldown.objectives.errors import InputError
from cooldown.search.cli.settings import merged_settings
from cooldown.search.spec import samplers
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.experiment import DEFAULT_ARMS, Experiment, read_spec
from cooldown.search.spec.ranges import read_settings

counts = st.integers(1, 1_000)
"""In the bounds of all counts."""
arms = st.builds(
    lambda first, second: Arm.parse(",".join(first) + ("+" + ",".join(second) if second else "")).name,
    st.lists(st.sampled_from(optimizers.names()), min_size=1, max_size=3, unique=True),
    st.lists(st.sampled_from(schedules.names()), max_size=3, unique=True),
)
specs = st.fixed_dictionaries(
    {"task": st.text(min_size=1), "arms": st.lists(arms, min_size=1, max_size=4, unique=True)},
    optional={
        **dict.fromkeys(("trials", "repeats", "epochs", "seeds", "finalists", "finalist_seeds"), counts),
        **dict.fromkeys(("confirm_seeds", "generation", "batch_size"), counts),
        "target": st.none() | st.text(),
        "seed": st.integers(0, 2**63 - 1),
        "sampler": st.sampled_from(samplers.names()),
        "hidden": st.none() | st.lists(counts, max_size=3),
    },
)


@given(specs, st.data())
def test_json_both_ways(given_: dict[str, Any], data: st.DataObject) -> None:
    owner = Arm.parse(given_["arms"][0]).optimizers[0]
    rate = st.floats(1e-6, 1, exclude_max=True)
    value = data.draw(rate | st.tuples(rate, st.floats(1, 10)) | st.lists(rate, min_size=2, max_size=2, unique=True))
    ranges = {f"{owner}.learning_rate": sorted(value) if isinstance(value, list) else value}
    made = read_spec(**given_, ranges=ranges)
    again = read_spec(**json.loads(json.dumps(made.to_json())))
    assert again == made
    assert again.to_json() == made.to_json()


def test_defaults_are_the_documented_ones() -> None:
    made = read_spec(task="digits")
    assert made.arms == DEFAULT_ARMS == ("momentum", "momentum+cosine", "momentum+sgdr", "adam", "adam+cosine")
    assert (made.trials, made.repeats, made.epochs, made.seeds, made.batch_size) == (16, 5, 30, 3, 32)
    assert (made.finalists, made.finalist_seeds, made.confirm_seeds, made.generation) == (4, 4, 5, 4)
    assert (made.sampler, made.pruner, made.seed) == ("tpe", "none", 0)


def test_a_spec_cannot_be_changed() -> None:
    made = read_spec(task="digits")
    with pytest.raises(ValueError, match="frozen"):
        made.trials = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("adam", "adam"),
        ("adam+constant", "adam"),
        (" momentum , nag + cosine,sgdr", "momentum,nag+cosine,sgdr"),
        ("adam+constant,cosine", "adam+constant,cosine"),
    ],
)
def test_arms_have_one_name(text: str, name: str) -> None:
    assert Arm.parse(text).name == name
    assert Arm.parse(name) == Arm.parse(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("adm", "unknown optimizer 'adm'; did you mean 'adam'?"),
        ("adam+cosin", "unknown schedule 'cosin'; did you mean 'cosine'?"),
        ("adam,adam", "arm 'adam,adam' contains 'adam' twice"),
        ("", "arm '': a name is missing"),
        ("+", "arm '+': a name is missing"),
        (",", "arm ',': a name is missing"),
        ("adam+", "arm 'adam+': a name is missing"),
        ("adam+cosine+sgdr", "unknown schedule 'cosine+sgdr'"),
        ("sgd,adm+sgdr,cosin", "unknown optimizer 'adm'.*\n.*unknown schedule 'cosin'"),
    ],
)
def test_arms_that_are_none(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said.replace("+", r"\+").replace("?", r"\?")):
        Arm.parse(text)


def test_all_mistakes_at_once() -> None:
    with pytest.raises(InputError) as raised:
        read_spec(
            task="",
            arms=["adam", "momentm", "adam"],
            trials=0,
            repeats=-1,
            epochs=1.5,
            seeds=True,
            seed=-1,
            sampler="bayse",
            pruner="medium",
            batch_size="32",
            hidden=[32, 0],
            ranges={"adam.beta1": 2},
            trails=3,
        )
    lines = str(raised.value).splitlines()
    assert lines[0] == "13 problems in the spec:"
    for said in (
        "unknown setting 'trails'; did you mean 'trials'?",
        "task: should have at least 1 character, got ''",
        "arms: unknown optimizer 'momentm'; did you mean 'momentum'?",
        "arms: arm 'adam' is listed twice",
        "trials: should be greater than or equal to 1, got 0",
        "repeats: should be greater than or equal to 1, got -1",
        "epochs: should be a valid integer, got 1.5",
        "seeds: should be a valid integer, got True",
        "seed: should be greater than or equal to 0, got -1",
        "unknown sampler 'bayse'",
        "unknown pruner 'medium'",
        "batch_size: should be a valid integer, got '32'",
        "hidden[1]: should be greater than or equal to 1, got 0",
    ):
        assert sum(said in line for line in lines) == 1, said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"arms": "adam"}, "arms: should be a list, got 'adam'"),
        ({"arms": []}, "arms: should contain at least one arm"),
        ({"arms": [3]}, "arms[0]: should be a valid string, got 3"),
        ({"hidden": 64}, "hidden: should be a list, got 64"),
        ({"trials": 10**7}, "trials: should be less than or equal to 100000, got 10000000"),
        ({"seed": 2**63}, "seed: should be less than 9223372036854775808"),
        ({"sampler": 3}, "sampler: "),
        ({"task": 3}, "task: should be a valid string, got 3"),
        ({"ranges": [1]}, "ranges: should be a table"),
        ({"ranges": {"adam.beta1": "0.9"}}, "adam.beta1 should be a number or [low, high], got '0.9'"),
        ({"ranges": {"adam.beta1": [0.9]}}, "adam.beta1 should be a number or [low, high], got [0.9]"),
        ({"ranges": {"adam.beta1": True}}, "adam.beta1 should be a number or [low, high], got True"),
        ({"ranges": {"adam.learning_rate": 10**400}}, "adam.learning_rate should be a number"),
        ({"ranges": {"adam.beta1": [0.9, 0.9]}}, "adam.beta1 = [0.9, 0.9] is empty"),
        ({"ranges": {"adam.beta1": [0.9, 0.8]}}, "adam.beta1 = [0.9, 0.8] is empty"),
        ({"ranges": {"adam.beta1": [0.9, 1.0]}}, "beta1 must be less than 1, got 1.0"),
        ({"ranges": {"adam.learning_rate": [0, 1]}}, "learning_rate must be greater than 0, got 0"),
        ({"ranges": {"adam.learning_rate": float("nan")}}, "learning_rate must be a finite number, got nan"),
        ({"ranges": {"adam.learning_rate": [1, float("inf")]}}, "must be a finite number, got inf"),
        ({"ranges": {"adam.lerning_rate": 1}}, "unknown hyperparameter of these arms 'adam.lerning_rate'; did you"),
        ({"ranges": {"nag.momentum": 0.9}}, "unknown hyperparameter of these arms 'nag.momentum'"),
        ({"ranges": {"learning_rate": 1}}, "unknown hyperparameter of these arms 'learning_rate'"),
        ({"ranges": {"constant.warmup_steps": [0, 2.5]}}, "warmup_steps must be a whole number"),
    ],
)
def test_each_mistake_names_its_value(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as raised:
        read_spec(**{"task": "iris", "arms": ["adam"], **changes})
    assert said in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_ranges_may_be_nested_as_toml_nests_them() -> None:
    nested = read_spec(task="iris", arms=["adam"], ranges={"adam": {"beta1": [0.5, 0.9], "beta2": 0.99}})
    assert nested == read_spec(task="iris", arms=["adam"], ranges={"adam.beta1": (0.5, 0.9), "adam.beta2": 0.99})


TOML = """
task = "iris"
arms = ["momentum+sgdr", "adam"]
trials = 7
name = "from a file"
hidden = []

[ranges]
momentum.learning_rate = [0.01, 1]
"adam.beta2" = 0.99
"""


def test_flags_override_the_file_and_the_file_overrides_defaults(tmp_path: Path) -> None:
    path = tmp_path / "spec.toml"
    path.write_text(TOML)
    found = merged_settings(str(path), {"trials": 9, "repeats": None, "name": None}, {"repeats": 1, "trials": 2})
    assert found.pop("name") == "from a file"
    made = read_spec(**found)
    assert (made.task, made.trials, made.repeats, made.hidden) == ("iris", 9, 1, ())
    assert made.ranges == {"momentum.learning_rate": (0.01, 1.0), "adam.beta2": 0.99}
    assert merged_settings("iris", {"trials": None}) == {"task": "iris"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"x = [", ": is not valid TOML: "),
        (b"\xff", "is not text in UTF-8: byte 0 is 0xff"),
        (b"trials = \x00", "is not text: character 9 is NUL"),
        (b"trials = 0", "2 problems in the spec:\n  task: is missing\n  trials: should be greater"),
        (b"task = 'iris'\nreport = 1", "unknown setting 'report'; did you mean 'repeats'"),
    ],
)
def test_files_that_are_no_spec(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.toml"
    path.write_bytes(content)
    with pytest.raises(InputError) as raised:
        merged_settings(str(path), {})
    assert said in str(raised.value)


def test_a_spec_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"spec file '.*none\.toml': there is no such file"):
        merged_settings(str(tmp_path / "none.toml"), {})
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(InputError, match=r"spec file '.*folder\.toml': cannot be read: is a folder, not a file"):
        merged_settings(str(tmp_path / "folder.toml"), {})


def test_a_number_alone_is_an_experiment_field_of_its_own_type() -> None:
    """Strict: nothing is repaired silently, so that the same spec has one JSON."""
    assert {type(value) for value in read_spec(task="iris", ranges={"adam.beta1": 0}).ranges.values()} == {float}
    assert Experiment.model_validate(read_spec(task="iris").to_json()) == read_spec(task="iris")


def test_what_is_set_on_the_command_line() -> None:
    found = read_settings(
        ["adam.beta2=0.99", "strategy.dropout=0:0.5", "plateau.patience=3", "cyclical.mode=triangular2"]
    )
    assert found == {
        "adam.beta2": 0.99,
        "strategy.dropout": [0, 0.5],
        "plateau.patience": 3,
        "cyclical.mode": "triangular2",
    }
    assert read_settings(["strategy.batch_norm=true, false", "strategy.initialization=he,poor"]) == {
        "strategy.batch_norm": [True, False],
        "strategy.initialization": ["he", "poor"],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("adam.beta2", "--set adam.beta2: must be NAME=VALUE, for example strategy.dropout=0.2"),
        ("=3", "--set =3: must be NAME=VALUE"),
        ("adam.beta2=", "--set adam.beta2=: must be NAME=VALUE"),
        ("strategy.dropout=0.1,0.2", "--set strategy.dropout=0.1,0.2: write a range as LOW:HIGH"),
        (
            "strategy.initialization=he:poor",
            "--set strategy.initialization=he:poor: write values to choose from as A,B",
        ),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        read_settings(["strategy.clip_norm=1", text])
    assert str(error.value).startswith(message)
    with pytest.raises(InputError, match=r"strategy\.clip_norm is set twice"):
        read_settings(["strategy.clip_norm=1", "strategy.clip_norm=2"])


def test_off_is_the_default_of_what_is_off_by_default() -> None:
    given = {"strategy.early_stopping": "off", "strategy.clip_norm": "off", "strategy.l2": 0.1}
    assert read_spec(task="iris", ranges=given).ranges == {"strategy.l2": 0.1}


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({"strategy.dropout": "off"}, "strategy.dropout should be a number or [low, high], got 'off'"),
        ({"sgd.learning_rate": 0.1, "sgd": {"learning_rate": 0.2}}, "sgd.learning_rate is set twice"),
        ({"strategy.gradient_noise_decay": 0.5}, "has no effect without strategy.gradient_noise"),
        ({"strategy.drop": 0.1}, "unknown strategy 'strategy.drop'; did you mean 'strategy.dropout'?"),
        ({"strategy.batch_norm": "yes"}, "strategy(batch_norm='yes'): batch_norm must be true or false, got 'yes'"),
        ({"strategy.initialization": ["he", "he"]}, "should be one value, or several different ones"),
        ({"strategy.gradient_noise": -1}, "strategy(gradient_noise=-1): gradient_noise must be at least 0, got -1"),
        ({"strategy.early_stopping": 0}, "strategy(early_stopping=0): early_stopping must be at least 1, got 0"),
    ],
)
def test_a_bad_strategy_is_named(ranges: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        read_spec(task="iris", ranges=ranges)
    assert message in str(error.value)


def test_settings_of_the_command_line_override_single_ranges_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "spec.toml"
    path.write_text(
        'task = "iris"\n[ranges]\nadam.beta1 = 0.8\nstrategy.dropout = [0.0, 0.5]\nstrategy.clip_norm = 1.0\n'
    )
    flags = {"ranges": {"strategy.dropout": 0.2, "strategy.clip_norm": "off"}}
    merged = merged_settings(str(path), flags)
    assert read_spec(**merged).ranges == {"adam.beta1": 0.8, "strategy.dropout": 0.2}
    path.write_text('task = "iris"\nranges = 5\n')
    with pytest.raises(InputError, match="should be a table"):
        read_spec(**merged_settings(str(path), {"ranges": None}))


def test_an_arm_may_have_a_label_and_then_is_another_one() -> None:
    first, second = Arm.parse("first = adam+noam"), Arm.parse("second=adam+noam")
    assert (first.label, first.name, first.choices) == ("first", "first=adam+noam", "adam+noam")
    assert Arm.parse(first.name) == first != second
    assert first.presets == Arm.parse("adam+noam").presets != {}
    assert read_spec(task="iris", arms=["a=adam", "b=adam", "adam"]).arms == ("a=adam", "b=adam", "adam")
    for wrong in ("=adam", "a b=adam", "x/y=adam"):
        with pytest.raises(InputError, match="the label before = must be 1 to 40 letters"):
            Arm.parse(wrong)
    with pytest.raises(InputError, match="'a=adam' is listed twice"):
        read_spec(task="iris", arms=["a=adam", "a=adam+constant"])


def test_values_of_numpy_and_paths_are_what_they_stand_for() -> None:
    values = {
        "trials": np.int64(3),
        "hidden": np.array([4, 2]),
        "margin": np.float32(0.25),
        "arms": np.array(["adam", "sgd"]),
        "ranges": {"adam.learning_rate": np.array([0.001, 0.1])},
        "test": Path("a") / "test.csv",
    }
    read = read_spec(task="rows.csv", target="y", **values)
    plainly = {"trials": 3, "hidden": (4, 2), "margin": 0.25, "arms": ("adam", "sgd"), "test": str(values["test"])}
    assert read == read_spec(task="rows.csv", target="y", ranges={"adam.learning_rate": [0.001, 0.1]}, **plainly)
    assert json.loads(json.dumps(read.to_json())) == read.to_json()
    with pytest.raises(InputError, match=r"trials: should be a valid integer, got 2\.5"):
        read_spec(task="iris", trials=np.float64(2.5))
