"""Parallel SGD for real: threads and processes that train one logistic regression at the same time.

What is simulated in `asynchronous` runs here on the machine, and is measured: which thread comes first differs from run
to run, so that results are measurements and no part of a ledger. `rows` are the data, `sparsity` tells how often two
rows meet, `hogwild` are threads on shared parameters, `server` is a parameter server and `worker` what a process does
with it.
"""
