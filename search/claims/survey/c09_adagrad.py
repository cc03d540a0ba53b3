"""C9: tuned Adagrad beside tuned SGD; and Adagrad's effective rates η/√G in a logistic regression on the rows as they
are, five passes in batches of 16: of the half of the features that are rarest over those of the tenth that are most
common, and of these at the end over after the first pass.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.descent import descend
from cooldown.objectives.random_streams import generator
from cooldown.objectives.tasks import ArrayTask
from cooldown.search.claims.budgets import SETTINGS, Budget
from cooldown.search.claims.entry import Claim, Study
from cooldown.search.claims.limits import of_sparse
from cooldown.search.claims.measures import HIGHER, LOWER, loss_ratio
from cooldown.search.evidence.view import View
from cooldown.search.statistics.claims import Part

PASSES, BATCH, RATE = 5, 16, 0.1


def squares(X: NDArray[np.float64], y: NDArray[np.int64], draw: np.random.Generator) -> NDArray[np.float64]:
    """(PASSES, d) G of each feature after each pass, the sum of its squared gradients, in the mean over the classes."""
    order = np.concatenate([draw.permutation(len(X)) for _ in range(PASSES)])
    batches = np.array_split(order, len(order) // BATCH)
    targets = np.eye(int(y.max()) + 1)[y]
    shape, seen, kept, total = (X.shape[1], targets.shape[1]), 0, [], np.zeros(X.shape[1])

    def gradient(theta: NDArray[np.float64]) -> NDArray[np.float64]:
        nonlocal seen, total
        rows = batches[seen]
        logits = X[rows] @ theta.reshape(shape)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        slope = X[rows].T @ (odds / odds.sum(axis=1, keepdims=True) - targets[rows]) / len(rows)
        seen, total = seen + 1, total + np.square(slope).mean(axis=1)
        kept.append(total)
        return np.asarray(slope.ravel(), np.float64)

    descend(gradient, np.zeros(shape[0] * shape[1]), "adagrad", {}, np.full(len(batches), RATE))
    ends = np.linspace(0, len(batches), PASSES + 1).astype(int)[1:] - 1
    return np.asarray(np.array(kept)[ends], np.float64)


def computed(task: ArrayTask, budget: Budget) -> list[Part]:
    """Rare over common, and late over early effective rates: medians over the features that are ever filled."""
    X, y = task.data
    X = X.toarray() if task.is_sparse else np.nan_to_num(X)
    count = (X != 0).sum(axis=0)
    order = np.argsort(-count, kind="stable")
    order = order[count[order] > 0]
    common, rare = order[: max(len(order) // 10, 1)], order[len(order) // 2 :]
    of_rare, of_late = [], []
    for repeat in range(SETTINGS[budget]["repeats"]):
        # η/√G, of which η is left out: only ratios are of interest.
        rates = -np.log(squares(X, y, generator(0, "claim", "adagrad", repeat))) / 2
        of_rare.append(np.median(rates[-1, rare]) - np.median(rates[-1, common]))
        of_late.append(np.median(rates[-1, common] - rates[0, common]))
    return [
        Part("effective rate of rare features over that of common ones", np.array(of_rare), HIGHER),
        Part("effective rate of common features at the end over that after a first pass", np.array(of_late), LOWER),
    ]


def of_studies(views: Sequence[View]) -> list[Part]:
    """The test loss of Adagrad over that of SGD."""
    (view,) = views
    return [loss_ratio(view, "adagrad", "sgd", LOWER)]


c09_adagrad = Claim(
    name="c09_adagrad",
    id="C9",
    statement="Adagrad suits sparse features; its effective rate shrinks toward zero",
    source="Duchi, Hazan & Singer 2011; Ruder 2016",
    published="",
    studies=(Study(("adagrad", "sgd")),),
    of_studies=of_studies,
    computed=computed,
    limits=of_sparse,
)
