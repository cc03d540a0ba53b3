"""The search service: decides what is trained next, and says what came out. Knows Optuna.

Its rooms, from the top down; none imports from one above it:

cli, report      the command line and the written report
experiments      what a caller calls: compare, tune, resume, load
export, figures  how a result is shown and taken away
evidence         what came out: verdicts, alarms, tables
tuning           what is trained next
executors, spec  where training runs; what is asked
statistics       arrays in, numbers out
"""
