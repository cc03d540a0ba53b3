"""The replicates of a training loop of the user's own: one call of its function each, one after the other.

Whether a config is pruned depends on all its seeds at the same epoch. So with limits its replicates take turns, epoch
by epoch, each in a thread of its own: only one of them runs at a time. Without limits each runs to its end.

Python's, NumPy's and PyTorch's global generators belong to the replicate that runs: they are seeded with its seed, and
put back after its turn, so that its numbers depend on no other replicate.
"""

import random
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import InputError
from cooldown.objectives.problem import Problem
from cooldown.objectives.records import Curve, Outcome
from cooldown.objectives.runs import Run, RunEnded, end_if_over
from cooldown.objectives.training.limits import Limits


def train_by_loop(
    problems: Sequence[Problem], config: TrainConfig, seeds: Sequence[int], every_epoch: bool, limits: Limits | None
) -> list[Curve]:
    """Train one config with every seed, each on its problem, whose model is a loop; limits: those of the config."""
    if limits is not None:
        return _by_turns([_Turns(problem, config, seed) for problem, seed in zip(problems, seeds, strict=True)], limits)
    curves = []
    for problem, seed in zip(problems, seeds, strict=True):
        run = Run(problem, config, seed, every_epoch, end_if_over)
        with _Generators(seed).installed():
            _call(run)
        curves.append(run.curve())
    return curves


def _call(run: Run) -> None:
    if run.loop.function is None:
        raise InputError("this task has no function to call: its runs are handed out by cooldown.runs")
    with suppress(RunEnded):
        run.loop.function(run)


class _Generators:
    """The states of the global generators during the turns of one replicate."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._states: _States | None = None

    @contextmanager
    def installed(self) -> Iterator[None]:
        """The replicate's states for a while, then those from before."""
        before = _states()
        if self._states is None:
            _seed(self._seed)
        else:
            _install(self._states)
        try:
            yield
        finally:
            self._states = _states()
            _install(before)


_States = tuple[Any, Any, Any, Any]
"""Of Python, NumPy, and PyTorch on the CPU and on all GPUs; None for one that is not in use."""


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - what loops of others draw from
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(seed)


def _states() -> _States:
    torch = sys.modules.get("torch")
    on_cpu = None if torch is None else torch.get_rng_state()
    on_gpus = torch.cuda.get_rng_state_all() if torch is not None and torch.cuda.is_initialized() else None
    return random.getstate(), np.random.get_state(), on_cpu, on_gpus  # noqa: NPY002


def _install(states: _States) -> None:
    of_python, of_numpy, on_cpu, on_gpus = states
    random.setstate(of_python)
    np.random.set_state(of_numpy)  # noqa: NPY002
    if on_cpu is not None:
        sys.modules["torch"].set_rng_state(on_cpu)
    if on_gpus is not None:
        sys.modules["torch"].cuda.set_rng_state_all(on_gpus)


def _by_turns(turns: "Sequence[_Turns]", limits: Limits) -> list[Curve]:
    """Train a config's replicates epoch by epoch, and prune them together."""
    epochs = turns[0].run.epochs
    try:
        for epoch in range(epochs):
            for turn in turns:
                turn.take()
            # After its last epoch a run is complete, whatever the limit.
            losses = np.array([turn.run.capped_loss(epoch) for turn in turns])
            if epoch < epochs - 1 and limits.exceeded(epoch, losses).any():
                for turn in turns:
                    turn.prune()
                break
        for turn in turns:
            turn.take()
    finally:
        for turn in turns:
            turn.abandon()
    return [turn.run.curve() for turn in turns]


class _Turns:
    """A replicate in a thread of its own, which runs during its turns alone: up to its next report, or to its end."""

    def __init__(self, problem: Problem, config: TrainConfig, seed: int) -> None:
        self.run = Run(problem, config, seed, reported=self._reported)
        self._generators = _Generators(seed)
        self._ended = False
        self._error: BaseException | None = None
        self._begins, self._is_over = threading.Semaphore(0), threading.Semaphore(0)
        threading.Thread(target=self._train, daemon=True).start()

    def take(self) -> None:
        """One turn, unless the loop has ended; raises what the loop raised."""
        if not self._ended:
            with self._generators.installed():
                self._begins.release()
                self._is_over.acquire()
        if self._error is not None:
            raise self._error

    def prune(self) -> None:
        """In its next turn the loop is left, unless it has ended by itself."""
        if not self._ended and self.run.outcome is None:
            self.run.outcome = Outcome.PRUNED

    def abandon(self) -> None:
        """Let a thread end that will get no further turn, because another replicate raised, or at Ctrl-C."""
        if not self._ended:
            self.prune()
            self._begins.release()

    def _train(self) -> None:
        self._begins.acquire()
        try:
            if self.run.outcome is None:
                _call(self.run)
        except BaseException as error:
            self._error = error
        self._ended = True
        self._is_over.release()

    def _reported(self, run: Run) -> None:
        end_if_over(run)
        self._is_over.release()
        self._begins.acquire()
        end_if_over(run)
