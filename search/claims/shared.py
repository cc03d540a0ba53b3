"""Arms of experiments that several claims share."""

ANNEALING = ("sgd", "sgd+cosine", "momentum+cosine", "adam", "adam+cosine")
"""SGD and Adam, each at a constant rate and annealed."""
