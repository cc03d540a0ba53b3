"""C16: SGD with and without noise of variance 0.01/(1 + t)^0.55 in its gradient, from two poor starts; all with tuned
rates.
"""

from collections.abc import Sequence

from cooldown.search.claims.entry import Claim, Study
from cooldown.search.claims.limits import of_deep_networks
from cooldown.search.claims.measures import LOWER, loss_ratio
from cooldown.search.evidence.view import View
from cooldown.search.statistics.claims import Part

STARTS = ("normal_0.1", "zero")
NOISY = tuple(f"noisy-{start}=sgd[gradient_noise=0.01, initialization={start}]" for start in STARTS)
PLAIN = tuple(f"plain-{start}=sgd[initialization={start}]" for start in STARTS)


def of_studies(views: Sequence[View]) -> list[Part]:
    """The test loss with noise over that without, from each start."""
    (view,) = views
    return [loss_ratio(view, noisy, plain, LOWER) for noisy, plain in zip(NOISY, PLAIN, strict=True)]


c16_gradient_noise = Claim(
    name="c16_gradient_noise",
    id="C16",
    statement="Annealed gradient noise rescues poorly initialized deep networks",
    source="Neelakantan et al. 2015",
    published="20 layers of 50 on MNIST, mean accuracy of 40 runs: from N(0, 0.1²) 43.1 % without noise and 52.7 % "
    "with it, from zero 10.1 % and 49.7 %; no help from a good start",
    studies=(Study((*NOISY, *PLAIN)),),
    of_studies=of_studies,
    limits=of_deep_networks,
)
