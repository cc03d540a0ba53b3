"""Checks of optimizers, schedules, tasks and models of your own, for use with pytest.

    @pytest.mark.parametrize("check", optimizer_checks("mymodule:Lion"))
    def test_lion(check):
        check()

Each has a name that says what it finds out, and raises AssertionError with the reason where that is not so.
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
