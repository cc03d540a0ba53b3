"""Hyperparameters of schedules: lengths are kept to the update, mistakes are named, declarations are complete."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cooldown.objectives import TrainConfig, schedules
from cooldown.objectives.errors import InputError
from cooldown.objectives.hyperparameters import Categorical, Unit

T = 90


def multipliers(name, total=T, **hyperparameters):
    return schedules.get(name)(np.arange(total), total, **hyperparameters)


@pytest.mark.parametrize("name", ["linear", "cosine", "sgdr", "polynomial"])
def test_floor_is_never_undercut(name):
    values = multipliers(name, floor=0.25)
    assert values.min() >= 0.25
    assert values.min() < 0.3


# Boundaries

LENGTHS = ["1", "2", "3", "7", "10", "45", "2.5", "0.5", "0.7", "3.3", "12.6"]
FACTORS = ["1", "2", "3", "10", "1.5", "1.1", "1.25", "2.7", "1.001", "1.000001"]


def exact_sgdr(total, period, factor):
    """Multipliers and restarts of SGDR with the decimals taken at their word, in rational arithmetic."""
    start, length, values, restarts = Fraction(0), Fraction(period), [], []
    for s in range(total):
        while s >= start + length:
            start, length = start + length, length * Fraction(factor)
        values.append((1 + math.cos(math.pi * float((s - start) / length))) / 2)
        if s == start:
            restarts.append(s)
    return np.array(values), restarts


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("period", LENGTHS)
def test_sgdr_restarts_exactly(period, factor):
    expected, restarts = exact_sgdr(300, period, factor)
    ours = multipliers("sgdr", 300, period=float(period), period_mult=float(factor))
    # The error is that of writing the decimals as floats, times up to 600 periods.
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-9)
    assert (ours[restarts] == 1).all()


@given(st.integers(1, 2000), st.integers(1, 10))
def test_sgdr_restarts_exactly_for_whole_numbers(period, factor):
    expected, restarts = exact_sgdr(1500, period, factor)
    ours = multipliers("sgdr", 1500, period=period, period_mult=factor)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-11)
    assert np.flatnonzero(ours == 1).tolist() == restarts


@given(st.integers(1, 400), st.integers(1, 400))
def test_a_length_in_epochs_that_is_a_whole_number_of_updates_is_one(updates, updates_per_epoch):
    """0.07 epochs of 100 updates are 7.000000000000001 in floating point."""
    in_epochs, total = updates / updates_per_epoch, 3 * updates + 1
    restarted = schedules.get("sgdr").rates(
        total, updates_per_epoch, {"period": in_epochs, "period_mult": 1, "floor": 0, "warmup_steps": 0}
    )
    assert np.flatnonzero(restarted == 1).tolist() == [0, updates, 2 * updates, 3 * updates]
    cut = schedules.get("step").rates(total, updates_per_epoch, {"every": in_epochs, "gamma": 0.5, "warmup_steps": 0})
    assert np.array_equal(cut, 0.5 ** (np.arange(total) // updates))


@pytest.mark.parametrize("name", schedules.names())
def test_lengths_of_a_config_are_in_epochs_and_warm_up_in_updates(name):
    schedule = schedules.get(name)
    in_config = {declared.name: declared.default for declared in schedule.hyperparameters} | {"warmup_steps": 11}
    in_updates = {
        declared.name: in_config[declared.name] * 8
        if getattr(declared, "unit", None) is Unit.EPOCHS
        else in_config[declared.name]
        for declared in schedule.hyperparameters
    }
    assert np.array_equal(schedule.rates(T, 8, in_config), multipliers(name, **in_updates))


# Mistakes


@pytest.mark.parametrize(
    ("name", "hyperparameter", "value", "rule"),
    [
        ("sgdr", "period", 0, "must be greater than 0 epochs"),
        ("sgdr", "period", -3, "must be greater than 0 epochs"),
        ("sgdr", "period_mult", 0.5, "must be at least 1"),
        ("sgdr", "floor", 1.5, "must be at most 1"),
        ("step", "every", 0, "must be greater than 0 epochs"),
        ("step", "gamma", 0, "must be greater than 0"),
        ("exponential", "gamma", 1.01, "must be at most 1"),
        ("cosine", "floor", -0.1, "must be at least 0"),
        ("linear", "floor", math.nan, "must be a finite number"),
        ("linear", "floor", math.inf, "must be a finite number"),
        ("linear", "floor", 10**400, "must be a finite number"),
        ("sgdr", "period", True, "must be a finite number"),
        ("sgdr", "period", "5", "must be a finite number"),
        ("sgdr", "period", None, "must be a finite number"),
        ("cyclical", "period", 0, "must be greater than 0 epochs"),
        ("cyclical", "mode", "triangle", "must be triangular or triangular2 or exp_range"),
        ("cyclical", "floor", 1.5, "must be at most 1"),
        ("one_cycle", "rise", 0, "must be greater than 0"),
        ("one_cycle", "rise", 1, "must be less than 1"),
        ("polynomial", "power", 0, "must be greater than 0"),
        ("inverse_time", "decay", -1, "must be at least 0"),
        ("inverse_sqrt", "warmup_steps", 0, "must be at least 1 updates"),
        ("noam", "d_model", 0, "must be at least 1"),
        ("plateau", "patience", 0, "must be at least 1 epochs"),
        ("plateau", "gamma", 0, "must be greater than 0"),
        ("batch_growth", "every", 0, "must be greater than 0 epochs"),
        ("batch_growth", "limit", 0, "must be greater than 0"),
        ("constant", "warmup_steps", 2.5, "must be a whole number of updates"),
        ("constant", "warmup_steps", -1, "must be at least 0 updates"),
    ],
)
def test_a_mistake_names_call_rule_and_value(name, hyperparameter, value, rule):
    call = f"{name}({hyperparameter}={value!r}): {hyperparameter} {rule}"
    with pytest.raises(InputError) as direct:
        multipliers(name, **{hyperparameter: value})
    assert str(direct.value) == f"{call}, got {value!r}"
    with pytest.raises(InputError) as in_config:
        TrainConfig.from_json({"schedule": {"name": name, hyperparameter: value}})
    assert str(in_config.value) == str(direct.value)


def test_unknown_names_bring_a_suggestion():
    with pytest.raises(
        InputError, match=r"unknown schedule 'cosin'; did you mean 'cosine'\? \(choose from: batch_growth,"
    ):
        schedules.get("cosin")
    with pytest.raises(InputError, match=r"hyperparameter of sgdr 'periods'; did you mean 'period'\?"):
        multipliers("sgdr", periods=3)
    with pytest.raises(InputError, match=r"hyperparameter of constant 'gamma' \(choose from: warmup_steps\)"):
        multipliers("constant", gamma=0.5)


def test_numpy_numbers_are_numbers():
    ours = multipliers("sgdr", period=np.int64(10), period_mult=np.float32(2), warmup_steps=np.int32(3))
    assert np.array_equal(ours, multipliers("sgdr", period=10, period_mult=2, warmup_steps=3))


@pytest.mark.parametrize("name", schedules.names())
def test_declaration(name):
    schedule = schedules.get(name)
    names = [hyperparameter.name for hyperparameter in schedule.hyperparameters]
    assert schedule.name == name
    assert names[-1] == "warmup_steps"
    assert len(set(names)) == len(names)
    assert schedule.formula
    for declared in schedule.hyperparameters:
        assert declared.check(name, declared.default) == declared.default
        assert declared.meaning
        if isinstance(declared, Categorical):
            assert len(declared.choices) > 1
            continue
        assert declared.low <= declared.high
        low, high = declared.range_in(epochs=30, updates=1350)
        assert declared.check(name, low) <= declared.check(name, high)
