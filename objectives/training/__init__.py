"""The training loop over a population of replicates, and its parts."""
