"""`Steps`: the gradient of one replicate of a PyTorch module, eagerly or by a recorded program with the same bits.

Replicates are computed one after the other. Batched by `torch.func.vmap`, a matrix product or a convolution takes other
kernels for another number of replicates, and its last bits would depend on which replicates are trained together. What
makes a plain loop slow on small batches is not the arithmetic but the calls around it: modules, autograd, dispatch. A
shape of a batch that comes often is therefore recorded once as the list of its kernels, forward and backward, which is
then run without these.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from copy import deepcopy
from functools import lru_cache, partial
from typing import Any

import torch
from torch import nn
from torch._ops import OpOverload
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

from cooldown.objectives.frameworks.seeding import states
from cooldown.objectives.frameworks.torch_layout import Layout, called
from cooldown.objectives.frameworks.torch_random import Draws
from cooldown.objectives.process_state import process_state
from cooldown.objectives.quiet import quiet

RECORDED_AFTER = 4
"""Calls with a shape before it is recorded, which takes as long as some hundred calls."""

MOST_PROGRAMS = 64
"""Programs kept of one model."""

Step = Callable[..., tuple[torch.Tensor, torch.Tensor, torch.Tensor]]
"""(P,) parameters, (size − P,) other columns, the tensors of inputs and targets one by one → loss (), gradient (P,),
other columns after it.
"""


class Programs:
    """The recorded programs of one model in this process, by precision and shape of the batch."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.calls: dict[Any, int] = {}
        self.recorded: dict[Any, tuple[Step, bool] | None] = {}


def plainly() -> AbstractContextManager[None]:
    """Scripts run in here as they are written, kernel by kernel."""
    context: AbstractContextManager[None] = torch.jit.optimized_execution(False)  # type: ignore[attr-defined, unused-ignore]
    return context


@lru_cache(maxsize=32)
def programs_of(identity: str) -> Programs:
    """The programs of the model with this identity, also of its copies and of those that jobs bring along."""
    return Programs(identity)


class Steps:
    """The steps of one module in training mode. module: its parameters are not used, its constants are."""

    def __init__(self, module: nn.Module, layout: Layout, loss: Callable[[Any, Any], Any], programs: Programs) -> None:
        self.module, self.layout, self.loss, self.programs = module, layout, loss, programs

    def step_of(self, columns: torch.Tensor, x: Any, y: Any) -> tuple[Step, bool, list[Any]]:
        """The step for batches like this one, whether it draws random numbers or may do so, and the batch's tensors.

        columns: (size,) of a replicate.
        """
        parts, structure = pytree.tree_flatten((x, y))
        shapes = tuple((tuple(part.shape), part.dtype) if isinstance(part, torch.Tensor) else None for part in parts)
        key = columns.dtype, columns.device, str(structure), shapes
        calls = self.programs.calls[key] = self.programs.calls.get(key, 0) + 1
        if calls > RECORDED_AFTER and key not in self.programs.recorded and None not in shapes:
            with process_state:
                # Another thread may have recorded it meanwhile.
                if key not in self.programs.recorded:
                    if len(self.programs.recorded) >= MOST_PROGRAMS:
                        self.programs.recorded.clear()
                    self.programs.recorded[key] = self._recorded(columns, parts, structure)
        step, draws = self.programs.recorded.get(key) or (partial(self.eager, structure), True)
        return step, draws, parts

    def eager(
        self, structure: pytree.TreeSpec, parameters: torch.Tensor, others: torch.Tensor, *parts: Any
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The step as PyTorch makes it. structure: of inputs and targets, whose tensors are `parts`."""
        x, y = pytree.tree_unflatten(parts, structure)
        with torch.enable_grad():
            leaf = parameters.detach().requires_grad_()
            state = self.layout.parameters(leaf) | self.layout.others(others)
            loss = self.loss(called(self.module, x, state), y)
            (gradient,) = torch.autograd.grad(loss, leaf)
        return loss.detach(), gradient, self.layout.columns(state, self.layout.carried, others.dtype)

    def _recorded(
        self, columns: torch.Tensor, parts: list[torch.Tensor], structure: pytree.TreeSpec
    ) -> tuple[Step, bool] | None:
        """The step as a list of kernels, and whether these draw; None for a module that cannot be recorded.

        That is one whose code depends on values, or draws random numbers outside torch, or has a state outside its
        tensors: recorded, it would not give the bits that it gives itself.
        """
        split, eager = self.layout.trainable, partial(self.eager, structure)
        given = columns[:split].clone(), columns[split:].clone(), *parts
        elsewhere = given[0] * 1.0625, *given[1:]
        with Draws() as draws:
            draws.seed(0)
            before = str(states())
            # Whatever fails here, the module itself does or says better.
            with suppress(Exception):
                graph = make_fx(eager)(*given)
                if str(states()) != before:
                    return None
                for program in (_scripted(graph), graph.forward):
                    if program is not None and _same(eager, program, elsewhere, draws):
                        return program, _draws(graph)
        return None


def _scripted(graph: GraphModule) -> Step | None:
    """The same kernels, called from C++; None where TorchScript does not know one of them.

    TorchScript is deprecated for its compiler, which is not used here: nothing is fused, and no order changed.
    """
    named = GraphModule(graph, deepcopy(graph.graph))
    for node in named.graph.nodes:
        # TorchScript finds the overload by itself, and does not know its name.
        if isinstance(node.target, OpOverload):
            node.target = node.target.overloadpacket
    named.recompile()
    with suppress(Exception), quiet(), plainly():
        script: Step = torch.jit.script(named).forward
        return script
    return None


def _same(one: Step, other: Step, given: tuple[Any, ...], draws: Draws) -> bool:
    """Whether two steps give the same bits, twice: the first run of a script may differ from later ones."""
    for _ in range(2):
        results = []
        for step in (one, other):
            draws.seed(1)
            results.append(step(*given))
        if not all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(*results, strict=True)):
            return False
    return True


def _draws(graph: GraphModule) -> bool:
    """Whether the kernels of a graph draw random numbers."""
    return any(
        torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ())
        for node in graph.graph.nodes
        if node.op == "call_function"
    )
