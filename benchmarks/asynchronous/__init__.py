"""Asynchronous SGD beside what is published of it, one part per file.

    python -m benchmarks.asynchronous [PART …] [--figures FOLDER]

threads     gradients per second and loss of Hogwild!, with a lock, and by turns, on sparse and dense rows (measured)
divergence  which learning rates diverge at which staleness, with the exact bound
exchanges   Downpour, EASGD and EAMSGD with 4 workers and 1, 4, 16 and 64 updates between exchanges, with tuned rates
delays      AdaGrad beside delay-tolerant AdaGrad at delays from 0 to 3,000, with tuned rates
momentum    the best momentum by number of workers

All but `threads` are simulated and give the same numbers in each run. Each part takes a minute or less on one core.
"""
