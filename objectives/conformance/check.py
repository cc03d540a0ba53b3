"""`Check`: one law that an entry has to keep, as a function that raises AssertionError where it does not."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One check of one entry. name: what it finds out, in words. run: raises AssertionError where that is not so."""

    name: str
    run: Callable[[], None]

    @property
    def __name__(self) -> str:
        """The name, which pytest gives to a test of it."""
        return self.name

    def __call__(self) -> None:
        """Run it."""
        self.run()

    def reason(self) -> str | None:
        """Why it failed; None where it passed."""
        try:
            self.run()
        except AssertionError as error:
            return str(error)
        except Exception as error:  # an entry of a user's own may fail in any way
            return f"raised {type(error).__name__}: {error}"
        return None


def expect(holds: object, reason: str) -> None:
    """Raise AssertionError with `reason` unless `holds`."""
    if not holds:
        raise AssertionError(reason)
