"""Every rule of the catalog, as formula and as compiled kernel, against torch.optim and optax: 200 float64 steps on a
non-convex function under a changing learning rate.
"""

from functools import cache

import numpy as np
import pytest
from numba import njit, types

from objectives import descend, optimizers
from objectives.fusion import _in_precision, fused
from objectives.hyperparameters import Scale

STEPS = 200
DIMENSION = 11  # more than a SIMD register holds, and not a multiple of it
RATES = 0.003 * (0.55 + 0.45 * np.cos(np.arange(STEPS) / 7))
START = np.random.default_rng(0).uniform(-1.5, 1.5, DIMENSION)

TORCH = {
    "sgd": lambda torch, p, l2: torch.optim.SGD(p, weight_decay=l2),
    "momentum": lambda torch, p, l2, momentum: torch.optim.SGD(p, momentum=momentum, weight_decay=l2),
    "nag": lambda torch, p, l2, momentum: torch.optim.SGD(p, momentum=momentum, nesterov=True, weight_decay=l2),
    "rmsprop": lambda torch, p, l2, rho, epsilon: torch.optim.RMSprop(p, alpha=rho, eps=epsilon, weight_decay=l2),
    "adam": lambda torch, p, l2, beta1, beta2, epsilon: torch.optim.Adam(
        p, betas=(beta1, beta2), eps=epsilon, weight_decay=l2
    ),
    "adamw": lambda torch, p, l2, beta1, beta2, epsilon, weight_decay: torch.optim.AdamW(
        p, betas=(beta1, beta2), eps=epsilon, weight_decay=weight_decay
    ),
}
WITHOUT_L2 = {"adamw"}
"""Rules whose torch counterpart has a `weight_decay` of another meaning: optax alone is the reference for L2."""

OPTAX = {
    "sgd": lambda optax, rates: optax.sgd(rates),
    "momentum": lambda optax, rates, momentum: optax.sgd(rates, momentum=momentum),
    "nag": lambda optax, rates, momentum: optax.sgd(rates, momentum=momentum, nesterov=True),
    "rmsprop": lambda optax, rates, rho, epsilon: optax.rmsprop(rates, decay=rho, eps=epsilon, eps_in_sqrt=False),
    "adam": lambda optax, rates, beta1, beta2, epsilon: optax.adam(rates, beta1, beta2, epsilon),
    "adamw": lambda optax, rates, beta1, beta2, epsilon, weight_decay: optax.adamw(
        rates, beta1, beta2, epsilon, weight_decay=weight_decay
    ),
}


def gradient(x):
    """Of Σ (xᵢ₊₁ − xᵢ²)² + ¼(1 − xᵢ)², Rosenbrock's valley with a gentler slope: not convex, and not chaotic."""
    slope = -0.5 * (1 - x)
    valley = x[1:] - x[:-1] ** 2
    slope[1:] += 2 * valley
    slope[:-1] -= 4 * x[:-1] * valley
    return slope


def middle(hyperparameter):
    """The middle of its search range, on the axis where it is searched."""
    low, high = hyperparameter.low, hyperparameter.high
    if hyperparameter.scale is Scale.LOG:
        return np.sqrt(low * high)
    if hyperparameter.scale is Scale.ONE_MINUS_LOG:
        return 1 - np.sqrt((1 - low) * (1 - high))
    return (low + high) / 2


def hyperparameters_of(name, case):
    declared = optimizers.get(name).hyperparameters[1:]
    return {each.name: middle(each) if case == "middle of the ranges" else each.default for each in declared}


CASES = {"defaults": 0.0, "middle of the ranges": 0.0, "L2": 0.03}


@cache
def paths(name):
    """Both of our implementations: case → (`descend`'s path, the compiled kernel's path), each (STEPS + 1, DIMENSION).

    The kernel runs all cases together, as one population.
    """
    rule = optimizers.get(name)
    given = [hyperparameters_of(name, case) for case in CASES]
    l2 = np.array(list(CASES.values()))
    theta = np.tile(START, (len(CASES), 1))
    state = np.zeros((len(rule.slots), *theta.shape))
    rates = np.repeat(RATES[:, None], len(CASES), axis=1)
    values = np.array([list(each.values()) for each in given]).T.copy().reshape(-1, len(CASES))
    kernel, path = fused(rule, "float64"), [theta.copy()]
    for step in range(STEPS):
        slopes = np.array([gradient(row) for row in theta])
        kernel(theta, slopes, state, l2, rates, step, values)
        path.append(theta.copy())
    compiled = np.array(path)
    return {
        case: (
            descend(lambda x, i=i: gradient(x) + l2[i] * x, START, name, given[i], RATES),
            compiled[:, i],
        )
        for i, case in enumerate(CASES)
    }


def torch_path(torch, name, case):
    theta = torch.nn.Parameter(torch.tensor(START, dtype=torch.float64))
    rule = TORCH[name](torch, [theta], CASES[case], **hyperparameters_of(name, case))
    path = [START]
    for rate in RATES:
        rule.param_groups[0]["lr"] = rate
        theta.grad = torch.from_numpy(gradient(theta.detach().numpy()))
        rule.step()
        path.append(theta.detach().numpy().copy())
    return np.array(path)


def optax_path(optax, name, case):
    import jax
    from jax import numpy as jnp

    rates = jnp.asarray(RATES)
    rule = OPTAX[name](optax, lambda count: rates[count], **hyperparameters_of(name, case))
    rule = optax.chain(optax.add_decayed_weights(CASES[case]), rule)

    @jax.jit
    def step(theta, state, slope):
        updates, state = rule.update(slope, state, theta)
        return optax.apply_updates(theta, updates), state

    theta = jnp.asarray(START)
    state, path = rule.init(theta), [START]
    for _ in range(STEPS):
        theta, state = step(theta, state, gradient(np.asarray(theta)))
        path.append(np.asarray(theta))
    return np.array(path)


def assert_same_path(ours, reference):
    assert ours.shape == reference.shape == (STEPS + 1, DIMENSION)
    assert np.abs(reference[-1] - START).max() > 0.1, "the reference did not move"
    np.testing.assert_allclose(ours, reference, rtol=1e-10, atol=1e-12)


def test_every_rule_has_both_references():
    assert set(TORCH) == set(OPTAX) == set(optimizers.names())


@pytest.mark.parametrize(
    ("name", "case"),
    [(name, case) for name in optimizers.names() for case in CASES if case != "L2" or name not in WITHOUT_L2],
)
def test_agrees_with_torch(torch, name, case):
    expected = torch_path(torch, name, case)
    for ours in paths(name)[case]:
        assert_same_path(ours, expected)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", optimizers.names())
def test_agrees_with_optax(optax, name, case):
    expected = optax_path(optax, name, case)
    for ours in paths(name)[case]:
        assert_same_path(ours, expected)


@pytest.mark.parametrize("name", optimizers.names())
def test_cases_differ(name):
    """Else the comparisons above would not see a hyperparameter that is ignored."""
    ends = {case: both[0][-1] for case, both in paths(name).items()}
    assert np.abs(ends["L2"] - ends["defaults"]).max() > 1e-4
    if len(optimizers.get(name).hyperparameters) > 1:
        assert np.abs(ends["middle of the ranges"] - ends["defaults"]).max() > 1e-4


@pytest.mark.parametrize("name", optimizers.names())
def test_each_hyperparameter_matters(name):
    defaults = hyperparameters_of(name, "defaults")
    end = descend(gradient, START, name, defaults, RATES)[-1]
    for other, value in hyperparameters_of(name, "middle of the ranges").items():
        value = 0.5 if value == defaults[other] else value
        changed = descend(gradient, START, name, defaults | {other: value}, RATES)[-1]
        assert np.abs(changed - end).max() > 1e-8, other


@pytest.mark.parametrize("name", optimizers.names())
def test_float32_formula_is_computed_in_float32(name):
    """A literal 1 in a formula would lift it to float64, at half the speed."""
    rule = optimizers.get(name)
    compiled = njit(_in_precision(rule.update, np.dtype(np.float32)))
    arguments = 3 + len(rule.slots) + len(rule.hyperparameters)  # θ, g, slots, η, t, the hyperparameters after η
    compiled.compile((types.float32,) * arguments)
    (signature,) = compiled.nopython_signatures
    assert {value.name for value in signature.return_type} == {"float32"}


@pytest.mark.parametrize("name", optimizers.names())
def test_float32_kernel_is_near_float64_and_only_reads_the_gradient(name):
    rule = optimizers.get(name)
    theta = START[None].astype(np.float32)
    state = np.zeros((len(rule.slots), 1, DIMENSION), np.float32)
    values = np.array([[value] for value in hyperparameters_of(name, "defaults").values()], np.float32)
    kernel = fused(rule, "float32")
    for step in range(20):
        slopes = gradient(theta[0]).astype(np.float32)[None]
        before = slopes.copy()
        rates, l2 = RATES[:, None].astype(np.float32), np.zeros(1, np.float32)
        kernel(theta, slopes, state, l2, rates, step, values.reshape(-1, 1))
        assert np.array_equal(slopes, before), "the gradient is only read"
    np.testing.assert_allclose(theta[0], paths(name)["defaults"][0][20], rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", optimizers.names())
def test_nan_gradient_gives_nan_parameters(name):
    """A divergence must not be hidden by what the compiler may assume."""
    rule = optimizers.get(name)
    theta, state = np.ones((1, DIMENSION)), np.zeros((len(rule.slots), 1, DIMENSION))
    values = np.array([[value] for value in hyperparameters_of(name, "defaults").values()]).reshape(-1, 1)
    slopes = np.ones((1, DIMENSION))
    slopes[0, 3] = np.nan
    fused(rule, "float64")(theta, slopes, state, np.zeros(1), np.full((1, 1), 0.1), 0, values)
    assert np.flatnonzero(np.isnan(theta[0])).tolist() == [3]


@pytest.mark.parametrize("name", optimizers.names())
def test_declaration(name):
    rule = optimizers.get(name)
    names = [hyperparameter.name for hyperparameter in rule.hyperparameters]
    assert rule.name == name
    assert names[0] == "learning_rate"
    assert len(set(names)) == len(names)
    assert rule.formula
    assert rule.reference
    for each in rule.hyperparameters:
        assert each.check(name, each.default) == each.default
        assert each.minimum <= each.low <= each.high <= each.maximum
        assert each.meaning
