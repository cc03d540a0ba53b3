"""Hogwild!: workers read and write the same parameters without a lock."""

from cooldown.objectives.asynchrony import STALENESS_SCALING, Asynchronous

hogwild = Asynchronous(
    name="hogwild",
    own=(STALENESS_SCALING,),
    staleness_scaling=STALENESS_SCALING.name,
    formula="g at θ as its worker read it, τ updates ago; θ ← the rule's step from θ with g",
    reference="Niu, Recht, Ré & Wright 2011; rates by staleness: Zhang, Gupta, Lian & Liu 2016",
)
