"""Schedules against their formulas by hand, torch's schedulers and optax's."""

import math

import numpy as np
import pytest

from cooldown.objectives import schedules

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
    """What plateau and batch_growth do besides is tested in test_watch.py and test_schedule_laws.py."""
    covered = {case.split()[0] for case in (*OPTAX, *TORCH)} | {name for name, _, _ in BY_HAND}
    missing = sorted(set(schedules.names()) - covered)
    assert not missing, (
        f"{missing} are compared with nothing: add a row to TORCH or OPTAX above if the library has the schedule, and "
        "values by hand to BY_HAND if neither has it"
    )
    assert covered <= set(schedules.names()), f"{sorted(covered - set(schedules.names()))} are no schedules"
