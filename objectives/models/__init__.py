"""The models of built-in tasks and of users' tables, batched over replicates."""
