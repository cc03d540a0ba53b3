"""How often rows meet: what decides whether threads that share parameters get in each other's way."""

from dataclasses import dataclass

import numpy as np

from cooldown.objectives.kernel_cache import kernel
from cooldown.objectives.parallel.rows import Rows
from cooldown.objectives.random_streams import generator

MOST_ROWS = 1000
"""Rows of which ρ is the largest share: of more, as many are drawn, for each of them is compared with all rows."""


@dataclass(frozen=True)
class Sparsity:
    """omega: the most features that a row has. delta: the largest share of rows that have one feature. rho: the largest
    share of rows that have a feature in common with one row. Source: Niu, Recht, Ré & Wright 2011.
    """

    omega: int
    delta: float
    rho: float


def sparsity(rows: Rows) -> Sparsity:
    """The sparsity of `rows`; ρ over at most `MOST_ROWS` of them."""
    by_feature, n = rows.matrix.tocsc(), len(rows)
    chosen = np.sort(generator(0, "rows of rho").permutation(n)[:MOST_ROWS])
    starts, others = by_feature.indptr.astype(np.int64), by_feature.indices.astype(np.int32)
    most = _most_met(rows.indptr, rows.indices, starts, others, chosen, np.full(n, -1))
    return Sparsity(int(np.diff(rows.indptr).max()), float(np.diff(starts).max() / n), most / n)


@kernel()
def _most_met(indptr, indices, starts, others, chosen, seen_by):  # type: ignore[no-untyped-def]
    """The most rows that one of the rows `chosen` shares a feature with, itself included. starts, others: the rows of
    each feature. seen_by: (n,) of each row the last chosen one that met it, at first -1.
    """
    most = 0
    for row in chosen:
        count = 0
        for place in range(indptr[row], indptr[row + 1]):
            feature = indices[place]
            for other in others[starts[feature] : starts[feature + 1]]:
                if seen_by[other] != row:
                    seen_by[other] = row
                    count += 1
        most = max(most, count)
    return most
