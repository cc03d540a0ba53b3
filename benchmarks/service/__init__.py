"""The service under load: one server, two workers, and everybody at once.

    python -m benchmarks.service [PART…] [--db postgresql] [--experiments 1000] [--clients 100] [--rounds 20]
                                 [--pause 2] [--dashboards 50] [--queued 2000] [--minutes 30]

load: CLIENTS submit, poll and cancel at once, each with a token of its own and PAUSE seconds between two requests,
while the ledger has EXPERIMENTS besides. Each accepted experiment runs exactly once, and none is lost; nearly half of
them would run for minutes, and are cancelled: none of these goes on, or has a part of a generation. Targets: 95 % of
reads within 50 ms, of submissions within 150 ms. dashboards: so many pages are open at once, over websockets as a
browser has them. drain: so many queued experiments are taken in the order of their priorities by two workers, which
train nothing. memory: that of the server while ten clients go on polling; it should stay constant.

Times by the clock depend on what else the machine does, so its load is printed, and the server's processor time for a
request beside them. The exit status is 1 if an experiment was lost or run twice, or the order was another one.
"""
