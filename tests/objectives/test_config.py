"""A config is its JSON: both ways without loss for the whole catalog, and every bad field is named with its rule."""

import json
import math
import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objectives import TrainConfig, optimizers, schedules
from objectives.config import L2, Choice
from objectives.errors import InputError
from objectives.hyperparameters import Hyperparameter, Unit


def choices(catalog):
    """Any entry with any of its hyperparameters given, legal values, the others left out."""

    def value(hyperparameter):
        if hyperparameter.integer:
            return st.integers(int(hyperparameter.minimum), 10**6)
        return st.floats(
            hyperparameter.minimum,
            min(hyperparameter.maximum, 1e300),
            exclude_min=hyperparameter.open_minimum,
            exclude_max=hyperparameter.open_maximum,
        )

    def entry(name):
        values = {each.name: value(each) for each in catalog.get(name).hyperparameters}
        return st.fixed_dictionaries({"name": st.just(name)}, optional=values)

    return st.sampled_from(catalog.names()).flatmap(entry)


tables = st.fixed_dictionaries(
    {},
    optional={
        "optimizer": choices(optimizers),
        "schedule": choices(schedules),
        "batch_size": st.integers(1, 10**9),
        "epochs": st.integers(1, 10**9),
        "l2": st.floats(0, 1e300),
    },
)


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
    for field in ("batch_size", "epochs", "l2"):
        assert written[field] == table.get(field, getattr(TrainConfig(), field))
    for field, catalog in (("optimizer", optimizers), ("schedule", schedules)):
        given = table.get(field, {"name": written[field]["name"]})
        entry = catalog.get(given["name"])
        defaults = {each.name: each.default for each in entry.hyperparameters}
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
        "l2": 0.0,
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
        ("[1, 2]", "TrainConfig.from_json: a config is a table, got [1, 2]"),
        (None, "TrainConfig.from_json: a config is a table, got None"),
    ],
)
def test_every_bad_field_is_named(given, message):
    with pytest.raises(InputError) as error:
        TrainConfig.from_json(given)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("given", "start"),
    [
        ({"epoch": 3}, "unknown field of TrainConfig 'epoch'; did you mean 'epochs'? (choose from: batch_size,"),
        ({"optimizer": "adm"}, "unknown optimizer 'adm'; did you mean 'adam'? (choose from: adam,"),
        ({"optimizer": {"name": ["adam"]}}, "unknown optimizer ['adam']"),
        ({"optimizer": {"name": "adam", "beta": 1}}, "unknown hyperparameter of adam 'beta'; did you mean 'beta"),
        ({"schedule": "sgd"}, "unknown schedule 'sgd'; did you mean 'sgdr'? (choose from: constant,"),
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
    assert L2.range_in(epochs=30, updates=1350) == (L2.low, L2.high)


@pytest.mark.parametrize("catalog", [optimizers, schedules])
def test_declarations_are_json(catalog):
    for name in catalog.names():
        for each in catalog.get(name).hyperparameters:
            shown = json.loads(json.dumps(each.to_json(), allow_nan=False))
            assert shown["name"] == each.name
            assert shown["range"] == [each.low, each.high]
            assert shown["range_is_fraction_of_run"] == (each.unit is not Unit.NONE)
