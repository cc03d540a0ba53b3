"""Several tasks at once: who is better on each and by how much, over all of them, and in which rank.

`measured` takes of each experiment what a comparison over tasks needs, from the winners alone, `question` and `ranking`
compare, `tables` and `document` say it. Alarms take an experiment's whole record, and are not looked at here.
"""
