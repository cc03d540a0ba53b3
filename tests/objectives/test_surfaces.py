"""Surfaces against their formulas by hand and by differences, and every optimizer's path over every one of them."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from covering import covering, in_short
from hypothesis import given
from hypothesis import strategies as st

from cooldown.objectives import descend, optimizers, surfaces
from cooldown.objectives.errors import InputError
from cooldown.objectives.surfaces import Minimum, Surface

pytestmark = pytest.mark.together

EVERY = pytest.mark.parametrize("name", surfaces.names())
WITH_MINIMA = [name for name in surfaces.names() if surfaces.get(name).minima]
SGD_FAMILY = ("sgd", "momentum", "nag")
# Not the rules for gradients that come late, whose denominators begin at 1, so that they begin like SGD, as RAdam does;
# nor Prodigy, which first has to find its rate.
BEGIN_OTHERWISE = ("radam", "prodigy")
ADAPTIVE = [
    name
    for name in optimizers.names()
    if optimizers.get(name).family == "adaptive" and not optimizers.get(name).delays and name not in BEGIN_OTHERWISE
]

TOO_SHORT = {
    # Its first five steps are as long as the gradient: a rate at which they are no jumps is too small for those after.
    *(("radam", name) for name in ("beale", "himmelblau", "ravine", "rosenbrock", "saddle")),
    # It first has to find its rate, and the average of a path is behind it.
    ("prodigy", "saddle"),
    ("schedule_free_sgd", "saddle"),
}
"""Optimizers that do not arrive in a surface's own number of steps."""

PATHS = [(name, optimizer) for name in surfaces.names() for optimizer in optimizers.names()]
LONGEST = "rosenbrock"
"""A surface of 4000 steps: each of its rates takes as long as all rates on another one."""
OVER_THE_LONGEST = ("sgd", "momentum", "adam")
PATHS_IN_SHORT = [(name, optimizer) for name, optimizer in PATHS if name != LONGEST or optimizer in OVER_THE_LONGEST]


@cache
def path_of(name, optimizer):
    """The trajectory of one optimizer, which is searched once."""
    (trajectory,) = surfaces.trajectories(name, [optimizer])
    return trajectory


def paths(name):
    """The trajectories of all optimizers by name."""
    return {optimizer: path_of(name, optimizer) for optimizer in optimizers.names()}


def in_window(surface, points):
    low, high = np.transpose(surface.window)
    return ((low <= points) & (points <= high)).all(axis=-1)


def hessian(surface, point, h=1e-5):
    return (surface.gradient(point + h * np.eye(2)) - surface.gradient(point - h * np.eye(2))) / (2 * h)


def strides(path):
    return np.hypot(*np.diff(path, axis=0).T)


# Formulas


def test_the_catalog():
    assert set(surfaces.names()) >= {"beale", "rosenbrock", "rastrigin", "himmelblau", "ravine", "saddle"}
    for name in surfaces.names():
        surface = surfaces.get(name)
        assert surface.name == name
        assert surface.formula
        assert surface.reference
        assert in_window(surface, np.array(surface.start))
        # What counts as an arrival: a minimum or a level, and not the start.
        assert bool(surface.minima) == (surface.tolerance > 0) == (surface.level == -math.inf)
        assert not surface.arrived(surface.start)


@pytest.mark.parametrize(
    ("name", "point", "value", "gradient"),
    [
        ("beale", (0, 0), 2.25 * (1 + 2.25) + 2.625**2, (-12.75, 0)),
        ("beale", (1, 1), 14.203125, (0, 27.75)),
        ("rosenbrock", (-1.2, 1), 24.2, (-215.6, -88)),
        ("rastrigin", (0.25, 1), 20 + 0.0625 + 1 - 10, (0.5 + 20 * math.pi, 2)),
        ("himmelblau", (0, 0), 170, (-14, -22)),
        ("ravine", (3, -0.5), 17, (3, -50)),
        ("saddle", (1, 2), -3, (2, -4)),
    ],
)
def test_by_hand(name, point, value, gradient):
    surface = surfaces.get(name)
    assert surface.value(point) == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(surface.gradient(point), gradient, rtol=1e-13, atol=1e-13)


@EVERY
@given(share=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_gradient_against_differences(name, share):
    surface = surfaces.get(name)
    low, high = np.transpose(surface.window)
    point = low + np.array(share) * (high - low)
    h = 1e-5
    ahead, behind = surface.value(point + h * np.eye(2)), surface.value(point - h * np.eye(2))
    scale = 1 + np.abs(surface.value(point)) + np.linalg.norm(surface.gradient(point))
    np.testing.assert_allclose(surface.gradient(point), (ahead - behind) / (2 * h), rtol=1e-6, atol=1e-8 * scale)


@EVERY
def test_arrays_of_points_are_the_points_one_by_one(name):
    surface = surfaces.get(name)
    points = np.random.default_rng(0).uniform(*np.transpose(surface.window), size=(3, 4, 2))
    before = points.copy()
    values, gradients, arrived = surface.value(points), surface.gradient(points), surface.arrived(points)
    assert (values.shape, gradients.shape, arrived.shape) == ((3, 4), (3, 4, 2), (3, 4))
    for at in np.ndindex(3, 4):
        assert values[at] == pytest.approx(float(surface.value(points[at].tolist())), rel=1e-13)
        np.testing.assert_allclose(gradients[at], surface.gradient(points[at]), rtol=1e-12, atol=1e-12)
    assert np.array_equal(points, before)
    assert surface.value(surface.start).shape == ()


@pytest.mark.parametrize("name", WITH_MINIMA)
def test_minima_are_minima_with_the_stated_value(name):
    surface = surfaces.get(name)
    places = np.array([minimum.point for minimum in surface.minima])
    stated = np.array([minimum.value for minimum in surface.minima])
    assert in_window(surface, places).all()
    np.testing.assert_allclose(surface.value(places), stated, rtol=1e-13, atol=1e-20)
    for place in places:
        smallest, largest = np.linalg.eigvalsh(hessian(surface, place))
        assert smallest > 0
        # The place is right to the last digits: a Newton step from it goes nowhere.
        assert np.linalg.norm(surface.gradient(place)) <= 1e-13 * largest * (1 + np.linalg.norm(place))
    near, distances = surface.nearest(places)
    assert near.tolist() == list(range(len(places)))
    assert not distances.any()


@pytest.mark.parametrize("name", WITH_MINIMA)
def test_no_minimum_in_the_window_is_missing(name):
    """A grid's point that is lower than its neighbours lies beside a minimum, or on a valley's sloping floor."""
    surface = surfaces.get(name)
    axes = [np.linspace(*ends, 401) for ends in surface.window]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = surface.value(points)
    inner, neighbours = values[1:-1, 1:-1], []
    for dx in (0, 1, 2):
        neighbours += [values[dx : dx + 399, dy : dy + 399] for dy in (0, 1, 2) if (dx, dy) != (1, 1)]
    lower = points[1:-1, 1:-1][(inner < np.min(neighbours, axis=0))]
    spacing = max(axis[1] - axis[0] for axis in axes)
    for point in lower[surface.nearest(lower)[1] > 2 * spacing]:
        smallest, _ = np.linalg.eigvalsh(hessian(surface, point))
        slope = np.linalg.norm(surface.gradient(point))
        assert slope > 2 * spacing * max(smallest, 0)
    assert min(minimum.value for minimum in surface.minima) <= values.min()


def test_the_saddle_has_none():
    saddle = surfaces.get("saddle")
    assert saddle.minima == ()
    assert saddle.gradient((0, 0)).tolist() == [0, 0]
    assert saddle.value((0, 1)) < saddle.value((0, 0)) < saddle.value((1, 0))
    # The start is on the ridge but for very little, without which there were no way off it.
    assert 0 < abs(saddle.start[1]) < 1e-3 * saddle.start[0]


# Paths


@pytest.mark.parametrize(("name", "optimizer"), in_short(PATHS, PATHS_IN_SHORT))
def test_every_optimizer_arrives_with_its_tuned_rate(name, optimizer):
    surface, trajectory = surfaces.get(name), path_of(name, optimizer)
    assert trajectory.path.shape == (surface.steps + 1, 2)
    assert trajectory.path.dtype == np.float64
    assert tuple(trajectory.path[0]) == surface.start
    assert trajectory.values.shape == (surface.steps + 1,)
    assert np.array_equal(trajectory.values, surface.value(trajectory.path))
    if (optimizer, name) in TOO_SHORT:
        assert trajectory.arrival is None
        assert trajectory.values[-1] < trajectory.values[0]
        return
    if surface.minima:
        ends = [math.dist(trajectory.path[-1], minimum.point) for minimum in surface.minima]
        assert min(ends) <= surface.tolerance
    else:
        assert trajectory.values[-1] < surface.level
    # Arrived for good, and not a step earlier.
    arrived = surface.arrived(trajectory.path)
    assert arrived[trajectory.arrival :].all()
    assert not arrived[trajectory.arrival - 1]
    # It went there without a jump.
    assert strides(trajectory.path)[~arrived[:-1]].max() <= 0.1 * surface.diagonal


@pytest.mark.parametrize("optimizer", optimizers.names())
@pytest.mark.parametrize("name", ["beale", "ravine", "saddle"])
def test_a_path_is_that_of_descend(name, optimizer):
    surface, trajectory = surfaces.get(name), path_of(name, optimizer)
    rates = np.full(surface.steps, trajectory.learning_rate)
    again = descend(surface.gradient, surface.start, optimizer, {}, rates)
    np.testing.assert_allclose(trajectory.path, again, rtol=1e-9, atol=1e-9)


def test_the_search_is_deterministic_and_what_the_trajectories_use():
    together = surfaces.trajectories("himmelblau")
    assert [each.name for each in together] == optimizers.names()
    for each in together:
        assert surfaces.tune("himmelblau", each.name) == each.learning_rate
        assert np.array_equal(path_of("himmelblau", each.name).path, each.path)


def test_the_rate_of_sgd_in_the_ravine_is_the_best_one_in_theory():
    """2/(L + μ), where the slowest directions along and across shrink alike."""
    assert path_of("ravine", "sgd").learning_rate == pytest.approx(2 / 101, rel=0.05)


OTHER_GRIDS = [(name, optimizer) for name in ("beale", "himmelblau", "ravine") for optimizer in optimizers.names()]


@pytest.mark.parametrize(("name", "optimizer"), in_short(OTHER_GRIDS, covering(OTHER_GRIDS, parts=lambda row: row)))
def test_no_rate_of_another_grid_is_much_better(name, optimizer):
    """A denser search than ours, at other rates, arrives at most a quarter and three steps earlier."""
    surface, ours = surfaces.get(name), path_of(name, optimizer)
    if ours.arrival is None:
        assert (optimizer, name) in TOO_SHORT
        return
    longest = 0.1 * surface.diagonal
    for rate in 10.0 ** np.linspace(-4.03, 2.97, 85):
        before = surface.start

        def gradient(point):
            """Of a path that ends at its first jump: most rates are too large."""
            nonlocal before
            # Written so that a length that is no number counts as a jump.
            if not math.dist(point, before) <= longest:
                raise OverflowError
            before = point.tolist()
            return surface.slopes(*before)

        def path(gradient, steps, rate=rate):
            with np.errstate(all="ignore"):
                return descend(gradient, surface.start, optimizer, {}, np.full(steps, rate))

        try:
            early = path(gradient, int(0.75 * ours.arrival) - 3)
        except OverflowError:
            continue
        if strides(early).max(initial=0) <= longest and surface.arrived(early[-1]):
            # It is there in time: will it stay?
            assert surface.arrival(path(surface.gradient, surface.steps)) != surface.arrival(early)


def test_momentum_damps_the_zig_zag_of_the_ravine():
    """C8: it and NAG arrive in a fraction of SGD's steps, NAG, which corrects earlier, before it."""
    arrivals = {name: paths("ravine")[name].arrival for name in SGD_FAMILY}
    assert arrivals["momentum"] < 0.5 * arrivals["sgd"]
    assert arrivals["nag"] <= arrivals["momentum"]
    # SGD goes from wall to wall: almost every early step crosses the floor.
    across = path_of("ravine", "sgd").path[:30, 1]
    assert (np.sign(across[1:]) != np.sign(across[:-1])).all()


def test_on_the_saddle_adaptive_rules_leave_while_the_sgd_family_lingers():
    """C11."""
    saddle = paths("saddle")
    latest = max(saddle[name].arrival for name in ADAPTIVE)
    assert latest * 3 < min(saddle[name].arrival for name in (*SGD_FAMILY, "yellowfin"))
    # To linger is to be near the saddle point for many steps; the others never come near it.
    for name in SGD_FAMILY:
        assert (np.linalg.norm(saddle[name].path, axis=1) < 0.3).sum() >= 5
    for name in ADAPTIVE:
        assert np.linalg.norm(saddle[name].path, axis=1).min() > 0.3


def test_on_himmelblaus_hill_the_families_go_different_ways():
    himmelblau = surfaces.get("himmelblau")
    ends = {name: int(himmelblau.nearest(trajectory.path[-1])[0]) for name, trajectory in paths("himmelblau").items()}
    assert len({ends[name] for name in SGD_FAMILY}) == len({ends[name] for name in ADAPTIVE}) == 1
    assert ends["sgd"] != ends["adam"]


@pytest.mark.parametrize("steps", [1, 2, 37])
def test_shorter_paths_are_tuned_for_their_length(steps):
    trajectories = surfaces.trajectories("rosenbrock", ["adam", "sgd"], steps)
    assert [trajectory.name for trajectory in trajectories] == ["adam", "sgd"]
    for trajectory in trajectories:
        assert trajectory.path.shape == (steps + 1, 2)
        assert trajectory.arrival is None
        assert trajectory.values[-1] < trajectory.values[0]


def test_a_path_that_falls_without_end():
    """Beyond the largest number there is only infinity: no warning, and it has left all the same."""
    (sgd,) = surfaces.trajectories("saddle", ["sgd"], 3000)
    assert sgd.values[-1] == -math.inf
    assert sgd.arrival == path_of("saddle", "sgd").arrival


def test_a_surface_of_ones_own():
    bowl = Surface(
        name="bowl",
        height=lambda x, y: x * x + y * y,
        slopes=lambda x, y: (2 * x, 2 * y),
        minima=(Minimum((0.0, 0.0), 0.0),),
        start=(1.0, -2.0),
        window=((-3.0, 3.0), (-3.0, 3.0)),
        steps=30,
        formula="x² + y²",
        reference="",
        tolerance=0.1,
    )
    (sgd,) = surfaces.trajectories(bowl, ["sgd"])
    assert sgd.arrival is not None
    assert surfaces.tune(bowl, "sgd") == sgd.learning_rate
    # Of two minima that can be reached, the lower one counts more than the steps to it.
    two = replace(bowl, minima=(Minimum((0.0, 0.0), 0.0), Minimum((0.9, -1.8), 4.05)))
    (again,) = surfaces.trajectories(two, ["sgd"])
    assert two.nearest(again.path[-1])[0] == 0


def test_arrival():
    saddle, ravine = surfaces.get("saddle"), surfaces.get("ravine")
    assert ravine.arrival([(1, 0), (0.1, 0), (1, 0), (0.1, 0), (0, 0)]) == 3
    assert ravine.arrival([(0, 0), (0.1, 0)]) == 0
    assert ravine.arrival([(0, 0), (1, 0)]) is None
    assert ravine.arrival([(0, 0), (math.nan, 0)]) is None
    assert saddle.arrival([(0, 0), (0, 1), (0, 1.1)]) == 2


# Mistakes


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: surfaces.get("beal"), "unknown surface 'beal'; did you mean 'beale'? (choose from: beale,"),
        (lambda: surfaces.trajectories("sadle"), "unknown surface 'sadle'; did you mean 'saddle'?"),
        (lambda: surfaces.tune("sadle", "sgd"), "unknown surface 'sadle'; did you mean 'saddle'?"),
        (lambda: surfaces.trajectories("beale", ["adm"]), "unknown optimizer 'adm'; did you mean 'adam'?"),
        (lambda: surfaces.tune("beale", "adm"), "unknown optimizer 'adm'; did you mean 'adam'?"),
        (lambda: surfaces.trajectories("beale", []), "trajectories(optimizers=...): needs at least one optimizer"),
        (lambda: surfaces.trajectories("beale", ["sgd", "sgd"]), "trajectories(optimizers=...): sgd is named twice"),
        (lambda: surfaces.trajectories("beale", steps=0), "trajectories(steps=0): steps must be a whole number from 1"),
        (lambda: surfaces.trajectories("beale", steps=2.5), "trajectories(steps=2.5): steps must be a whole number"),
        (lambda: surfaces.trajectories("beale", steps=True), "steps must be a whole number from 1 to 10000, got True"),
        (lambda: surfaces.tune("beale", "sgd", 10_001), "tune(steps=10001): steps must be a whole number"),
        (lambda: surfaces.get("beale").value([1, 2, 3]), "beale.value(points=...): must have shape (..., 2), got (3,)"),
        (lambda: surfaces.get("beale").gradient(1.0), "beale.gradient(points=...): must have shape (..., 2), got ()"),
        (lambda: surfaces.get("beale").value(["a", "b"]), "beale.value(points=...): must be numbers, got ['a', 'b']"),
        (lambda: surfaces.get("saddle").nearest((0, 0)), "saddle.nearest(points=...): saddle has no minimum"),
    ],
)
def test_a_mistake_is_named(call, message):
    with pytest.raises(InputError) as error:
        call()
    assert message in str(error.value)
