"""The statistics behind an answer: pure functions on arrays that know neither the ledger nor Optuna."""
