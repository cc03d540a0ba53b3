"""A config is its JSON: both ways without loss for the whole catalog, and every bad field is named with its rule."""

import json
import math
import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cooldown.objectives import TrainConfig, optimizers, schedules
from cooldown.objectives.config import LATER, Choice
from cooldown.objectives.errors import InputError
from cooldown.objectives.hyperparameters import Categorical, Hyperparameter, Unit
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.strategies import STRATEGIES, default


def legal(declared):
    """Any value that makes sense."""
    if isinstance(declared, Categorical):
        return st.sampled_from(declared.choices)
    off = st.none() if declared.default is None else st.nothing()
    if declared.integer:
        return off | st.integers(int(declared.minimum), 10**6)
    return off | st.floats(
        declared.minimum,
        min(declared.maximum, 1e300),
        exclude_min=declared.open_minimum,
        exclude_max=declared.open_maximum,
    )


def choices(catalog):
    """Any entry with any of its hyperparameters given, legal values, the others left out."""

    def entry(name):
        values = {declared.name: legal(declared) for declared in catalog.get(name).hyperparameters}
        return st.fixed_dictionaries({"name": st.just(name)}, optional=values)

    return st.sampled_from(catalog.names()).flatmap(entry)


def fits(table):
    """Whether its parts go together: a rule that averages its parameters is not averaged again."""
    averages = "optimizer" in table and optimizers.get(table["optimizer"]["name"]).reported is not None
    return not averages or table.get("averaging", "none") == "none"


tables = st.fixed_dictionaries(
    {},
    optional={
        "optimizer": choices(optimizers),
        "schedule": choices(schedules),
        "batch_size": st.integers(1, 10**9),
        "epochs": st.integers(1, 10**9),
        **{name: legal(strategy.declared) for name, strategy in STRATEGIES.items()},
    },
).filter(fits)


@given(tables)
def test_json_and_back_is_the_same_config(table):
    config = TrainConfig.from_json(table)
    text = json.dumps(config.to_json(), allow_nan=False)
    for again in (
        TrainConfig.from_json(config.to_json()),
        TrainConfig.from_json(text),
        TrainConfig.from_json(text.encode()),
        pickle.loads(pickle.dumps(config)),
    ):
        assert again == config
        assert hash(again) == hash(config)
        assert json.dumps(again.to_json()) == text


@given(tables)
def test_what_is_given_is_kept_and_the_rest_is_the_default(table):
    written = TrainConfig.from_json(table).to_json()
    for field in ("batch_size", "epochs", *STRATEGIES):
        kept = table.get(field, getattr(TrainConfig(), field))
        # Documents have a strategy that came later only where it is used.
        assert written.get(field) == kept or (field in LATER and field not in written and kept == default(field))
    for field, catalog in (("optimizer", optimizers), ("schedule", schedules)):
        given = table.get(field, {"name": written[field]["name"]})
        entry = catalog.get(given["name"])
        defaults = {declared.name: declared.default for declared in entry.hyperparameters}
        assert written[field] == {"name": entry.name} | defaults | given


@given(tables, tables)
def test_equal_is_equal_in_json(one, other):
    one, other = TrainConfig.from_json(one), TrainConfig.from_json(other)
    assert (one == other) == (one.to_json() == other.to_json())


def test_the_example_of_the_design():
    given = {
        "optimizer": {"name": "adam", "learning_rate": 1e-3, "beta1": 0.9},
        "schedule": {"name": "sgdr", "period": 5, "period_mult": 2, "warmup_steps": 40},
        "batch_size": 32,
        "epochs": 30,
    }
    assert TrainConfig.from_json(given).to_json() == {
        "optimizer": {"name": "adam", "learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        "schedule": {"name": "sgdr", "period": 5.0, "period_mult": 2.0, "floor": 0.0, "warmup_steps": 40},
        "batch_size": 32,
        "epochs": 30,
        "shuffle": True,
        "curriculum": "none",
        "early_stopping": None,
        "gradient_noise": 0.0,
        "gradient_noise_decay": 0.55,
        "dropout": 0.0,
        "batch_norm": False,
        "clip_norm": None,
        "l2": 0.0,
        "weight_decay": 0.0,
        "initialization": "auto",
    }


def test_a_name_is_enough_for_an_entry():
    assert TrainConfig.from_json({"optimizer": "nag"}) == TrainConfig.from_json({"optimizer": {"name": "nag"}})
    assert TrainConfig.from_json("{}") == TrainConfig()


def test_the_constructor_checks_as_from_json_does():
    assert TrainConfig(optimizer=Choice("nag", {"momentum": 0.5})) == TrainConfig.from_json(
        {"optimizer": {"name": "nag", "momentum": 0.5}}
    )
    with pytest.raises(InputError, match="unknown optimizer 'nagg'"):
        TrainConfig(optimizer=Choice("nagg", {}))
    with pytest.raises(InputError, match="momentum must be less than 1"):
        TrainConfig(optimizer=Choice("nag", {"momentum": 1}))


def test_order_of_keys_does_not_matter():
    one = Choice("nag", {"learning_rate": 0.1, "momentum": 0.5})
    other = Choice("nag", {"momentum": 0.5, "learning_rate": 0.1})
    assert one == other
    assert hash(one) == hash(other)


def test_is_frozen():
    config = TrainConfig()
    with pytest.raises(FrozenInstanceError):
        config.epochs = 3
    with pytest.raises(TypeError):
        config.optimizer.hyperparameters["beta1"] = 0.1
    given = {"learning_rate": 0.1}
    choice = Choice("sgd", given)
    given["learning_rate"] = 0.2
    assert choice.hyperparameters["learning_rate"] == 0.1


def test_numpy_numbers_become_python_numbers():
    config = TrainConfig(batch_size=np.int64(8), epochs=np.int32(2), l2=np.float32(0.5))
    assert json.dumps(config.to_json())
    assert (config.batch_size, config.epochs, config.l2) == (8, 2, 0.5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"batch_size": 0}, "TrainConfig(batch_size=0): batch_size must be a whole number of at least 1, got 0"),
        ({"epochs": -1}, "TrainConfig(epochs=-1): epochs must be a whole number of at least 1, got -1"),
        ({"epochs": 2.0}, "TrainConfig(epochs=2.0): epochs must be a whole number of at least 1, got 2.0"),
        ({"epochs": True}, "TrainConfig(epochs=True): epochs must be a whole number of at least 1, got True"),
        ({"epochs": "3"}, "TrainConfig(epochs='3'): epochs must be a whole number of at least 1, got '3'"),
        ({"epochs": None}, "TrainConfig(epochs=None): epochs must be a whole number of at least 1, got None"),
        ({"l2": -0.1}, "TrainConfig(l2=-0.1): l2 must be at least 0, got -0.1"),
        ({"l2": math.nan}, "TrainConfig(l2=nan): l2 must be a finite number, got nan"),
        ({"l2": math.inf}, "TrainConfig(l2=inf): l2 must be a finite number, got inf"),
        ({"l2": False}, "TrainConfig(l2=False): l2 must be a finite number, got False"),
        ({"l2": "1"}, "TrainConfig(l2='1'): l2 must be a finite number, got '1'"),
        ({"shuffle": 1}, "TrainConfig(shuffle=1): shuffle must be true or false, got 1"),
        (
            {"curriculum": "hard"},
            "TrainConfig(curriculum='hard'): curriculum must be none or easy_to_hard or mixed, got",
        ),
        ({"early_stopping": 0}, "TrainConfig(early_stopping=0): early_stopping must be at least 1, got 0"),
        ({"early_stopping": 1.5}, "TrainConfig(early_stopping=1.5): early_stopping must be a whole number, got 1.5"),
        ({"gradient_noise": -1}, "TrainConfig(gradient_noise=-1): gradient_noise must be at least 0, got -1"),
        (
            {"gradient_noise": None},
            "TrainConfig(gradient_noise=None): gradient_noise must be a finite number, got None",
        ),
        ({"dropout": 1}, "TrainConfig(dropout=1): dropout must be less than 1, got 1"),
        ({"dropout": -0.1}, "TrainConfig(dropout=-0.1): dropout must be at least 0, got -0.1"),
        ({"batch_norm": "yes"}, "TrainConfig(batch_norm='yes'): batch_norm must be true or false, got 'yes'"),
        ({"clip_norm": 0}, "TrainConfig(clip_norm=0): clip_norm must be greater than 0, got 0"),
        ({"weight_decay": -1}, "TrainConfig(weight_decay=-1): weight_decay must be at least 0, got -1"),
        ({"initialization": "xavier"}, "TrainConfig(initialization='xavier'): initialization must be auto or he or"),
        ({"optimizer": 3}, "optimizer must be a name or a table with a name, got 3"),
        ({"optimizer": None}, "optimizer must be a name or a table with a name, got None"),
        ({"optimizer": {"beta1": 0.9}}, "optimizer must be a name or a table with a name, got {'beta1': 0.9}"),
        ({"schedule": []}, "schedule must be a name or a table with a name, got []"),
        (
            {"optimizer": {"name": "adam", "beta1": 1}},
            "adam(beta1=1): beta1 must be less than 1, got 1",
        ),
        (
            {"optimizer": {"name": "adam", "learning_rate": 0}},
            "adam(learning_rate=0): learning_rate must be greater than 0, got 0",
        ),
        (
            {"optimizer": {"name": "adam", "epsilon": "1e-8"}},
            "adam(epsilon='1e-8'): epsilon must be a finite number, got '1e-8'",
        ),
        ("[1, 2]", "TrainConfig.from_json: a config must be a table, got [1, 2]"),
        (None, "TrainConfig.from_json: a config must be a table, got None"),
    ],
)
def test_every_bad_field_is_named(given, message):
    with pytest.raises(InputError) as error:
        TrainConfig.from_json(given)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("given", "start"),
    [
        (
            {"epoch": 3},
            "unknown field of TrainConfig 'epoch'; did you mean 'epochs'? (choose from: asynchronous, averaging, ",
        ),
        ({"optimizer": "adm"}, "unknown optimizer 'adm'; did you mean 'adam'? (choose from: adadelay, adadelta,"),
        ({"optimizer": {"name": ["adam"]}}, "unknown optimizer ['adam']"),
        ({"optimizer": {"name": "adam", "beta": 1}}, "unknown hyperparameter of adam 'beta'; did you mean 'beta"),
        ({"schedule": "sgd"}, "unknown schedule 'sgd'; did you mean 'sgdr'? (choose from: batch_growth,"),
        ("{", "TrainConfig.from_json: not JSON: "),
        (b"\xff\xfe\xfd", "TrainConfig.from_json: not JSON: "),
        ('{"l2": NaN}', "TrainConfig(l2=nan): l2 must be a finite number"),
        ('{"l2": 1e999}', "TrainConfig(l2=inf): l2 must be a finite number"),
    ],
)
def test_unknown_names_and_text_that_is_no_config(given, start):
    with pytest.raises(InputError) as error:
        TrainConfig.from_json(given)
    assert str(error.value).startswith(start)


def test_a_range_in_the_units_of_a_run():
    period = Hyperparameter("period", 10, 0.1, 1.0, unit=Unit.EPOCHS)
    warmup = Hyperparameter("warmup_steps", 0, 0.0, 0.25, unit=Unit.UPDATES, integer=True)
    assert period.range_in(epochs=30, updates=1350) == (3.0, 30.0)
    assert warmup.range_in(epochs=30, updates=1350) == (0, 338)
    l2 = STRATEGIES["l2"].declared
    assert l2.range_in(epochs=30, updates=1350) == (l2.low, l2.high)
    at_least_one = Hyperparameter("warmup_steps", 1, 0.01, 0.25, unit=Unit.UPDATES, integer=True, minimum=1)
    assert at_least_one.range_in(epochs=3, updates=3) == (1, 1)


@pytest.mark.parametrize("catalog", [optimizers, schedules])
def test_declarations_are_json(catalog):
    for name in catalog.names():
        for declared in catalog.get(name).hyperparameters:
            shown = json.loads(json.dumps(declared.to_json(), allow_nan=False))
            assert shown["name"] == declared.name
            if isinstance(declared, Categorical):
                assert shown["choices"] == list(declared.choices)
                continue
            assert shown["range"] == [declared.low, declared.high]
            assert shown["range_is_fraction_of_run"] == (declared.unit is not Unit.NONE)


def mlp(hidden):
    return MLP(np.zeros((4, 2)), np.zeros(4, int), hidden, 2, "cross_entropy")


@pytest.mark.parametrize(
    ("given", "model", "message"),
    [
        ({"dropout": 0.5}, object(), "dropout=0.5 is for an MLP, but this task's model is object"),
        ({"initialization": "he"}, object(), "initialization='he' is for an MLP, but this task's model is object"),
        ({"batch_norm": True}, mlp(()), "batch_norm=True needs a hidden layer: this task's model has none"),
        ({"batch_norm": True, "batch_size": 1}, mlp((3,)), "batch_norm=True needs at least 2 rows in a batch"),
    ],
)
def test_a_strategy_that_a_model_has_no_place_for_is_named(given, model, message):
    with pytest.raises(InputError) as error:
        TrainConfig.from_json(given).check_model(model)
    assert str(error.value).startswith(message)


def test_models_that_have_a_place_for_a_strategy():
    TrainConfig.from_json({"dropout": 0.5, "batch_norm": True}).check_model(mlp((3,)))
    TrainConfig.from_json({"initialization": "poor"}).check_model(mlp(()))
    TrainConfig.from_json({"clip_norm": 1, "gradient_noise": 0.1, "curriculum": "mixed"}).check_model(object())


def test_who_reacts():
    assert TrainConfig(early_stopping=3).reacts
    assert TrainConfig(schedule="plateau").reacts
    assert not TrainConfig(schedule="batch_growth").reacts
