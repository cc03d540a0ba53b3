"""Checks of optimizers, schedules, tasks and models of your own, for use with pytest.

    @pytest.mark.parametrize("check", optimizer_checks("mymodule:Lion"))
    def test_lion(check):
        check()

Each is named after the rule that it checks, and raises AssertionError with the reason if the rule is broken.
"""

from cooldown.objectives.conformance import (
    Check,
    checks,
    model_checks,
    optimizer_checks,
    schedule_checks,
    task_checks,
)

__all__ = ["Check", "checks", "model_checks", "optimizer_checks", "schedule_checks", "task_checks"]
