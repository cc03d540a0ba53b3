"""`Population`: replicates that run the same program, and their state during training.

Replicates of one population differ only in numbers: rates, hyperparameters, strengths of strategies. Differences in the
rule or in the shape of an array need separate populations (`Replicate.program`).
"""

import copy
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import groupby
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives import asynchronous, optimizers
from cooldown.objectives.config import Choice
from cooldown.objectives.fusion import fused
from cooldown.objectives.models.compiled_evaluation import CompiledEvaluation
from cooldown.objectives.models.compiled_pass import CompiledPass, Rule
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.models.pass_kernel import OfRule, Replicates
from cooldown.objectives.models.sparse_rows import is_sparse
from cooldown.objectives.problem import Model, Network, Problem, Stochastic, evaluate, trainable
from cooldown.objectives.random_streams import generator
from cooldown.objectives.scratch import Scratch
from cooldown.objectives.training.ascent import Ascent
from cooldown.objectives.training.averaging import Average
from cooldown.objectives.training.data_order import DataOrder
from cooldown.objectives.training.filled_columns import FilledUpdate, leaves_alone
from cooldown.objectives.training.gradients import clipped, with_noise
from cooldown.objectives.training.matrices import MatrixUpdate
from cooldown.objectives.training.replicates import Replicate, Standing, initial_parameters
from cooldown.objectives.training.workers import Workers, workers_of

STRENGTHS = ("l2", "weight_decay", "gradient_noise", "gradient_noise_decay", "clip_norm", "dropout", "sam")
"""Strategies that are one number per replicate, inf where off."""

Flags = NDArray[np.bool_]


class Population:
    """R replicates of one program on one model, each on the rows of its own problem.

    alive: (R,) indices of the replicates still in training among the initial `replicates`.
    theta: (R, size) parameters, and further columns of a network such as running statistics.
    update_losses: (R, updates) the mini-batch's loss in each update of the last pass.
    problems: those that differ. problem_of: (R,) which of them is a replicate's.

    It begins with the finite rows of `initial` (R, size), and elsewhere with what a seed draws.
    """

    def __init__(
        self,
        problems: Sequence[Problem],
        replicates: Sequence[Replicate],
        orders: Sequence[DataOrder],
        dtype: np.dtype[Any],
        initial: NDArray[Any] | None = None,
    ) -> None:
        configs, first = [replicate.config for replicate in replicates], replicates[0]
        self.replicates, self.dtype = replicates, dtype
        self.problems = list(dict.fromkeys(problems))
        self.problem_of = np.array([self.problems.index(problem) for problem in problems])
        self.alive = np.arange(len(replicates))
        self.epochs, self.sizes, self.starts = first.config.epochs, first.plan.sizes, first.plan.starts
        # A model may keep buffers between calls; a copy separates the buffers of two runs.
        self.model: Model = copy.copy(problems[0].differentiable)
        network = self.model if isinstance(self.model, Network) else None
        if network and first.config.batch_norm:
            self.model = network = network.with_batch_norm()
        self.trainable = trainable(self.model)
        self.stochastic = self.model if isinstance(self.model, Stochastic) and self.model.draws else None
        self.seeds = sorted({replicate.seed for replicate in replicates})
        self.seed_of = np.array([self.seeds.index(replicate.seed) for replicate in replicates])
        self.orders = list(dict.fromkeys(orders))
        self.order_of = np.array([self.orders.index(order) for order in orders])

        rule = optimizers.get(first.config.optimizer.name)
        self.rule = rule
        self.update = MatrixUpdate(rule, self.model, dtype) if rule.matrices else fused(rule, dtype.name)
        if isinstance(self.model, MLP) and leaves_alone(rule, self.model, configs):
            self.update = FilledUpdate(self.update, self.model)
        self.theta = initial_parameters(replicates, self.model, network, dtype, initial)
        self.state = np.zeros((len(rule.slots), len(replicates), self.trainable), dtype)
        self.memory = np.zeros((len(replicates), rule.memory_size))
        self.since = np.zeros(len(replicates), np.int64)
        self.update_losses = np.empty((len(replicates), 0))
        self._scratch = Scratch()
        chosen = [config.optimizer.hyperparameters for config in configs]
        multipliers = [replicate.plan.multipliers for replicate in replicates]
        rates = [values["learning_rate"] * of_run for values, of_run in zip(chosen, multipliers, strict=True)]
        self.rates = np.stack(rates, axis=1).astype(dtype)
        others = [[values[declared.name] for values in chosen] for declared in rule.hyperparameters[1:]]
        self.hyperparameters = np.array(others, dtype).reshape(-1, len(replicates))

        def strength(name: str) -> NDArray[Any]:
            values = [getattr(config, name) for config in configs]
            return np.array([np.inf if value is None else value for value in values], dtype)

        self.strengths = {name: strength(name) for name in STRENGTHS}
        self.network_with_dropout = network if first.config.dropout > 0 else None
        trained = self.theta[:, : self.trainable]
        self.average = Average(configs, trained) if first.config.averaging != "none" else None
        self.ascent = Ascent(self.model, self.strengths["sam"]) if first.config.sam > 0 else None
        # Strategies that no replicate uses cost nothing.
        self.noisy = any(config.gradient_noise > 0 for config in configs)
        changes: list[tuple[bool, Callable[[NDArray[Any], int], NDArray[Any]]]] = [
            (any(config.clip_norm is not None for config in configs), self._clip),
            (self.noisy, self._add_noise),
        ]
        self.before_the_rule = [change for is_used, change in changes if is_used]
        self.decays = any(config.weight_decay > 0 for config in configs)
        self.workers = self._workers(first.config.asynchronous) if first.config.asynchronous else None
        self.compiled = self._compiled()
        self.evaluation = self._compiled_evaluation()

    @property
    def l2(self) -> NDArray[Any]:
        """(R,) coefficients of the L2 penalty."""
        return self.strengths["l2"]

    def _compiled(self) -> CompiledPass | None:
        """What makes whole passes in compiled code; None where something else is to be done between two updates."""
        between = self.workers, self.network_with_dropout, self.stochastic
        averages = self.average is not None and self.average.every_update
        apart = averages or self.noisy or any(each is not None for each in between)
        if apart or not isinstance(self.model, MLP) or is_sparse(self.model.X) or not CompiledPass.possible(self.dtype):
            return None
        optional = self.rule.in_time(self.theta[:1, : self.trainable])
        if isinstance(self.update, MatrixUpdate):
            rule = self.update.for_passes(optional)
        else:
            nothing = np.zeros((0, 4), np.int64), np.zeros((1, 0), self.dtype)
            rule = Rule(self.update, OfRule(tuple(optional), *nothing))
        return CompiledPass(self.model, rule, self.dtype)

    def _compiled_evaluation(self) -> CompiledEvaluation | None:
        """What measures held-out rows in compiled code; None for models that are measured otherwise."""
        if not isinstance(self.model, MLP) or not CompiledEvaluation.possible(self.model, self.dtype):
            return None
        return CompiledEvaluation(self.model, self.dtype)

    def _workers(self, chosen: Choice) -> Workers:
        """The simulated workers, each replicate's with its events; rates are divided by staleness where asked for."""
        method, updates = asynchronous.get(chosen.name), len(self.rates)
        settings = [each.config.asynchronous.hyperparameters for each in self.replicates if each.config.asynchronous]
        of_run = [each.config.events_of(updates, each.seed) for each in self.replicates]
        if method.staleness_scaling and not method.has_copies:
            for r, (of_replicate, events) in enumerate(zip(settings, of_run, strict=True)):
                if of_replicate[method.staleness_scaling]:
                    self.rates[:, r] /= np.maximum(events.staleness, 1)
        return workers_of(self, method, settings, of_run)

    @cached_property
    def _noise(self) -> list[np.random.Generator]:
        return [generator(seed, "gradient noise") for seed in self.seeds]

    @cached_property
    def _dropout(self) -> list[np.random.Generator]:
        return [generator(seed, "dropout") for seed in self.seeds]

    @cached_property
    def _draws(self) -> list[np.random.Generator]:
        return [generator(seed, "draws of the model") for seed in self.seeds]

    def train_epoch(self, epoch: int) -> NDArray[np.float64]:
        """One pass over the training rows, each replicate in its own order; returns mean losses (R,)."""
        first, end = int(self.starts[epoch]), int(self.starts[epoch + 1])
        return self.train_pass(epoch, first, self.sizes[first:end])

    def train_pass(self, epoch: int, first: int, sizes: NDArray[np.int64]) -> NDArray[np.float64]:
        """One pass in the order of `epoch`, by updates of `sizes` rows from update `first` on; mean losses (R,)."""
        shape = len(self.orders), len(self.orders[0].rows)
        order = self._scratch.array("order", shape, np.dtype(np.int64))
        for of_order, data_order in zip(order, self.orders, strict=True):
            of_order[:] = data_order.epoch(epoch)
        self.update_losses = np.empty((len(self.theta), len(sizes)))
        row = update = 0
        for size, alike in groupby(sizes.tolist()):
            count = len(list(alike))
            rows = order[:, row : row + count * size].reshape(len(order), count, size)
            self.update_losses[:, update : update + count] = self._updates(first + update, rows)
            row, update = row + count * size, update + count
        # A sum along each row, not a matrix product: its rounding must not depend on the number of replicates.
        losses = (self.update_losses * sizes).sum(axis=1) / order.shape[1]
        if self.average is not None:
            self.average.after_epoch(epoch, self.theta[:, : self.trainable])
        return np.asarray(losses)

    def _updates(self, first: int, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """U updates from update index `first` on, each with its `rows` (orders, U, B); returns their losses (R, U)."""
        rows = np.ascontiguousarray(rows)
        if self.compiled is not None:
            decay, radii, bounds = (self.strengths[name] for name in ("weight_decay", "sam", "clip_norm"))
            of_rule = self.rates, self.since, self.hyperparameters
            replicates = Replicates(self.theta, self.state, self.memory, self.l2, decay, radii, bounds, *of_rule)
            return self.compiled.run(replicates, rows, self.order_of, first)
        theta, state, memory, rates, since = self.theta, self.state, self.memory, self.rates, self.since
        point, workers, decays = theta, self.workers, self.decays
        in_time = self.rule.in_time(theta[:, : self.trainable])
        l2, hyperparameters, model, update = self.strengths["l2"], self.hyperparameters, self.model, self.update
        before_the_rule, ascent, average = self.before_the_rule, self.ascent, self.average
        losses = np.empty((len(theta), rows.shape[1]))
        # Contiguous for any R: otherwise a kernel would be compiled twice, and the two would round differently.
        batches = np.ascontiguousarray(rows[self.order_of].transpose(1, 0, 2))
        for step, batch in enumerate(batches, first):
            if workers is not None:
                point = workers.point(step)
            drawn = self._drawn(batch.shape[1])
            losses[:, step - first], gradient = model.loss_and_gradient(point, batch, *drawn)
            if ascent is not None:
                gradient = ascent.gradient(point, gradient, batch, drawn)
            for change in before_the_rule:
                gradient = change(gradient, step)
            # A user's model may return any memory layout; the update would be compiled again for another one.
            gradient = np.ascontiguousarray(gradient)
            if workers is not None:
                workers.apply(step, gradient, point)
            else:
                if decays:
                    self.decay_weights(theta, step)
                update(theta, gradient, state, memory, l2, rates, step, since, hyperparameters, *in_time)
            if average is not None:
                average.after_update(theta[:, : self.trainable])
        return losses

    def _drawn(self, rows: int) -> tuple[NDArray[Any], ...]:
        """What the model takes beside the batch in the next update: the factors (R, rows, H) of the activations for
        dropout, or the seeds (R,) of what it draws itself. All configs with one seed have the same random numbers.
        """
        if self.network_with_dropout is not None:
            shape = rows, self.network_with_dropout.hidden_units
            uniform = np.stack([rng.random(shape, np.float32) for rng in self._dropout])[self.seed_of]
            p = self.strengths["dropout"][:, None, None]
            return (np.asarray((uniform >= p) / (1 - p)),)
        if self.stochastic is not None:
            return (np.array([rng.integers(2**63 - 1) for rng in self._draws])[self.seed_of],)
        return ()

    @property
    def reported(self) -> NDArray[Any]:
        """(R, size) the parameters that are measured and kept: the trained ones, unless the rule reports others, or
        they are averaged. Running statistics are those of the trained ones.
        """
        trained = self.theta[:, : self.trainable]
        if self.average is not None:
            found = self.average.of(trained)
        elif self.rule.reported is not None:
            found = self.rule.reported(trained, *self.state, *self.hyperparameters[:, :, None])
        else:
            return self.theta
        return np.hstack([found, self.theta[:, self.trainable :]])

    def _clip(self, gradient: NDArray[Any], _step: int) -> NDArray[Any]:
        return clipped(gradient, self.strengths["clip_norm"])

    def _add_noise(self, gradient: NDArray[Any], step: int) -> NDArray[Any]:
        normals = np.stack([rng.standard_normal(self.trainable, np.float32) for rng in self._noise])[self.seed_of]
        variance, decay = self.strengths["gradient_noise"], self.strengths["gradient_noise_decay"]
        return with_noise(gradient, step, variance, decay, normals)

    def decay_weights(self, theta: NDArray[Any], step: int, times: Any = 1, rows: Any = slice(None)) -> None:
        """Decay the weights of `theta`, those of the replicates `rows`, as for so many updates of index `step`."""
        if self.decays:
            share = self.rates[step, rows] * self.strengths["weight_decay"][rows]
            theta[:, : self.trainable] *= (1 - share * times)[:, None]

    def measure(self, part: Literal["held_out", "watched"]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Losses (R,) and scores (R,) of the replicates, each on this part of its problem's rows."""
        theta = self.reported
        losses, scores = np.empty(len(theta)), np.empty(len(theta))
        for place, problem in enumerate(self.problems):
            of_problem, rows = np.flatnonzero(self.problem_of == place), getattr(problem, part)
            if self.evaluation is not None:
                measured = self.evaluation.measure(theta, of_problem, rows)
            elif len(of_problem) == len(theta):
                return evaluate(self.model, theta, rows)
            elif of_problem.size:
                measured = evaluate(self.model, theta[of_problem], rows)
            else:
                continue
            losses[of_problem], scores[of_problem] = measured
        return losses, scores

    def restart(self, restarting: Flags, theta: NDArray[Any], factors: NDArray[np.float64], step: int) -> None:
        """Continue the replicates `restarting` (R,) from `theta` (R, size) at update `step`, with the rule's state
        reset and rates multiplied by `factors` (R,).
        """
        self.set_back(restarting, theta)
        self.since[restarting] = step
        self.rates[step:, restarting] *= factors[restarting].astype(self.dtype)

    def set_back(self, replicates: Flags, theta: NDArray[Any]) -> None:
        """Set the `replicates` (R,) to `theta` (R, size), which is also what they report: without state or average."""
        self.theta[replicates] = theta[replicates]
        self.state[:, replicates] = 0
        self.memory[replicates] = 0
        if self.average is not None:
            self.average.forget(replicates)

    def standing(self, passes: int, updates: int) -> Standing:
        """The state of the remaining replicates after `passes` passes and `updates` updates; shares their arrays."""
        streams = {
            "data order": [self.orders[i].rng for i in self.order_of],
            "gradient noise": [self._noise[i] for i in self.seed_of],
            "dropout": [self._dropout[i] for i in self.seed_of],
            "draws of the model": [self._draws[i] for i in self.seed_of],
        }
        alive = tuple(self.replicates[int(i)] for i in self.alive)
        arrays = self.theta, self.state, self.memory, self.since, self.rates
        return Standing(alive, *arrays, self.average, self.reported, streams, passes, updates)

    def resume(self, standing: Standing) -> None:
        """Continue from the state `standing`, whose arrays and streams are copied."""
        for name in ("theta", "state", "memory", "since", "rates"):
            setattr(self, name, getattr(standing, name).copy())
        self.average = copy.deepcopy(standing.average)
        streams = copy.deepcopy(standing.streams)
        for index, (order, seed) in enumerate(zip(self.order_of, self.seed_of, strict=True)):
            self.orders[order].rng = streams["data order"][index]
            self._noise[seed] = streams["gradient noise"][index]
            self._dropout[seed] = streams["dropout"][index]
            self._draws[seed] = streams["draws of the model"][index]

    def lengthen(self, updates: int) -> None:
        """Extend the rates to `updates` updates: beyond the plan the last rate stays."""
        missing = updates - len(self.rates)
        if missing > 0:
            # At least double the length, so that many short passes do not copy the rates every time.
            last = np.repeat(self.rates[-1:], max(missing, len(self.rates)), axis=0)
            self.rates = np.concatenate([self.rates, last])

    def keep(self, kept: Flags) -> None:
        """Remove all replicates but `kept` (R,)."""
        for name in ("alive", "theta", "problem_of", "seed_of", "order_of", "memory", "since"):
            setattr(self, name, getattr(self, name)[kept])
        self.strengths = {name: array[kept] for name, array in self.strengths.items()}
        if self.ascent is not None:
            self.ascent.keep(kept)
        if self.average is not None:
            self.average = self.average.kept(kept)
        if self.workers is not None:
            self.workers.keep(kept)
        # Contiguous again: the update would be compiled again for another memory layout.
        self.state, self.rates, self.hyperparameters = (
            np.ascontiguousarray(array[:, kept]) for array in (self.state, self.rates, self.hyperparameters)
        )
