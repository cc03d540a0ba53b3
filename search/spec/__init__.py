"""What is asked: arms, ranges, search spaces and the spec of an experiment."""
