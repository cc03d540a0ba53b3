"""A config as a PyTorch optimizer and scheduler, for a training loop that exists already."""

import sys
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.optim.lr_scheduler import LRScheduler

from cooldown.objectives import optimizers
from cooldown.objectives.errors import InputError
from cooldown.objectives.frameworks.rebinding import rebound
from cooldown.objectives.frameworks.settings import Settings
from cooldown.objectives.schedule import Plan
from cooldown.objectives.strategies import first_averaged


class ConfigOptimizer(torch.optim.Optimizer):
    """A config's rule, after what its strategies do to gradients and parameters.

    In this order: the gradient of all parameters together is clipped (`clip_norm`), noise is added to it
    (`gradient_noise`, from torch's generator), the parameters decay (`weight_decay`), and the penalty's gradient is
    added (`l2`); then the rule of the catalog makes the update. Parameters without a gradient are left as they are.
    With sharpness-aware minimization (`sam`) the gradient is taken again, by the closure, a step uphill. What is
    measured and kept may be others than the trained parameters (`averaging`, schedule-free rules): see `reported`.
    """

    def __init__(self, parameters: Any, config: Settings, plan: Plan) -> None:
        """parameters: as of every optimizer of torch, also groups with an "lr" of their own. plan: of the run."""
        settings = dict(config.optimizer.hyperparameters)
        super().__init__(parameters, {"lr": settings.pop("learning_rate")})
        self._config, self._rule, self._settings = config, optimizers.get(config.optimizer.name), settings
        self._averaged_after = _averaged_after(config, plan)
        # In a group, and so in the optimizer's state_dict.
        self.param_groups[0].setdefault("updates", 0)
        self.param_groups[0].setdefault("since_reset", 0)
        self.param_groups[0].setdefault("memory", [0.0] * self._rule.memory_size)
        self.param_groups[0].setdefault("averaged", 0)

    def reset(self) -> None:
        """Forget the rule's state; the next update is its first."""
        self.state.clear()
        self.param_groups[0] |= {"since_reset": 0, "memory": [0.0] * self._rule.memory_size, "averaged": 0}

    @contextmanager
    def reported(self) -> Iterator[None]:
        """In here the parameters are those that are measured and kept, after it the trained ones again.

            with optimizer.reported():
                loss = evaluate(model)

        They are the same, unless the rule is a schedule-free one, or parameters are averaged.
        """
        trained = [(parameter, parameter.detach().clone()) for parameter in self.state]
        with torch.no_grad():
            for parameter, value in trained:
                parameter.copy_(self._reported(parameter, value))
        try:
            yield
        finally:
            with torch.no_grad():
                for parameter, value in trained:
                    parameter.copy_(value)

    def _reported(self, parameter: Any, trained: torch.Tensor) -> Any:
        state = self.state[parameter]
        if self.param_groups[0]["averaged"]:
            return state.get("average", trained)
        if self._rule.reported is None or "slots" not in state:
            return trained
        return rebound(self._rule.reported, torch)(trained, *state["slots"], *self._settings.values())

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """One update; closure: evaluates the model again, with its gradients, and returns its loss; `sam` needs it.

        Running statistics of the model move with every evaluation, and dropout draws anew; Cooldown's own training has
        one mask for both gradients of `sam`, and keeps the statistics of the first.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        if self._config.sam:
            self._ascend(closure)
        first = self.param_groups[0]
        first["since_reset"] += 1
        updated = [
            (parameter, group["lr"])
            for group in self.param_groups
            for parameter in group["params"]
            if parameter.grad is not None
        ]
        gradients = self._gradients(updated, first["updates"])
        first["updates"] += 1
        # Zero-dimensional float64 tensors, because torch's functions need tensors.
        scalars = [
            torch.tensor(float(each), dtype=torch.float64) for each in (first["since_reset"], *self._settings.values())
        ]
        slots = [self._slots(parameter) for parameter, _ in updated]
        numbers = self._numbers(updated, gradients, slots, scalars)
        update = rebound(self._rule.update, torch)
        for (parameter, rate), gradient, of_parameter in zip(updated, gradients, slots, strict=True):
            of_matrix = self._of_matrix(parameter, gradient, *of_parameter, rate, *scalars)
            new, *of_parameter = update(parameter, gradient, *of_parameter, rate, *scalars, *numbers, *of_matrix)
            parameter.copy_(new)
            self.state[parameter]["slots"] = of_parameter
        if first["updates"] in self._averaged_after:
            self._average([parameter for parameter, _ in updated])
        return loss

    def _ascend(self, closure: Any) -> None:
        """Replace the gradients by those at θ + ρ g/‖g‖."""
        if closure is None:
            raise InputError(
                "sam takes two gradients an update: step(closure) needs a function that evaluates the model"
            )
        given = [each for group in self.param_groups for each in group["params"] if each.grad is not None]
        norm = torch.nn.utils.get_total_norm([each.grad for each in given]).item() if given else 0.0
        trained = [each.detach().clone() for each in given]
        for parameter in given:
            parameter.add_(parameter.grad, alpha=self._config.sam / norm if norm else 0.0)
        with torch.enable_grad():
            closure()
        for parameter, value in zip(given, trained, strict=True):
            parameter.copy_(value)

    def _average(self, parameters: list[Any]) -> None:
        """Take the parameters into their averages; the first ones are the average."""
        first, decay = self.param_groups[0], self._config.averaging_decay
        first["averaged"] += 1
        kept = decay if self._config.averaging == "ema" else 1 - 1 / first["averaged"]
        for parameter in parameters:
            state = self.state[parameter]
            before = state.get("average")
            state["average"] = parameter.clone() if before is None else kept * before + (1 - kept) * parameter

    def _gradients(self, updated: list[tuple[Any, float]], update: int) -> list[torch.Tensor]:
        """The gradients that the rule sees; the parameters decay here."""
        config = self._config
        gradients = [parameter.grad for parameter, _ in updated]
        if config.clip_norm is not None and gradients:
            norm = torch.nn.utils.get_total_norm(gradients).item()
            # Not clip_grad_norm_, which adds 1e-6 to the norm.
            if norm > config.clip_norm:
                gradients = [gradient * (config.clip_norm / norm) for gradient in gradients]
        if config.gradient_noise:
            deviation = (config.gradient_noise / (1 + update) ** config.gradient_noise_decay) ** 0.5
            gradients = [gradient + deviation * torch.randn_like(gradient) for gradient in gradients]
        if config.weight_decay:
            for parameter, rate in updated:
                parameter.mul_(1 - rate * config.weight_decay)
        if config.l2:
            gradients = [
                gradient + config.l2 * parameter for gradient, (parameter, _) in zip(gradients, updated, strict=True)
            ]
        return gradients

    def _slots(self, parameter: Any) -> list[torch.Tensor]:
        state = self.state[parameter]
        if "slots" not in state:
            state["slots"] = [torch.zeros_like(parameter) for _ in self._rule.slots]
        slots: list[torch.Tensor] = state["slots"]
        return slots

    def _of_matrix(self, parameter: Any, *others: Any) -> tuple[Any, ...]:
        """What a rule with `matrices` makes of a weight matrix as a whole; nothing of other parameters."""
        rule = self._rule.matrices
        if rule is None or parameter.ndim != 2:
            return ()
        with parameter.device:
            # torch stores weights as outputs × inputs.
            return rebound(rule.work_out, torch)(rebound(rule.source, torch)(parameter, *others).T).T, 1.0

    def _numbers(
        self,
        updated: list[tuple[Any, float]],
        gradients: list[torch.Tensor],
        slots: list[list[torch.Tensor]],
        scalars: list[torch.Tensor],
    ) -> tuple[Any, ...]:
        """What the rule computes for all parameters together, in float64."""
        numbers = self._rule.numbers
        if numbers is None:
            return ()
        terms = [rebound(term, torch) for term in numbers.terms]
        sums = np.zeros(len(terms))
        for (parameter, rate), gradient, of_parameter in zip(updated, gradients, slots, strict=True):
            for i, term in enumerate(terms):
                sums[i] += term(parameter, gradient, *of_parameter, rate, *scalars).sum(dtype=torch.float64).item()
        first = self.param_groups[0]
        memory = np.array(first["memory"])
        found = numbers.work_out(sums, memory, first["since_reset"], *self._settings.values())
        first["memory"] = memory.tolist()
        return tuple(found)


def _averaged_after(config: Settings, plan: Plan) -> Container[int]:
    """The numbers of the updates after which the parameters are averaged."""
    if config.averaging == "ema":
        return range(1, sys.maxsize)
    if config.averaging == "swa":
        return frozenset(plan.starts[first_averaged(config.epochs, config.averaging_share) + 1 :].tolist())
    return ()


class ConfigScheduler(LRScheduler):
    """A config's schedule; call `step()` after every update.

    Past the end of the run the last rate stays. A schedule that reacts to the held-out loss needs `evaluated` after
    every epoch, too.
    """

    def __init__(self, optimizer: ConfigOptimizer, plan: Plan) -> None:
        self._multipliers, self._reaction = plan.multipliers.tolist(), plan.reaction
        self.cut, self.best_loss, self.evaluations_since_best = 1.0, float("inf"), 0
        self.best_parameters: list[torch.Tensor] = []
        super().__init__(optimizer)

    def state_dict(self) -> dict[str, Any]:
        """What changes during a run; plain values, which `torch.load` reads without trusting the file."""
        return {key: value for key, value in super().state_dict().items() if key not in ("_multipliers", "_reaction")}

    def get_lr(self) -> list[float | torch.Tensor]:
        """The rate of each group for the next update."""
        multiplier = self.cut * self._multipliers[min(self.last_epoch, len(self._multipliers) - 1)]
        return [base * multiplier for base in self.base_lrs]

    def evaluated(self, loss: float) -> bool:
        """After an epoch: its held-out loss. Whether the run reacted to it.

        It reacts after so many epochs without a new best as the schedule says: it returns to the best parameters, with
        a smaller rate and a fresh state of the rule. Buffers, such as running statistics, stay as they are. A schedule
        that does not react ignores the loss.
        """
        if self._reaction is None:
            return False
        parameters = [each for group in self.optimizer.param_groups for each in group["params"]]
        self.evaluations_since_best += 1
        assert isinstance(self.optimizer, ConfigOptimizer)
        if loss < self.best_loss:
            self.best_loss, self.evaluations_since_best = loss, 0
            with self.optimizer.reported():
                self.best_parameters = [parameter.detach().clone() for parameter in parameters]
        over = self.last_epoch >= len(self._multipliers)
        if self.evaluations_since_best < self._reaction.patience or over or not self.best_parameters:
            return False
        with torch.no_grad():
            for parameter, best in zip(parameters, self.best_parameters, strict=True):
                parameter.copy_(best)
        self.optimizer.reset()
        self.cut *= self._reaction.factor
        self.evaluations_since_best = 0
        for group, rate in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = rate
        return True


def optimizer_and_scheduler(
    config: Settings, parameters: Iterable[Any], plan: Plan
) -> tuple[ConfigOptimizer, ConfigScheduler]:
    """The optimizer of `config` for these parameters, and the scheduler of its `plan`."""
    optimizer = ConfigOptimizer(parameters, config, plan)
    return optimizer, ConfigScheduler(optimizer, plan)
