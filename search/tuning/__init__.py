"""What is trained next: splits, studies, samplers, pruning, and the runner that puts them together."""
