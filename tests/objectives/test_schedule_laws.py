"""Laws that all schedules keep, and the updates of a run that they plan."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cooldown.objectives import schedules
from cooldown.objectives.hyperparameters import Categorical
from cooldown.objectives.schedules import Reaction

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
