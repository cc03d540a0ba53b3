"""The models that built-in tasks and users' tables are trained with, batched over replicates."""
