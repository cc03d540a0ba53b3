"""Schedules against their formulas by hand, torch's schedulers and optax's, and the laws that all of them keep."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cooldown.objectives import TrainConfig, schedules
from cooldown.objectives.errors import InputError
from cooldown.objectives.hyperparameters import Categorical, Unit
from cooldown.objectives.schedules import Reaction

T = 90
HALF = math.sqrt(0.5)  # cos 45°


def multipliers(name, total=T, **hyperparameters):
    return schedules.get(name)(np.arange(total), total, **hyperparameters)


BY_HAND = [
    ("constant", {}, [1, 1, 1, 1]),
    ("step", {"every": 2, "gamma": 0.1}, [1, 1, 0.1, 0.1, 0.01]),
    ("step", {"every": 1.5, "gamma": 0.5}, [1, 1, 0.5, 0.25, 0.25]),
    ("exponential", {"gamma": 0.0625}, [1, 0.5, 0.25, 0.125]),
    ("linear", {}, [1, 0.75, 0.5, 0.25]),
    ("linear", {"floor": 0.2}, [1, 0.8, 0.6, 0.4]),
    ("cosine", {}, [1, (1 + HALF) / 2, 0.5, (1 - HALF) / 2]),
    ("cosine", {"floor": 0.5}, [1, 0.75]),
    ("sgdr", {"period": 2, "period_mult": 1}, [1, 0.5, 1, 0.5, 1]),
    ("sgdr", {"period": 2, "period_mult": 2}, [1, 0.5, 1, (1 + HALF) / 2, 0.5, (1 - HALF) / 2, 1]),
    ("sgdr", {"period": 2, "period_mult": 1, "floor": 0.5}, [1, 0.75, 1, 0.75]),
    ("inverse_time", {"decay": 3}, [1, 1 / 1.75, 0.4, 1 / 3.25]),
    ("polynomial", {"power": 2}, [1, 0.5625, 0.25, 0.0625]),
    ("polynomial", {"power": 2, "floor": 0.2}, [1, 0.65, 0.4, 0.25]),
    ("cyclical", {"period": 4, "floor": 0}, [0, 0.5, 1, 0.5, 0, 0.5, 1]),
    ("cyclical", {"period": 4, "floor": 0.2}, [0.2, 0.6, 1, 0.6, 0.2]),
    ("cyclical", {"period": 2, "floor": 0, "mode": "triangular2"}, [0, 1, 0, 0.5, 0, 0.25]),
    ("cyclical", {"period": 2, "floor": 0, "mode": "exp_range", "gamma": 0.0625}, [0, 0.5, 0, 0.125]),
    ("one_cycle", {"rise": 0.5, "start": 0}, [0, 0.5, 1, 0.5]),
    ("one_cycle", {"rise": 0.5, "start": 0.2, "floor": 0.1}, [0.2, 0.6, 1, 0.55]),
    ("inverse_sqrt", {"warmup_steps": 2}, [0.5, 1, math.sqrt(2 / 3), HALF]),
    ("inverse_sqrt", {"warmup_steps": 1}, [1, HALF, math.sqrt(1 / 3), 0.5]),
    ("noam", {"d_model": 4, "warmup_steps": 4}, [1 / 16, 2 / 16, 3 / 16, 0.25, 0.5 / math.sqrt(5)]),
    ("plateau", {"patience": 1}, [1, 1, 1]),
    ("wsd", {"decay": 0.5}, [1, 1, 1, 1, 1, 0.5, 1 - HALF, 1 - math.sqrt(0.75)]),
    ("wsd", {"decay": 0.5, "shape": "linear", "floor": 0.2}, [1, 1, 1, 1, 1, 0.8, 0.6, 0.4]),
    ("wsd", {"decay": 0.5, "shape": "cosine"}, [1, 1, 1, 1, 1, (1 + HALF) / 2, 0.5, (1 - HALF) / 2]),
    ("wsd", {"decay": 0.5, "shape": "square"}, [1, 1, 1, 1, 1, 0.9375, 0.75, 0.4375]),
    ("wsd", {"decay": 0.5, "shape": "linear", "warmup_steps": 2}, [0.5, 1, 1, 1, 1, 0.5]),
    ("batch_growth", {"every": 1}, [1, 1, 1]),
    ("constant", {"warmup_steps": 2}, [0.5, 1, 1, 1]),
    ("constant", {"warmup_steps": 5}, [0.2, 0.4, 0.6]),
    ("linear", {"warmup_steps": 2}, [0.5, 1, 1, 0.75, 0.5, 0.25]),
    ("step", {"every": 2, "gamma": 0.1, "warmup_steps": 1}, [1, 1, 1, 0.1, 0.1, 0.01]),
]


@pytest.mark.parametrize(("name", "hyperparameters", "expected"), BY_HAND)
def test_by_hand(name, hyperparameters, expected):
    ours = multipliers(name, len(expected), **hyperparameters)
    np.testing.assert_allclose(ours, expected, rtol=1e-14, atol=1e-15)


def torch_multipliers(torch, make):
    """The rate of each of T updates, from 1, as a torch scheduler sets it before the update."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler, rates = make(torch.optim.lr_scheduler, optimizer), []
    for _ in range(T):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return np.array(rates)


TORCH = {
    "step": (lambda lr, opt: lr.StepLR(opt, 7, gamma=0.6), {"every": 7, "gamma": 0.6}),
    "exponential": (lambda lr, opt: lr.ExponentialLR(opt, gamma=0.02 ** (1 / T)), {"gamma": 0.02}),
    "linear": (lambda lr, opt: lr.PolynomialLR(opt, total_iters=T, power=1), {}),
    "linear with a floor": (lambda lr, opt: lr.LinearLR(opt, 1.0, 0.3, total_iters=T), {"floor": 0.3}),
    "cosine": (lambda lr, opt: lr.CosineAnnealingLR(opt, T, eta_min=0.1), {"floor": 0.1}),
    "sgdr": (
        lambda lr, opt: lr.CosineAnnealingWarmRestarts(opt, 10, T_mult=1, eta_min=0.1),
        {"period": 10, "period_mult": 1, "floor": 0.1},
    ),
    "sgdr doubling": (
        lambda lr, opt: lr.CosineAnnealingWarmRestarts(opt, 5, T_mult=2),
        {"period": 5, "period_mult": 2},
    ),
    "sgdr tripling": (
        lambda lr, opt: lr.CosineAnnealingWarmRestarts(opt, 3, T_mult=3),
        {"period": 3, "period_mult": 3},
    ),
    "polynomial": (lambda lr, opt: lr.PolynomialLR(opt, total_iters=T, power=2.5), {"power": 2.5}),
    "cyclical": (lambda lr, opt: lr.CyclicLR(opt, 0.25, 1.0, step_size_up=6), {"period": 12, "floor": 0.25}),
    "cyclical halving": (
        lambda lr, opt: lr.CyclicLR(opt, 0.1, 1.0, step_size_up=4, mode="triangular2"),
        {"period": 8, "floor": 0.1, "mode": "triangular2"},
    ),
    "cyclical decaying": (
        lambda lr, opt: lr.CyclicLR(opt, 0.1, 1.0, step_size_up=4, mode="exp_range", gamma=0.05 ** (1 / T)),
        {"period": 8, "floor": 0.1, "mode": "exp_range", "gamma": 0.05},
    ),
    # Torch reaches the peak with update pct_start·total − 1 and the end with its last one; ours with T, after its last.
    "one_cycle": (
        lambda lr, opt: lr.OneCycleLR(
            opt, 1.0, total_steps=T + 1, pct_start=(0.3 * T + 1) / (T + 1), final_div_factor=4, cycle_momentum=False
        ),
        {"rise": 0.3, "start": 0.04, "floor": 0.01},
    ),
    # Ours starts at 1/warmup_steps and reaches 1 with update warmup_steps − 1: one update fewer than torch's LinearLR
    # with total_iters=warmup_steps, whose ramp reaches 1 only with the update after it.
    "sgdr behind a warm-up": (
        lambda lr, opt: lr.SequentialLR(
            opt,
            [lr.LinearLR(opt, 1 / 12, 1.0, total_iters=11), lr.CosineAnnealingWarmRestarts(opt, 8, T_mult=2)],
            milestones=[12],
        ),
        {"period": 8, "period_mult": 2, "warmup_steps": 12},
    ),
    "step behind a warm-up": (
        lambda lr, opt: lr.SequentialLR(
            opt, [lr.LinearLR(opt, 1 / 4, 1.0, total_iters=3), lr.StepLR(opt, 9, gamma=0.5)], milestones=[4]
        ),
        {"every": 9, "gamma": 0.5, "warmup_steps": 4},
    ),
}


@pytest.mark.parametrize("case", TORCH)
def test_agrees_with_torch(torch, case):
    make, hyperparameters = TORCH[case]
    ours = multipliers(case.split()[0], **hyperparameters)
    np.testing.assert_allclose(ours, torch_multipliers(torch, make), rtol=1e-11, atol=1e-12)


OPTAX = {
    "constant": (lambda optax: optax.constant_schedule(1.0), {}),
    "step": (
        lambda optax: optax.exponential_decay(1.0, 7, 0.6, staircase=True),
        {"every": 7, "gamma": 0.6},
    ),
    "exponential": (lambda optax: optax.exponential_decay(1.0, T, 0.02), {"gamma": 0.02}),
    "linear": (lambda optax: optax.linear_schedule(1.0, 0.3, T), {"floor": 0.3}),
    "cosine": (lambda optax: optax.cosine_decay_schedule(1.0, T, alpha=0.1), {"floor": 0.1}),
    "sgdr": (
        lambda optax: optax.join_schedules(
            [optax.cosine_decay_schedule(1.0, n, alpha=0.1) for n in (6, 12, 24, 48)], [6, 18, 42]
        ),
        {"period": 6, "period_mult": 2, "floor": 0.1},
    ),
    "polynomial": (lambda optax: optax.polynomial_schedule(1.0, 0.2, 3, T), {"power": 3, "floor": 0.2}),
    "one_cycle": (
        lambda optax: np.vectorize(optax.cosine_onecycle_schedule(T, 1.0, 0.3, div_factor=25, final_div_factor=4)),
        {"rise": 0.3, "start": 0.04, "floor": 0.01},
    ),
    "wsd linear": (
        lambda optax: optax.join_schedules([optax.constant_schedule(1.0), optax.linear_schedule(1.0, 0.1, 18)], [72]),
        {"decay": 0.2, "shape": "linear", "floor": 0.1},
    ),
    "wsd cosine": (
        lambda optax: optax.join_schedules([optax.constant_schedule(1.0), optax.cosine_decay_schedule(1.0, 45)], [45]),
        {"decay": 0.5, "shape": "cosine"},
    ),
    "wsd square root": (
        lambda optax: optax.join_schedules(
            [optax.constant_schedule(1.0), lambda step: 1 - (abs(step) / 27) ** 0.5], [63]
        ),
        {"decay": 0.3},
    ),
    "cosine behind a warm-up": (
        lambda optax: optax.join_schedules(
            [optax.linear_schedule(1 / 20, 1.0, 19), optax.cosine_decay_schedule(1.0, T - 20)], [20]
        ),
        {"warmup_steps": 20},
    ),
}


@pytest.mark.parametrize("case", OPTAX)
def test_agrees_with_optax(optax, case):
    make, hyperparameters = OPTAX[case]
    reference = np.asarray(make(optax)(np.arange(T, dtype=np.float64)))
    ours = multipliers(case.split()[0], **hyperparameters)
    np.testing.assert_allclose(ours, np.broadcast_to(reference, T), rtol=1e-11, atol=1e-12)


def test_every_schedule_has_the_references_that_there_are():
    """What plateau and batch_growth do besides is tested in test_watch.py, against torch, and below."""
    covered = {case.split()[0] for case in (*OPTAX, *TORCH)} | {name for name, _, _ in BY_HAND}
    missing = sorted(set(schedules.names()) - covered)
    assert not missing, (
        f"{missing} are compared with nothing: add a row to TORCH or OPTAX above if the library has the schedule, and "
        "values by hand to BY_HAND if neither has it"
    )
    assert covered <= set(schedules.names()), f"{sorted(covered - set(schedules.names()))} are no schedules"


# Laws

ALL = tuple(schedules.names())


def legal(hyperparameter):
    """Any value that makes sense; lengths not below a millionth of an update, factors not above a million."""
    if isinstance(hyperparameter, Categorical):
        return st.sampled_from(hyperparameter.choices)
    if hyperparameter.integer:
        return st.integers(int(hyperparameter.minimum), 400)
    return st.floats(
        max(hyperparameter.minimum, 1e-6 if hyperparameter.open_minimum else 0.0),
        min(hyperparameter.maximum, 1e6),
        exclude_max=hyperparameter.open_maximum,
    )


@st.composite
def runs(draw, names=ALL):
    """Any schedule with any hyperparameters, and the length of a run: also one that ends within the warm-up."""
    schedule = schedules.get(draw(st.sampled_from(names)))
    given = {declared.name: draw(legal(declared)) for declared in schedule.hyperparameters}
    return schedule, given, draw(st.integers(1, 300))


@given(runs())
def test_multipliers_are_finite_and_between_0_and_1(run):
    schedule, hyperparameters, total = run
    values = schedule(np.arange(total), total, **hyperparameters)
    assert values.shape == (total,)
    assert values.dtype == np.float64
    assert np.isfinite(values).all()
    assert values.min() >= 0
    assert values.max() <= 1


@given(runs(names=tuple(name for name in ALL if schedules.get(name).starts_at_peak)))
def test_a_run_starts_at_the_base_rate(run):
    schedule, hyperparameters, total = run
    warmup = hyperparameters["warmup_steps"]
    first = schedule(np.arange(total), total, **hyperparameters)[0]
    assert first == pytest.approx(1 / warmup if warmup else 1.0, rel=1e-12)


@pytest.mark.parametrize("name", [name for name in ALL if not schedules.get(name).starts_at_peak])
def test_one_that_declares_that_it_does_not_start_at_its_peak_starts_below(name):
    schedule = schedules.get(name)
    assert schedule.plan(100, 10, 3, schedule.complete({})).multipliers[0] < 1


@given(runs(names=tuple(name for name in ALL if schedules.get(name).ramped)))
def test_warm_up_is_a_linear_ramp_before_the_schedule(run):
    schedule, hyperparameters, total = run
    warmup = hyperparameters["warmup_steps"]
    values = schedule(np.arange(total), total, **hyperparameters)
    first = schedule([0], max(total - warmup, 1), **hyperparameters | {"warmup_steps": 0})[0]
    ramp = first * (np.arange(min(warmup, total)) + 1) / max(warmup, 1)
    np.testing.assert_allclose(values[:warmup], ramp, rtol=1e-12)
    if total > warmup:
        after = schedule(np.arange(total - warmup), total - warmup, **hyperparameters | {"warmup_steps": 0})
        assert np.array_equal(values[warmup:], after)


@given(runs())
def test_a_multiplier_depends_on_its_own_update_alone(run):
    schedule, hyperparameters, total = run
    values = schedule(np.arange(total), total, **hyperparameters)
    assert schedule(np.array([total // 2]), total, **hyperparameters)[0] == values[total // 2]


@given(runs(names=("constant", "step", "exponential", "linear", "cosine", "inverse_time", "polynomial")))
def test_annealing_never_rises(run):
    schedule, hyperparameters, total = run
    values = schedule(np.arange(total), total, **hyperparameters | {"warmup_steps": 0})
    assert (np.diff(values) <= 1e-15).all()


@given(st.integers(1, 300), st.integers(1, 400))
def test_a_warm_up_in_the_formula_ends_at_its_peak(total, warmup):
    peak = min(warmup, total) - 1
    for name, highest in (("inverse_sqrt", 1.0), ("noam", (512 * warmup) ** -0.5)):
        values = schedules.get(name)(np.arange(total), total, warmup_steps=warmup)
        assert (np.diff(values[: peak + 1]) > 0).all()
        assert (np.diff(values[peak:]) < 0).all()
        assert values[peak] == pytest.approx(highest * (peak + 1) / warmup, rel=1e-12)


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


# Plans: the updates of a run


@given(runs(), st.integers(1, 60), st.integers(1, 70), st.integers(1, 6))
def test_a_plan_drops_no_row_and_has_a_rate_for_each_update(run, n_rows, batch_size, epochs):
    schedule, hyperparameters, _ = run
    plan = schedule.plan(n_rows, batch_size, epochs, hyperparameters)
    updates = len(plan.sizes)
    assert plan.starts.tolist()[0] == 0
    assert plan.starts.tolist()[-1] == updates == len(plan.multipliers)
    assert len(plan.starts) == epochs + 1
    for first, end in itertools.pairwise(plan.starts):
        assert plan.sizes[first:end].sum() == n_rows
        assert (plan.sizes[first:end] > 0).all()
    if schedule.batch is None:
        assert updates == epochs * -(-n_rows // batch_size)
        assert np.array_equal(plan.multipliers, schedule.rates(updates, updates // epochs, hyperparameters))


def rate_per_row(name, n_rows, batch_size, epochs, **hyperparameters):
    """(epochs · n,) for each row in turn, the multiplier of its update over the rows that the update was to have."""
    schedule = schedules.get(name)
    plan = schedule.plan(n_rows, batch_size, epochs, schedule.complete(hyperparameters))
    return np.repeat(plan.multipliers / plan.sizes, plan.sizes), len(plan.sizes)


@pytest.mark.parametrize("warmup_steps", [0, 16, 48])
@pytest.mark.parametrize("gamma", [0.5, 0.25])
def test_a_growing_batch_has_the_noise_scale_of_its_twin(gamma, warmup_steps):
    """η/B is the same for every row as under the step schedule that it stands for (Smith, Kindermans, Ying & Le)."""
    shared = {"every": 2, "gamma": gamma, "warmup_steps": warmup_steps}
    grown, few = rate_per_row("batch_growth", 64, 4, 7, **shared)
    cut, many = rate_per_row("step", 64, 4, 7, **shared)
    np.testing.assert_allclose(grown, cut, rtol=1e-12)
    assert few < many


@pytest.mark.parametrize(
    ("limit", "sizes", "multipliers"),
    [
        (1.0, [10, 40, 100], [1, 1, 100 / 160]),
        (0.3, [10, 30, 30], [1, 30 / 40, 30 / 160]),
        (0.05, [10, 10, 10], [1, 10 / 40, 10 / 160]),
    ],
)
def test_where_the_batch_may_not_grow_the_rate_is_cut_for_the_rest(limit, sizes, multipliers):
    growth = schedules.get("batch_growth")
    plan = growth.plan(100, 10, 3, growth.complete({"every": 1, "gamma": 0.25, "limit": limit}))
    firsts = plan.starts[:-1]
    assert plan.sizes[firsts].tolist() == sizes
    np.testing.assert_allclose(plan.multipliers[firsts], multipliers, rtol=1e-12)


def test_a_batch_grows_within_an_epoch_too():
    growth = schedules.get("batch_growth")
    plan = growth.plan(40, 4, 1, growth.complete({"every": 0.5, "gamma": 0.5}))
    assert plan.sizes.tolist() == [4, 4, 4, 4, 4, 8, 8, 4]


def test_reactions_are_declared():
    plateau = schedules.get("plateau")
    assert plateau.plan(10, 5, 2, plateau.complete({"patience": 4, "gamma": 0.3})).reaction == Reaction(4, 0.3)
    others = [schedules.get(name) for name in ALL if name != "plateau"]
    assert all(schedule.plan(10, 5, 2, schedule.complete({})).reaction is None for schedule in others)
