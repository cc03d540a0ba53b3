"""What is searched: arms, ranges, search spaces and the spec of an experiment."""
