"""Holding an experiment while it is run, and what it is called when that cannot go on."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from cooldown.objectives.errors import InputError
from cooldown.storage import GivenBackError, LeaseLostError
from cooldown.storage.writer import Writer


class RunError(RuntimeError):
    """An experiment that cannot continue: its model raised, its worker died repeatedly, or the disk is full."""


class UnfitMachineError(RunError, GivenBackError):
    """An experiment that this machine cannot continue, but another one may."""


@contextmanager
def run_errors() -> Iterator[None]:
    """In here an experiment has begun, and what cannot be used or written is a RunError."""
    try:
        yield
    except (InputError, LeaseLostError) as error:
        raise RunError(str(error)) from error


@contextmanager
def held(lease: AbstractContextManager[Writer]) -> Iterator[Writer]:
    """Hold the lease of an experiment; once it is taken, with `run_errors`."""
    with ExitStack() as stack:
        writer = stack.enter_context(lease)
        with run_errors():
            yield writer
            stack.close()
