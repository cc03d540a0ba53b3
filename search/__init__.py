"""The search service: decides what is trained next, and reports the results. It builds on Optuna.

Its packages, from the top layer to the bottom one; none imports from a layer above it:

cli, report      the command line and the report
experiments      the Python interface: compare, tune, resume, load
export, figures  results as files, code and charts
evidence         results: verdicts, alarms, tables
tuning           what is trained next
executors, spec  where training runs; what is searched
statistics       pure functions: arrays in, numbers out
"""
