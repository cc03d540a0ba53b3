"""Parallel SGD measured on this machine or on a Dask cluster: how fast, and how good, beside plain SGD.

`data` has the rows that a user names, `processes` and `dask` run the workers of a parameter server, and `measurement`
measures a system, and says so as a document and as a table. Nothing of it is a trial: which worker comes first differs
from run to run.
"""
