"""What is trained next: splits, studies, sampling, pruning, and the runner that combines them."""
