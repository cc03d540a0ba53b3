"""Keras: the configuration as a training script, with Keras's own optimizer and schedule if they are exact."""

from typing import Any

from cooldown.objectives.errors import InputError
from cooldown.search.export.format import Chosen, ConfigFormat, Exported
from cooldown.search.export.literals import call, literal
from cooldown.search.export.program import Program


def write(chosen: Chosen) -> Exported:
    """The script; raises InputError for what Keras's optimizers do not support: a rule that computes numbers from the
    gradients of all variables, and sharpness-aware minimization.
    """
    program = Program(chosen, "keras")
    config, rule, schedule = program.config, program.optimizer, program.schedule
    if rule.numbers is not None and rule.numbers.terms:
        raise InputError(
            f"keras: {rule.name} computes numbers from the gradients of all variables together, which Keras's "
            "optimizers do not support; use --format torch, optax or sklearn"
        )
    if config.sam:
        raise InputError(
            "keras: sam takes two gradients an update, and Keras's own training loop takes one; use --format torch, "
            "optax or sklearn"
        )
    reaction = schedule.reaction is not None
    constant = schedule.constant and program.warmup < 2
    scheduled = not constant and not reaction
    # Keras's schedules start with the first update and cannot follow a warm-up.
    scheduler = program.scheduler() if scheduled and not program.warmup else None
    needs_rates = not constant and scheduler is None
    if needs_rates:
        program.add_rates()
    # Between two reactions the rate is constant, and a reaction resets the velocity.
    steady = constant or (reaction and program.warmup < 2)
    formula, base = None, "Optimizer"
    arguments: list[str] = []
    native = program.rule(steady=steady)
    if native is not None:
        base, arguments = native.function, native.arguments
    else:
        formula = program.formula("ops")
    subclassed = formula is not None or config.l2 > 0 or config.gradient_noise > 0
    class_name = program.class_name
    if config.weight_decay:
        arguments.append(f"weight_decay={literal(config.weight_decay)}")
    if config.clip_norm is not None:
        arguments.append(f"global_clipnorm={literal(config.clip_norm)}")
    tabulated = formula is not None and bool(formula["work_out"])
    rate = "make_schedule(n_rows)" if scheduled else "LEARNING_RATE"
    function = class_name if subclassed else f"keras.optimizers.{base}"
    slots = ["*slots"] if rule.slots else []
    step_arguments = ["ops.convert_to_tensor(variable)", "gradient", *slots, "rate", "t"]
    source_arguments: list[str] = []
    if formula is not None:
        step_arguments += ["*SETTINGS.values()"] if formula["names"] else []
        source_arguments = list(step_arguments)
        step_arguments += ["*numbers"] if tabulated else []
        step_arguments += ["*of_matrix"] if formula["matrix"] else []
    shown = "reported(model)" if formula is not None and formula["reported"] else ""
    if config.averaging != "none":
        # Before its first update the average `swa` holds the weights that the run began with.
        shown = "reported(model, average if averaged else model.get_weights())"
        shown = shown if config.averaging == "swa" else "reported(model, average)"
    text = program.render(
        "keras.py.jinja",
        imports=program.imports(
            *["import json", "import math", "import os", "import zipfile"],
            *["import copy"] * (config.reacts or config.averaging != "none"),
        ),
        formula=formula,
        tabulated=tabulated,
        subclassed=subclassed,
        class_name=class_name,
        base=base,
        numbers=_numbers(formula) if formula else "",
        slot_names=list(rule.slots),
        settings={name: program.rule_values[name] for name in formula["names"]} if formula else {},
        source_call=f"{formula['source']}({', '.join(source_arguments)})" if formula else "",
        step_call=call(formula["function"], step_arguments, 8, "new, *slots = ") if formula else "",
        optimizer_expression=call(function, [*(["n_rows"] if tabulated else []), rate, *arguments], 4, "return "),
        optimizer_argument="n_rows" if scheduled or tabulated else "",
        shown=shown,
        scheduled=scheduled,
        scheduler=scheduler,
        needs_rates=needs_rates,
        uses_ops=formula is not None
        or (scheduled and scheduler is None)
        or config.batch_norm
        or config.gradient_noise > 0
        or shown == "reported(model)",
        initial=_initial(program),
    )
    return Exported(text, program.remarks)


def _numbers(formula: dict[str, Any]) -> str:
    """The expression for the numbers of all updates, which are computed before the first one."""
    settings = ", *SETTINGS.values()" if formula["names"] else ""
    numbers = f"[{formula['work_out']}((), memory, t{settings}) for t in range(1, updates + 1)]"
    return call("np.array", [numbers], 8, "self.numbers = ")


def _initial(program: Program) -> dict[str, str]:
    """The initializers of the hidden layers and of the output layer."""
    drawn = {
        # keras.initializers.HeNormal is truncated.
        "he": 'VarianceScaling(2.0, "fan_in", "untruncated_normal")',
        "glorot": "GlorotUniform()",
        "poor": "RandomNormal(stddev=0.01)",
        "large": "RandomNormal(stddev=1.0)",
        "zero": "Zeros()",
        "normal_0.1": "RandomNormal(stddev=0.1)",
    }
    return program.initial(drawn)


keras = ConfigFormat("keras", ".py", "a Keras training script that does not need Cooldown", write, "python")
