"""`Check`: one rule that an entry must follow, as a function that raises AssertionError if it does not."""

from collections.abc import Callable
from dataclasses import dataclass

from cooldown.objectives.errors import InputError


@dataclass(frozen=True)
class Check:
    """One check of one entry.

    name: the rule, in words. run: raises AssertionError if the rule is broken. needs: the names of checks without which
    this one cannot pass: it says nothing more once one of them has failed.
    """

    name: str
    run: Callable[[], None]
    needs: tuple[str, ...] = ()

    @property
    def __name__(self) -> str:
        """The name, which pytest uses in the name of the test."""
        return self.name

    def __call__(self) -> None:
        """Run the check."""
        self.run()

    def reason(self) -> str | None:
        """Why the check failed; None if it passed."""
        try:
            self.run()
        except (AssertionError, InputError) as error:
            return str(error)
        except Exception as error:  # a user's own entry may fail in any way
            return f"raised {type(error).__name__}: {error}"
        return None


def expect(holds: object, reason: str) -> None:
    """Raise AssertionError with `reason` unless `holds`."""
    if not holds:
        raise AssertionError(reason)
