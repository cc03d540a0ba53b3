"""The service: experiments of a ledger that others submit, watch and control, and the worker that runs them.

`worker` takes what waits in the queue, one after the other. `access` says who asks, and keeps out who may not;
`actions` are the changes that callers can make, each with its checks and its line in the audit; `api` is the HTTP face
of both, which the dashboard's server has beside its pages.
"""
