"""`Loop`: what an experiment is on whose runs are trained by its callers, with training loops of their own."""

from typing import NamedTuple

from cooldown.objectives.data.task import Kind


class Loop(NamedTuple):
    """The data as far as they are known: only their number. n_samples: rows. kind: classification or regression.
    uninformed_loss: the baseline loss; None for each run's first held-out loss.
    """

    n_samples: int
    kind: Kind
    uninformed_loss: float | None
