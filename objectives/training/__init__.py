"""The training loop over a population of replicates, and what belongs to it."""
