"""Each claim's judge on planted experiments in which it holds, in which it does not, and in which that is open."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from planted_views import Planted, planted_view

from cooldown.objectives import surfaces
from cooldown.search.claims import survey
from cooldown.search.claims.survey import c04_learning_rate, c06_large_batches, c14_batch_norm
from cooldown.search.claims.survey.c08_ravine import crossings, swinging
from cooldown.search.statistics.claims import LEVEL, Limits, Part, findings, whole

Effect = Callable[[str], float]
"""By an arm's name, by how much its log loss differs from that of others."""

NOISE = 0.02


def words(id: str, of_arm: Callable[[str, int], Planted]) -> list[str]:
    """The claim's word, and those of its parts."""
    claim = survey.get(id)
    found = findings(claim.of_studies([planted_view(study, of_arm) for study in claim.studies]))
    return [whole(found).word, *(finding.word for finding in found)]


def losses(effect: Effect, noise: float = NOISE) -> Callable[[str, int], Planted]:
    """Test losses around 0.3, times exp(effect)."""
    draw = np.random.default_rng(1)
    return lambda arm, repeat: Planted(0.3 * float(np.exp(effect(arm) + draw.normal(0, noise))))


def unclear(arm: str) -> float:
    return 0.0


def reaching(fast: str, epochs: int, noise: int = 0) -> Callable[[str, int], Planted]:
    """Validation losses that fall in ten epochs to 0.3; of the arm `fast` in so many."""
    draw = np.random.default_rng(2)

    def of_arm(arm: str, repeat: int) -> Planted:
        end = epochs if arm.startswith(fast) else 10
        end = int(np.clip(end + draw.integers(-noise, noise + 1), 1, 10))
        return Planted(0.3, (*[1.0] * (end - 1), *[0.3] * (11 - end)))

    return of_arm


def test_c1() -> None:
    assert words("C1", reaching("momentum+sgdr", 3)) == ["supported"] * 2
    assert words("C1", reaching("momentum+sgdr", 8)) == ["contradicted"] * 2
    assert words("C1", reaching("momentum+sgdr", 5, noise=3))[0] == "open"


def test_c1_counts_a_run_that_never_gets_there_as_a_whole_one() -> None:
    def of_arm(arm: str, repeat: int) -> Planted:
        return Planted(0.3, (1.0,) * 9 + ((0.3,) if arm == "momentum+step" else (0.4,)))

    assert words("C1", of_arm)[0] == "contradicted"


def test_c2() -> None:
    def annealed(fast: int, loss: float) -> Callable[[str, int], Planted]:
        def of_arm(arm: str, repeat: int) -> Planted:
            end = fast if arm == "momentum+cosine" else 10
            of = loss if arm == "momentum+cosine" else 0.3
            return Planted(of * (1 + repeat / 500), (*[1.0] * (end - 1), *[0.3] * (11 - end)))

        return of_arm

    assert words("C2", annealed(5, 0.3)) == ["supported"] * 3
    assert words("C2", annealed(5, 0.4)) == ["contradicted", "contradicted", "supported"]
    assert words("C2", annealed(10, 0.3)) == ["open", "supported", "open"]


@pytest.mark.parametrize(
    ("id", "better"),
    [("C3", ("adam+cosine",)), ("C13", ("shuffled", "mixed")), ("C18", ("adagrad", "tolerant", "elastic"))],
)
def test_claims_that_arms_are_better(id: str, better: tuple[str, ...]) -> None:
    def lower(arm: str) -> float:
        return -0.3 if arm.partition("=")[0] in better else 0.0

    assert set(words(id, losses(lower))) == {"supported"}
    assert words(id, losses(lambda arm: -lower(arm)))[0] == "contradicted"
    assert words(id, losses(unclear, 0.2))[0] == "open"


def test_c4() -> None:
    def ladder(steepness: float) -> Callable[[str, int], Planted]:
        draw = np.random.default_rng(3)

        def of_arm(arm: str, repeat: int) -> Planted:
            away = abs(c04_learning_rate.ARMS.index(arm) - 3)
            return Planted(0.3 * float(np.exp(steepness * away + draw.normal(0, NOISE / 4))))

        return of_arm

    assert words("C4", ladder(0.3)) == ["supported"] * 3
    assert words("C4", ladder(0.0)) == ["contradicted"] * 3
    assert words("C4", ladder(float(np.log(1.1))))[0] == "open"


def test_c4_measures_both_sides_of_the_best_rate_or_the_one_there_is() -> None:
    losses = np.array([[1.0, 0.0], [2.0, 3.0], [6.0, 4.0]])
    assert c04_learning_rate.lost(losses, 1, 1) == pytest.approx([1.5, -1.0])
    assert c04_learning_rate.lost(losses, 0, 2) == pytest.approx([5.0, 4.0])


def test_c5() -> None:
    def growth(loss: float, updates: int) -> Callable[[str, int], Planted]:
        def of_arm(arm: str, repeat: int) -> Planted:
            grows = arm == "momentum+batch_growth"
            return Planted((loss if grows else 0.3) * (1 + repeat / 500), updates=updates + repeat if grows else 1000)

        return of_arm

    assert words("C5", growth(0.3, 400)) == ["supported"] * 3
    assert words("C5", growth(0.4, 400)) == ["contradicted", "contradicted", "supported"]
    assert words("C5", growth(0.33, 400)) == ["open", "open", "supported"]
    assert words("C5", growth(0.3, 1500)) == ["contradicted", "supported", "contradicted"]


def test_c10() -> None:
    def behind(by: float) -> Effect:
        return lambda arm: 0.0 if arm == "adam" else by

    assert words("C10", losses(behind(0.05), 0.002)) == ["supported"] * 4
    assert words("C10", losses(behind(0.3), 0.002))[:3] == ["contradicted"] * 3
    assert words("C10", losses(behind(0.0), 0.002)) == ["open", "supported", "supported", "open"]


def test_c12() -> None:
    def sensitive(rule: str) -> Effect:
        """The rule that loses by a poor initialization and by a constant rate."""
        worse = (f"{rule}[initialization=poor]", rule)
        return lambda arm: 0.5 if arm in worse else 0.0

    assert words("C12", losses(sensitive("sgd"))) == ["supported"] * 3
    assert words("C12", losses(sensitive("adam"))) == ["contradicted"] * 3
    assert words("C12", losses(unclear))[0] == "open"


def test_c14() -> None:
    def up_to(without: int, with_it: int, poor: float) -> Callable[[str, int], Planted]:
        """The places of the largest rates that train, and what a poor start costs without the normalization."""

        def of_arm(arm: str, repeat: int) -> Planted:
            for arms, largest in ((c14_batch_norm.WITHOUT, without), (c14_batch_norm.WITH, with_it)):
                names = [each.partition("=")[0] for each in arms]
                if (name := arm.partition("=")[0]) in names:
                    return Planted(0.3, capped=names.index(name) > largest + repeat % 2)
            worse = arm.startswith("poor")
            return Planted(0.3 * (1 + (poor if worse else 0.0) + repeat / 500))

        return of_arm

    assert words("C14", up_to(0, 2, 1.0)) == ["supported"] * 3
    assert words("C14", up_to(2, 0, -0.5)) == ["contradicted"] * 3
    assert words("C14", up_to(1, 1, 0.0))[0] == "open"


def test_c14_finds_the_largest_rate_that_trains() -> None:
    trains = np.zeros((len(c14_batch_norm.RATES), 3), bool)
    trains[:3, 0], trains[[0, 4], 1] = True, True
    found = np.exp(c14_batch_norm.largest(trains))
    below = c14_batch_norm.RATES[0] / np.sqrt(10)
    assert found == pytest.approx([c14_batch_norm.RATES[2], c14_batch_norm.RATES[4], below])


def test_c15() -> None:
    def stopped(loss: float, evaluations: int) -> Callable[[str, int], Planted]:
        def of_arm(arm: str, repeat: int) -> Planted:
            stops = arm.startswith("stop")
            return Planted(
                (loss if stops else 0.3) * (1 + repeat / 500), evaluations=evaluations + repeat if stops else 10_000
            )

        return of_arm

    assert words("C15", stopped(0.3, 4000)) == ["supported"] * 3
    assert words("C15", stopped(0.4, 4000)) == ["contradicted", "contradicted", "supported"]
    assert words("C15", stopped(0.33, 10_000))[0] == "open"


def test_an_arm_that_was_not_tuned_leaves_a_claim_open(monkeypatch: pytest.MonkeyPatch) -> None:
    from cooldown.search.claims import measures

    monkeypatch.setattr(measures, "withheld_arms", lambda view: {"adam": "boundary: widen it"})
    assert words("C3", losses(lambda arm: -0.3 if arm == "adam+cosine" else 0.0)) == ["open"] * 2


def test_arms_that_learned_nothing_are_not_alike() -> None:
    assert set(words("C10", lambda arm, repeat: Planted(0.3, capped=True))) == {"open"}


def test_c8_counts_crossings() -> None:
    y = np.array([1.0, -0.5, 0.0, -0.2, 0.1, 0.005, -0.005])
    path = np.column_stack([y, y])
    assert crossings(path) == 3
    assert len(swinging(path)) == 5


@pytest.mark.parametrize(("id", "surface"), [("C8", "ravine"), ("C11", "saddle")])
def test_claims_about_a_surface_are_computed(id: str, surface: str) -> None:
    claim = survey.get(id)
    assert claim.computed is not None
    parts: list[Part] = claim.computed(surfaces.get(surface), "small")
    assert whole(findings(parts)).word == "supported"
    # The same numbers held against the opposite of what is claimed.
    opposite = [
        Limits(above=limits.below) if np.isfinite(limits.below) else Limits(below=limits.above)
        for limits in (part.limits for part in parts)
    ]
    against = [replace(part, limits=limits) for part, limits in zip(parts, opposite, strict=True)]
    assert whole(findings(against)).word == "contradicted"


def test_c8_has_the_published_crossings() -> None:
    from cooldown.search.claims.survey.c08_ravine import UPDATES, paths

    ravine: Any = surfaces.get("ravine")
    counted = [crossings(paths(ravine, rule, np.array([0.018]), UPDATES)[0]) for rule in ("sgd", "momentum")]
    assert counted == [60, 29]


def test_c9() -> None:
    assert words("C9", losses(lambda arm: -0.3 if arm == "adagrad" else 0.0)) == ["supported"] * 2
    assert words("C9", losses(lambda arm: 0.3 if arm == "adagrad" else 0.0)) == ["contradicted"] * 2
    assert words("C9", losses(unclear, 0.2))[0] == "open"


def test_c16() -> None:
    def noisy(by: float) -> Effect:
        return lambda arm: by if arm.startswith("noisy") else 0.0

    assert words("C16", losses(noisy(-0.3))) == ["supported"] * 3
    assert words("C16", losses(noisy(0.3))) == ["contradicted"] * 3
    assert words("C16", losses(unclear, 0.2))[0] == "open"
    assert words("C16", lambda arm, repeat: Planted(0.3, capped=True)) == ["open"] * 3


def test_c6(monkeypatch: pytest.MonkeyPatch) -> None:
    def sharper(by: float, noise: float = NOISE) -> list[str]:
        """Large batches whose φ is exp(by) times that of small ones, and whose loss is higher if by is above 0."""
        draw = np.random.default_rng(4)

        def planted(view: Any) -> Any:
            repeats = view.spec.repeats
            return {arm: by * ("large" in arm) + draw.normal(0, noise, repeats) for arm in view.arms}

        monkeypatch.setattr(c06_large_batches, "log_sharpness", planted)
        return words("C6", losses(lambda arm: by / 4 * ("large" in arm), noise))

    assert sharper(1.0) == ["supported"] * 5
    assert sharper(-1.0) == ["contradicted"] * 5
    assert sharper(0.0, 0.2)[0] == "open"


DRAWS = 1500


def wrong(made: Callable[[np.random.Generator], list[Part]]) -> float:
    """How often planted numbers, whose effect is at a limit of what is claimed, get a word that is wrong."""
    draw = np.random.default_rng(7)
    return float(np.mean([whole(findings(made(draw))).word != "open" for _ in range(DRAWS)]))


RARE = LEVEL + 3 * np.sqrt(LEVEL * (1 - LEVEL) / DRAWS)
"""Three standard errors above a share of 5 %."""


@pytest.mark.parametrize("noise", [0.02, 0.1, 0.3])
def test_c4_at_a_tie(noise: float) -> None:
    """The best rate is chosen by noisy validation losses; its neighbours lose the margin, those beyond more."""

    def made(draw: np.random.Generator) -> list[Part]:
        ladder = np.abs(np.arange(8) - 3)[:, None] * np.log(1.1)
        validation, test = (ladder + draw.normal(0, noise, (8, 5)) for _ in range(2))
        best = int(validation.mean(axis=1).argmin())
        return [Part("", c04_learning_rate.lost(test, best, steps), Limits(above=1.1)) for steps in (1, 2)]

    assert wrong(made) <= RARE


@pytest.mark.parametrize("spread", [0.5, 1.5, 3.0])
def test_c1_at_a_tie(spread: float) -> None:
    """Whole epochs, censored at the end of the run, of which SGDR takes half as many."""

    def made(draw: np.random.Generator) -> list[Part]:
        step, sgdr = (np.clip(np.round(draw.normal(mean, spread, 5)), 1, 15) for mean in (12, 6))
        return [Part("", np.log(step) - np.log(sgdr), Limits(above=2.0))]

    assert wrong(made) <= RARE


def test_c14_at_a_tie() -> None:
    """Steps of a ladder, with and without batch normalization alike."""

    def made(draw: np.random.Generator) -> list[Part]:
        rates = np.arange(len(c14_batch_norm.RATES))[:, None]
        a, b = (c14_batch_norm.largest(rates <= draw.integers(0, 3, 5)) for _ in range(2))
        return [Part("", a - b, Limits(above=1.0))]

    assert wrong(made) <= RARE
