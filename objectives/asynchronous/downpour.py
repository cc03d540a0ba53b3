"""Downpour SGD: workers move copies, and send the sums of their gradients to a parameter server."""

from cooldown.objectives.asynchrony import STALENESS_SCALING, Asynchronous, interval

downpour = Asynchronous(
    name="downpour",
    own=(
        interval("push_every", 4, "updates of a worker after which it sends the sum of its gradients"),
        interval("fetch_every", None, "updates of a worker after which it takes the server's parameters"),
        STALENESS_SCALING,
    ),
    push_every="push_every",
    fetch_every="fetch_every",
    staleness_scaling=STALENESS_SCALING.name,
    formula="xⁱ ← xⁱ − ηg, s ← s + g; to send: θ ← the rule's step from θ with s, s ← 0; to fetch: xⁱ ← θ",
    reference="Dean et al. 2012; rates by staleness: Zhang, Gupta, Lian & Liu 2016",
)
