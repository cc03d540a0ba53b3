"""A synthetic set like RCV1, the news of the Hogwild! paper: 47,000 words, of which a document has 0.16 %.

Words are drawn with probabilities by their rank w as 1/(w + 30) (Zipf and Mandelbrot), so that the most frequent one is
in a third of the documents; values are tf-idf, each document of length 1, as in RCV1. The two classes have weights of
their own for each word, and a label in twenty is wrong, so that no loss of 0 can be reached.
"""

import numpy as np
from scipy.sparse import csr_array

from cooldown.objectives.parallel.rows import Rows
from cooldown.objectives.random_streams import generator

ROWS, WORDS, LENGTH = 20_000, 47_000, 77
"""LENGTH: words of a document with repetitions, in the mean; 75 of them differ."""

OFFSET, WRONG = 30, 0.05


def rcv1_like(n: int = ROWS, words: int = WORDS) -> Rows:
    """`n` documents over so many words, the same in each call."""
    rng = generator(0, "rows", "rcv1 like")
    share = 1 / (np.arange(1, words + 1) + OFFSET)
    lengths = 1 + rng.poisson(LENGTH - 1, n)
    drawn = np.searchsorted(np.cumsum(share / share.sum()), rng.random(lengths.sum())).clip(max=words - 1)
    counts = csr_array((np.ones(len(drawn)), (np.repeat(np.arange(n), lengths), drawn)), shape=(n, words))
    counts.sum_duplicates()
    frequency = np.bincount(counts.indices, minlength=words)
    counts.data = (1 + np.log(counts.data)) * np.log(n / frequency[counts.indices])
    lengths_of_rows = np.sqrt(counts.multiply(counts).sum(axis=1))
    counts.data /= np.repeat(np.maximum(lengths_of_rows, 1e-12), np.diff(counts.indptr))
    sides = counts @ rng.standard_normal(words) > 0
    return Rows.of(counts, np.where(rng.random(n) < WRONG, ~sides, sides))
