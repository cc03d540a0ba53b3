"""Sparse text: 1,200 rows (documents), 400 features (words), 4 classes of 300 rows each. A bag of words as in
topic classification: word w of the vocabulary has a probability proportional to 1/w (Zipf). Only rare words, 40
of the last 300 for each class, are informative: they are 4 times as likely in the documents of their class. A
document has Poisson(40) words. Features are log(1 + count), not standardized; 92 % of them are zero.
Informative weights seldom get a gradient, which should favour rules with a rate per weight (Adam, RMSprop).
Source: synthetic, drawn from a fixed stream.
"""

import numpy as np

from cooldown.objectives.data.arrays import ArrayTask, Data
from cooldown.objectives.random_streams import generator

N_ROWS, N_WORDS, N_CLASSES = 1200, 400, 4
COMMON_WORDS, TOPIC_WORDS, LIFT, MEAN_LENGTH = 100, 40, 4.0, 40


def load() -> Data:
    """X (1200, 400) and y (1200,)."""
    rng = generator(0, "task", "sparse_text")
    zipf = 1 / np.arange(1, N_WORDS + 1)
    rare = rng.permutation(np.arange(COMMON_WORDS, N_WORDS))[: N_CLASSES * TOPIC_WORDS]
    likelihood = np.tile(zipf, (N_CLASSES, 1))
    for weights, words in zip(likelihood, rare.reshape(N_CLASSES, TOPIC_WORDS), strict=True):
        weights[words] *= LIFT
    likelihood /= likelihood.sum(axis=1, keepdims=True)
    y = np.arange(N_ROWS) % N_CLASSES
    counts = rng.multinomial(rng.poisson(MEAN_LENGTH, N_ROWS), likelihood[y])
    return np.log1p(counts), y


sparse_text = ArrayTask("sparse_text", "classification", load, standardize=False)
