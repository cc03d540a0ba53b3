"""Every rule of the catalog, as formula and as compiled kernel, against torch.optim and optax where they have it: 200
float64 steps on a non-convex function under a changing learning rate. YellowFin is in test_yellowfin.py.
"""

from functools import cache

import numpy as np
import pytest
from numba import njit, types

from cooldown.objectives import descend, optimizers
from cooldown.objectives.fusion import _in_precision, fused
from cooldown.objectives.hyperparameters import Scale

STEPS = 200
DIMENSION = 11  # more than a SIMD register holds, and not a multiple of it
RATES = 0.003 * (0.55 + 0.45 * np.cos(np.arange(STEPS) / 7))
START = np.random.default_rng(0).uniform(-1.5, 1.5, DIMENSION)
LARGER_STEPS = {
    "prodigy": 300,
    "schedule_free_sgd": 10,
    "adagrad": 10,
    "adadelta": 100,
    "yellowfin": 100,
    "delay_tolerant_adagrad": 10,
}
"""What the rates are multiplied by for rules that would hardly move under them."""


def in_time(rates):
    """For optax's schedule_free, whose count of updates begins at 1."""
    return lambda count: rates(count - 1)


TORCH = {
    "sgd": lambda torch, p, l2: torch.optim.SGD(p, weight_decay=l2),
    "momentum": lambda torch, p, l2, momentum: torch.optim.SGD(p, momentum=momentum, weight_decay=l2),
    "nag": lambda torch, p, l2, momentum: torch.optim.SGD(p, momentum=momentum, nesterov=True, weight_decay=l2),
    "rmsprop": lambda torch, p, l2, rho, epsilon: torch.optim.RMSprop(p, alpha=rho, eps=epsilon, weight_decay=l2),
    "adam": lambda torch, p, l2, beta1, beta2, epsilon: torch.optim.Adam(
        p, betas=(beta1, beta2), eps=epsilon, weight_decay=l2
    ),
    "adagrad": lambda torch, p, l2, epsilon: torch.optim.Adagrad(p, eps=epsilon, weight_decay=l2),
    "delay_tolerant_adagrad": lambda torch, p, l2: torch.optim.Adagrad(
        p, eps=0, initial_accumulator_value=1, weight_decay=l2
    ),
    "adadelta": lambda torch, p, l2, rho, epsilon: torch.optim.Adadelta(p, rho=rho, eps=epsilon, weight_decay=l2),
    "adamax": lambda torch, p, l2, beta1, beta2, epsilon: torch.optim.Adamax(
        p, betas=(beta1, beta2), eps=epsilon, weight_decay=l2
    ),
    "nadam": lambda torch, p, l2, beta1, beta2, epsilon, momentum_decay: torch.optim.NAdam(
        p, betas=(beta1, beta2), eps=epsilon, weight_decay=l2, momentum_decay=momentum_decay
    ),
    "radam": lambda torch, p, l2, beta1, beta2, epsilon: torch.optim.RAdam(
        p, betas=(beta1, beta2), eps=epsilon, weight_decay=l2
    ),
    "amsgrad": lambda torch, p, l2, beta1, beta2, epsilon: torch.optim.Adam(
        p, betas=(beta1, beta2), eps=epsilon, weight_decay=l2, amsgrad=True
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
    "delay_tolerant_adagrad": lambda optax, rates: optax.adagrad(rates, initial_accumulator_value=1, eps=0),
    "adadelta": lambda optax, rates, rho, epsilon: optax.adadelta(rates, rho, epsilon),
    "adamax": lambda optax, rates, beta1, beta2, epsilon: optax.adamax(rates, beta1, beta2, epsilon),
    "adamw": lambda optax, rates, beta1, beta2, epsilon, weight_decay: optax.adamw(
        rates, beta1, beta2, epsilon, weight_decay=weight_decay
    ),
    "schedule_free_sgd": lambda optax, rates, beta: optax.contrib.schedule_free(
        optax.sgd(rates), in_time(rates), b1=beta
    ),
    "schedule_free_adamw": lambda optax, rates, beta, beta2, epsilon, weight_decay: optax.contrib.schedule_free(
        optax.chain(
            optax.scale_by_rms(beta2, epsilon, eps_in_sqrt=False, bias_correction=True),
            optax.add_decayed_weights(weight_decay),
            optax.scale_by_learning_rate(rates),
        ),
        in_time(rates),
        b1=beta,
    ),
    "prodigy": lambda optax, rates, beta1, beta2, epsilon, weight_decay, initial_distance: optax.contrib.prodigy(
        rates, (beta1, beta2), eps=epsilon, estim_lr0=initial_distance, weight_decay=weight_decay
    ),
    "lion": lambda optax, rates, beta1, beta2, weight_decay: optax.lion(rates, beta1, beta2, weight_decay=weight_decay),
}

# Neither library has YellowFin and AdaDelay (test_asynchronous.py); Muon is held to torch's in test_muon.py. torch
# has no Lion, Prodigy and schedule-free rules. Without delays, delay_tolerant_adagrad is Adagrad with 1 under the
# root at first. Optax's adagrad has ε inside the root, its amsgrad takes the maximum of the corrected moment, its
# nadam has no schedule of the momentum, and its radam adds ε later.
WITHOUT_BOTH = {"yellowfin", "adadelay", "muon"}
WITHOUT_TORCH = {"muon", "prodigy", "yellowfin", "adadelay", "lion", "schedule_free_sgd", "schedule_free_adamw"}
WITHOUT_OPTAX = {"muon", "yellowfin", "adadelay", "adagrad", "amsgrad", "nadam", "radam"}


def rates_of(name):
    return RATES * LARGER_STEPS.get(name, 1)


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


def reported(name, arrays):
    """What a rule reports of what its kernel works on."""
    rule = optimizers.get(name)
    if rule.reported is None:
        return arrays["theta"]
    return rule.reported(arrays["theta"], *arrays["state"], *arrays["hyperparameters"][:, :, None])


@cache
def paths(name):
    """Both of our implementations: case → (`descend`'s path, the compiled kernel's path), each (STEPS + 1, DIMENSION)
    of what the rule reports.

    The kernel runs all cases together, as one population.
    """
    rule = optimizers.get(name)
    given = [hyperparameters_of(name, case) for case in CASES]
    l2 = np.array(list(CASES.values()))
    theta = np.tile(START, (len(CASES), 1))
    state, memory = np.zeros((len(rule.slots), *theta.shape)), np.zeros((len(CASES), rule.memory_size))
    rates, since = np.repeat(rates_of(name)[:, None], len(CASES), axis=1), np.zeros(len(CASES), np.int64)
    values = np.array([list(settings.values()) for settings in given]).T.copy().reshape(-1, len(CASES))
    kernel, path = fused(rule, "float64"), [theta.copy()]
    for step in range(STEPS):
        slopes = np.array([gradient(row) for row in theta])
        kernel(theta, slopes, state, memory, l2, rates, step, since, values, *rule.in_time(slopes))
        arrays = {"theta": theta, "state": state, "hyperparameters": values}
        path.append(reported(name, arrays).copy())
    compiled = np.array(path)
    return {
        case: (
            descend(lambda x, i=i: gradient(x) + l2[i] * x, START, name, given[i], rates_of(name)),
            compiled[:, i],
        )
        for i, case in enumerate(CASES)
    }


@pytest.fixture
def torch64(torch):
    """Torch with float64 for what a rule keeps beside the parameters, as NAdam's product of momenta."""
    torch.set_default_dtype(torch.float64)
    yield torch
    torch.set_default_dtype(torch.float32)


def torch_path(torch, name, case):
    theta = torch.nn.Parameter(torch.tensor(START, dtype=torch.float64))
    rule = TORCH[name](torch, [theta], CASES[case], **hyperparameters_of(name, case))
    path = [START]
    for rate in rates_of(name):
        rule.param_groups[0]["lr"] = rate
        theta.grad = torch.from_numpy(gradient(theta.detach().numpy()))
        rule.step()
        path.append(theta.detach().numpy().copy())
    return np.array(path)


def optax_path(optax, name, case):
    import jax
    from jax import numpy as jnp

    rates = jnp.asarray(rates_of(name))
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
        free = name.startswith("schedule_free")
        path.append(np.asarray(optax.contrib.schedule_free_eval_params(state[1], theta) if free else theta))
    return np.array(path)


def assert_same_path(ours, reference):
    assert ours.shape == reference.shape == (STEPS + 1, DIMENSION)
    assert np.abs(reference[-1] - START).max() > 0.1, "the reference did not move"
    np.testing.assert_allclose(ours, reference, rtol=1e-10, atol=1e-12)


def test_every_rule_has_the_references_that_there_are():
    assert set(optimizers.names()) - set(TORCH) - set(OPTAX) == WITHOUT_BOTH, (
        "a rule that neither library has needs a test of its own, as YellowFin has in test_yellowfin.py, and its name "
        "in WITHOUT_BOTH"
    )
    for library, references, without in (("torch", TORCH, WITHOUT_TORCH), ("optax", OPTAX, WITHOUT_OPTAX)):
        table = library.upper()
        missing = sorted(set(optimizers.names()) - set(references) - without)
        assert not missing, (
            f"{missing} have no reference from {library}: add a row to {table} above, or, if {library} has no such "
            f"rule, their names to WITHOUT_{table}, with the reason"
        )
        stale = sorted((set(references) | without) - set(optimizers.names()) | set(references) & without)
        assert not stale, f"{stale} stand in {table} and WITHOUT_{table}, or are no optimizers"


@pytest.mark.parametrize(
    ("name", "case"),
    [(name, case) for name in TORCH for case in CASES if case != "L2" or name not in WITHOUT_L2],
)
def test_agrees_with_torch(torch64, name, case):
    expected = torch_path(torch64, name, case)
    for ours in paths(name)[case]:
        assert_same_path(ours, expected)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", OPTAX)
def test_agrees_with_optax(optax, name, case):
    expected = optax_path(optax, name, case)
    for ours in paths(name)[case]:
        assert_same_path(ours, expected)


@pytest.mark.parametrize("name", optimizers.names())
def test_cases_differ(name):
    """Else the comparisons above would not see a hyperparameter that is ignored."""
    ends = {case: both[0][-1] for case, both in paths(name).items()}
    assert np.abs(ends["L2"] - ends["defaults"]).max() > 1e-6
    if len(optimizers.get(name).hyperparameters) > 1:
        assert np.abs(ends["middle of the ranges"] - ends["defaults"]).max() > 1e-6


@pytest.mark.parametrize("name", optimizers.names())
def test_each_hyperparameter_matters(name):
    defaults = hyperparameters_of(name, "defaults")
    end = descend(gradient, START, name, defaults, rates_of(name))[-1]
    for other, value in hyperparameters_of(name, "middle of the ranges").items():
        if (name, other) == ("muon", "momentum"):
            continue  # of weight matrices, which there are none of here
        value = 0.5 if value == pytest.approx(defaults[other]) else value
        changed = descend(gradient, START, name, defaults | {other: value}, rates_of(name))[-1]
        assert np.abs(changed - end).max() > 1e-8, other


@pytest.mark.parametrize("name", optimizers.names())
def test_float32_formulas_are_computed_in_float32(name):
    """A literal 1 in a formula would lift it to float64, at half the speed."""
    rule = optimizers.get(name)
    # θ, g, slots, η, t and the other hyperparameters; an update also has the numbers
    shared = 3 + len(rule.slots) + len(rule.hyperparameters)
    formulas = {rule.update: shared + len(rule.number_names) + len(rule.optional)}
    formulas |= dict.fromkeys(rule.numbers.terms if rule.numbers else (), shared)
    for formula, arguments in formulas.items():
        compiled = njit(_in_precision(formula, np.dtype(np.float32)))
        compiled.compile((types.float32,) * arguments)
        (signature,) = compiled.nopython_signatures
        returned = signature.return_type
        assert {value.name for value in (returned if isinstance(returned, types.BaseTuple) else [returned])} == {
            "float32"
        }


def fresh(name, dtype, replicates=1):
    """What the kernel of a rule works on, for θ = START, at its defaults."""
    rule = optimizers.get(name)
    theta = np.tile(START, (replicates, 1)).astype(dtype)
    values = list(hyperparameters_of(name, "defaults").values())
    return {
        "theta": theta,
        "state": np.zeros((len(rule.slots), *theta.shape), dtype),
        "memory": np.zeros((replicates, rule.memory_size)),
        "l2": np.zeros(replicates, dtype),
        "rates": np.repeat(rates_of(name)[:, None], replicates, axis=1).astype(dtype),
        "since": np.zeros(replicates, np.int64),
        "hyperparameters": np.tile(np.array(values, dtype)[:, None], replicates).reshape(-1, replicates),
    }


def advance(name, dtype, arrays, slopes, step):
    a = arrays
    rule = optimizers.get(name)
    others = a["state"], a["memory"], a["l2"], a["rates"], step, a["since"], a["hyperparameters"]
    fused(rule, dtype)(a["theta"], slopes, *others, *rule.in_time(slopes))


@pytest.mark.parametrize("name", optimizers.names())
def test_float32_kernel_is_near_float64_and_only_reads_the_gradient(name):
    arrays = fresh(name, "float32")
    for step in range(20):
        slopes = gradient(arrays["theta"][0]).astype(np.float32)[None]
        before = slopes.copy()
        advance(name, "float32", arrays, slopes, step)
        assert np.array_equal(slopes, before), "the gradient is only read"
    np.testing.assert_allclose(reported(name, arrays)[0], paths(name)["defaults"][0][20], rtol=5e-5, atol=5e-5)


@pytest.mark.parametrize("name", optimizers.names())
def test_nan_gradient_gives_nan_parameters(name):
    """A divergence must not be hidden by what the compiler may assume."""
    arrays = fresh(name, "float64")
    slopes = np.ones((1, DIMENSION))
    slopes[0, 3] = np.nan
    advance(name, "float64", arrays, slopes, 0)
    lost = np.flatnonzero(np.isnan(arrays["theta"][0])).tolist()
    # A rule that knows the norm of the gradient loses all parameters at once.
    numbers = optimizers.get(name).numbers
    assert lost == (list(range(DIMENSION)) if numbers and numbers.terms else [3])


@pytest.mark.parametrize("name", optimizers.names())
def test_a_cleared_replicate_begins_anew_beside_one_that_goes_on(name):
    arrays = fresh(name, "float64", 2)
    for step in range(10):
        slopes = np.array([gradient(row) for row in arrays["theta"]])
        advance(name, "float64", arrays, slopes, step)
    arrays["theta"][1] = START
    arrays["state"][:, 1] = arrays["memory"][1] = 0
    arrays["since"][1] = 10
    arrays["rates"][10:, 1] = arrays["rates"][:-10, 1].copy()
    for step in range(10, 20):
        slopes = np.array([gradient(row) for row in arrays["theta"]])
        advance(name, "float64", arrays, slopes, step)
    formula, _ = paths(name)["defaults"]
    np.testing.assert_allclose(reported(name, arrays), [formula[20], formula[10]], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", optimizers.names())
def test_columns_beyond_the_gradient_are_left_alone(name):
    """A network keeps its running statistics there."""
    arrays = fresh(name, "float64")
    wider = {**fresh(name, "float64"), "theta": np.concatenate([arrays["theta"], [[7.0, 8.0]]], axis=1)}
    slopes = gradient(START)[None]
    advance(name, "float64", arrays, slopes, 0)
    advance(name, "float64", wider, slopes, 0)
    assert wider["theta"][0, -2:].tolist() == [7.0, 8.0]
    assert np.array_equal(wider["theta"][:, :-2], arrays["theta"])


@pytest.mark.parametrize("name", optimizers.names())
def test_declaration(name):
    rule = optimizers.get(name)
    names = [hyperparameter.name for hyperparameter in rule.hyperparameters]
    assert rule.name == name
    assert names[0] == "learning_rate"
    assert len(set(names)) == len(names)
    assert rule.formula
    assert rule.reference
    for hyperparameter in rule.hyperparameters:
        assert hyperparameter.check(name, hyperparameter.default) == hyperparameter.default
        assert hyperparameter.minimum <= hyperparameter.low <= hyperparameter.high <= hyperparameter.maximum
        assert hyperparameter.meaning
