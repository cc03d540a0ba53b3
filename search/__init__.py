"""The search service: decides what is trained next, and says what came out. Knows Optuna.

from search import compare
result = compare("digits", arms=["momentum+cosine", "adam"], trials=24)
print(result.answer)
"""

from search.arms import Arm
from search.experiments import compare, dry_run, load, resume, tune
from search.results import Result
from search.spec import Experiment

__all__ = ["Arm", "Experiment", "Result", "compare", "dry_run", "load", "resume", "tune"]
