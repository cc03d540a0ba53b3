"""Elastic averaging SGD: workers move copies, which an elastic force ties to a centre."""

from cooldown.objectives.asynchrony import EXCHANGE, Asynchronous

easgd = Asynchronous(
    name="easgd",
    own=EXCHANGE,
    exchange_every="exchange_every",
    elasticity="elasticity",
    formula="g at xⁱ; to exchange: d = (β/p)(xⁱ − θ), θ ← θ + d, xⁱ ← xⁱ − d; xⁱ ← the rule's step from xⁱ with g",
    reference="Zhang, Choromanska & LeCun 2015",
)
