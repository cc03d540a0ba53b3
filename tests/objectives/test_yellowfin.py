"""YellowFin against a plain transcription of its paper, and the momentum that it picks for a known spectrum."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cooldown.objectives import descend, optimizers
from cooldown.objectives.optimizers import yellowfin

BETA, EPSILON = 0.999, 1e-6


def transcribed(gradient, start, factors, beta=BETA, epsilon=EPSILON):
    """Algorithms 1 to 4 of the paper, line by line, with `numpy.roots` for the cubic; the path and the (μ, α)."""
    theta, velocity = np.array(start, float), 0.0
    curvatures, path, tuned = [], [theta], []
    averages = dict.fromkeys(["h_max", "h_min", "g2", "g", "norm", "h", "distance"], 0.0)

    def average(name, value, t):
        averages[name] = beta * averages[name] + (1 - beta) * value
        return averages[name] / (1 - beta**t)

    for t, factor in enumerate(factors, 1):
        g = np.asarray(gradient(theta), float)
        curvatures = [*curvatures, np.sum(g**2)][-20:]
        h_max = average("h_max", max(curvatures), t)
        h_min = average("h_min", min(curvatures), t)
        variance = np.abs(average("g2", g**2, t) - average("g", g, t) ** 2).sum()
        distance = average(
            "distance", average("norm", np.linalg.norm(g), t) / (average("h", np.sum(g**2), t) + epsilon), t
        )
        h_max, h_min, variance, distance = (estimate + epsilon for estimate in (h_max, h_min, variance, distance))
        mu, alpha = brute_force(variance, distance, h_max, h_min)
        tuned.append((mu, alpha))
        velocity = mu * velocity + g
        theta = theta - factor * alpha * min(1, t / 200) * velocity
        path.append(theta)
    return np.array(path), np.array(tuned)


def brute_force(variance, distance, h_max, h_min):
    """argmin μD² + α²C, α = (1−√μ)²/h_min, √μ at least (√κ−1)/(√κ+1): from the roots of the derivative by √μ."""
    # d/dx of x²D² + (1−x)⁴C/h_min², x = √μ
    cubic = np.poly1d([1, -1]) ** 3 * (4 * variance / h_min**2) + np.poly1d([2 * distance**2, 0])
    (root,) = [x.real for x in cubic.roots if abs(x.imag) < 1e-9 * max(abs(x), 1)]
    root_kappa = np.sqrt(h_max / h_min)
    x = max(root, (root_kappa - 1) / (root_kappa + 1))
    return x**2, (1 - x) ** 2 / h_min


def noisy(spectrum, seed=0):
    """The gradient of a quadratic with this Hessian's spectrum and unit noise, anew at each call."""
    rng = np.random.default_rng(seed)
    return lambda x: spectrum * x + rng.normal(size=len(x))


@pytest.mark.parametrize("spectrum", [[1.0, 10.0], [0.1, 3.0, 40.0]], ids=str)
def test_agrees_with_the_paper_line_by_line(spectrum):
    spectrum = np.array(spectrum)
    factors = 1.0 + 0.3 * np.sin(np.arange(300) / 5)
    start = np.full(len(spectrum), 3.0)
    expected, _ = transcribed(noisy(spectrum), start, factors)
    ours = descend(noisy(spectrum), start, "yellowfin", {}, factors)
    assert np.abs(expected[-1] - start).max() > 1
    np.testing.assert_allclose(ours, expected, rtol=1e-6, atol=1e-9)


positive = st.floats(1e-3, 1e3)


@given(positive, positive, positive, st.floats(1, 1e4))
def test_the_single_step_is_the_minimum_of_its_bound(variance, distance, h_min, kappa):
    """At t = 1 every running average is its value: the numbers are those of the closed form."""
    x, alpha = single_step(variance, distance, h_min, kappa * h_min)
    least = (np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1)
    grid = np.linspace(least, 1, 20_001)

    def objective(root):
        return root**2 * distance**2 + ((1 - root) ** 2 / h_min) ** 2 * variance

    assert least - 1e-6 <= x <= 1
    assert objective(x) <= objective(grid).min() * (1 + 1e-9)
    assert alpha == pytest.approx((1 - x) ** 2 / h_min, rel=1e-6, abs=1e-12)


def single_step(variance, distance, h_min, h_max):
    """√μ and α of the tuner, its slow start undone, for estimates that are given."""
    t, epsilon = 1.0, 1e-300
    weight = 1 - BETA
    memory = np.zeros(optimizers.get("yellowfin").memory_size)
    # A first update with h = h_min, and averages that come out as they are asked for.
    memory[yellowfin.H_MAX] = (h_max - h_min) * weight / BETA
    memory[yellowfin.DISTANCE] = (distance - 1 / np.sqrt(h_min)) * weight / BETA
    mu, alpha = yellowfin.tuned((h_min, variance), memory, t, BETA, epsilon)
    return np.sqrt(mu), alpha * yellowfin.SLOW_START


@pytest.mark.parametrize("kappa", [1.0, 4.0, 100.0, 1e4])
def test_without_noise_the_momentum_is_that_of_the_condition_number(kappa):
    x, _ = single_step(variance=1e-12, distance=1e3, h_min=1.0, h_max=kappa)
    assert x == pytest.approx((np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1), abs=2e-6)


@pytest.mark.parametrize("kappa", [2.0, 9.0, 100.0])
def test_the_momentum_approaches_that_of_a_known_spectrum(kappa):
    """Samples of a quadratic negative log-likelihood whose curvatures are known: one in 20 has κ, the others 1.

    At a standard deviation from each sample's optimum its gradient is √h, and the squared norm the curvature itself.
    The rate is kept near 0, so that the point stays there. The paper: √μ = (√κ−1)/(√κ+1) where noise does not ask for
    more.
    """
    curvatures = np.where(np.arange(3000) % 20 == 7, kappa, 1.0)
    calls = iter(curvatures)
    numbers = []
    rule = optimizers.get("yellowfin")

    def observed(*arguments):
        numbers.append(rule.numbers.work_out(*arguments))
        return numbers[-1]

    watched = optimizers.Optimizer(
        rule.name,
        rule.family,
        rule.update,
        rule.hyperparameters,
        rule.formula,
        rule.reference,
        optimizers.Numbers(observed, rule.numbers.size, rule.numbers.terms),
    )
    descend(lambda x: [np.sqrt(next(calls))], [0.0], watched, {}, np.full(3000, 1e-12))
    momentum = np.array(numbers)[:, 0]
    expected = ((np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1)) ** 2
    assert momentum[-1] == pytest.approx(expected, rel=0.02)
    # From the first window on it is on its way: the estimate of κ only grows towards κ.
    assert (np.diff(momentum[20:]) >= -1e-3).all()


@pytest.mark.parametrize("kappa", [1.0, 10.0, 50.0])
def test_it_finds_the_minimum_of_a_quadratic_by_itself(kappa):
    spectrum = np.geomspace(1, kappa, 5)
    path = descend(lambda x: spectrum * x, np.ones(5), "yellowfin", {}, np.ones(3000))
    assert np.abs(path[-1]).max() < 1e-3


def test_the_rate_starts_slowly():
    path = descend(lambda x: x, [1.0], "yellowfin", {}, np.ones(2))
    assert 0 < 1 - path[1, 0] < 1 / yellowfin.SLOW_START + 1e-9
