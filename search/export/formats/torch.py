"""PyTorch: the configuration as a training script, with torch's own optimizer and scheduler if they are exact."""

from typing import Any

from cooldown.objectives.config import TrainConfig
from cooldown.search.export.format import Chosen, ConfigFormat, Exported
from cooldown.search.export.literals import call, literal
from cooldown.search.export.program import Program


def write(chosen: Chosen) -> Exported:
    """The script."""
    program = Program(chosen, "torch")
    config = program.config
    constant = program.schedule.constant and not program.warmup
    formula = None
    native = program.rule(steady=constant)
    if native is not None:
        rule, arguments = f"torch.optim.{native.function}", native.arguments
    else:
        formula = program.formula("torch")
        rule, arguments = formula["class_name"], []
    # A rule from the catalog has no weight_decay, and an argument that is already there is the decoupled decay.
    decoupled = any(argument.startswith("weight_decay=") for argument in arguments)
    by_hand = config.l2 > 0 and (formula is not None or decoupled)
    if config.l2 and not by_hand:
        arguments.append(f"weight_decay={literal(config.l2)}")
    reacts_by_rate = program.schedule.reaction is not None
    scheduler = program.scheduler()
    needs_rates = scheduler is None and not constant
    if needs_rates:
        program.add_rates()
    averaged, shown, reported_call = _averaged(config), "model", ""
    if averaged:
        # Nothing is averaged before its first update.
        shown = "averaged.module if averaged.n_averaged else model"
    elif formula is not None and formula["reported"]:
        shown = "reported(model, optimizer)"
        reported_call = call(formula["reported"], ["trained", "*slots", *formula["settings"]], 12, "found = ")
    copies = config.reacts or config.sam > 0 or shown == "reported(model, optimizer)"
    text = program.render(
        "torch.py.jinja",
        imports=program.imports("import math", *["import copy"] * copies),
        averaged=averaged,
        shown=shown,
        reported_call=reported_call,
        kept="model" if shown == "model" else "kept",
        formula=formula,
        step_call=_step_call(formula) if formula else "",
        source_call=call(formula["source"], [*_ARGUMENTS, *formula["names"]], 20, "entries = ") if formula else "",
        arguments=call("", [*_ARGUMENTS, *formula["names"]], 16, "arguments = ") if formula else "",
        optimizer_expression=call(rule, ["model.parameters()", "lr=LEARNING_RATE", *arguments], 4, "return "),
        scheduled=not constant and not reacts_by_rate,
        scheduler=scheduler,
        needs_rates=needs_rates,
        l2_by_hand=by_hand,
        initial=_initial(program),
    )
    return Exported(text, program.remarks)


_ARGUMENTS = ("parameter", "parameter.grad", "*slots", 'group["lr"]', "t")
"""Of a formula for one parameter, before the hyperparameters."""


def _averaged(config: TrainConfig) -> str:
    """The expression for torch's average of the parameters, or ""."""
    if config.averaging == "none":
        return ""
    # The function of each tensor by itself: that of many at once counts in single precision.
    how = f"get_ema_avg_fn({literal(config.averaging_decay)})" if config.averaging == "ema" else "get_swa_avg_fn()"
    return f"torch.optim.swa_utils.AveragedModel(model, avg_fn=torch.optim.swa_utils.{how})"


def _step_call(formula: dict[str, Any]) -> str:
    """The call of the rule for one parameter."""
    of_matrix = ["*of_matrix"] if formula["matrix"] else []
    return call(formula["function"], [*_ARGUMENTS, *formula["names"], "*numbers", *of_matrix], 16, "new, *slots = ")


def _initial(program: Program) -> dict[str, str]:
    """The code that draws the weights of the hidden layers and of the output layer."""
    drawn = {
        "he": 'torch.nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")',
        "glorot": "torch.nn.init.xavier_uniform_(linear.weight)",
        "poor": "torch.nn.init.normal_(linear.weight, std=0.01)",
        "large": "torch.nn.init.normal_(linear.weight)",
        "zero": "torch.nn.init.zeros_(linear.weight)",
        "normal_0.1": "torch.nn.init.normal_(linear.weight, std=0.1)",
    }
    return program.initial(drawn)


torch = ConfigFormat("torch", ".py", "a PyTorch training script that does not need Cooldown", write, "python")
