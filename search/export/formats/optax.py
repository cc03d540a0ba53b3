"""optax: the configuration as a training script in plain JAX, with optax's own rule and schedule if they are exact."""

from cooldown.objectives.config import TrainConfig
from cooldown.search.export.format import Chosen, ConfigFormat, Exported
from cooldown.search.export.literals import call, literal
from cooldown.search.export.program import Program


def write(chosen: Chosen) -> Exported:
    """The script."""
    program = Program(chosen, "optax")
    config, rule, schedule = program.config, program.optimizer, program.schedule
    reaction = schedule.reaction is not None
    constant = schedule.constant and program.warmup < 2
    scheduled = not constant and not reaction
    scheduler = program.scheduler("optax.") if scheduled else None
    needs_rates = not constant and scheduler is None
    if needs_rates:
        program.add_rates()
    rate = "learning_rate" if reaction else "make_schedule(n_rows)" if scheduled else "LEARNING_RATE"
    formula, native = None, program.rule(steady=constant)
    if native is not None and native.reported and config.weight_decay:
        # It works out what it reports from the parameters, and knows nothing of a decay before the rule.
        native = None
    if native is not None:
        function, arguments = f"optax.{native.function}", native.arguments
    else:
        formula = program.formula("jnp")
        function, arguments = rule.identifier, []
    shown, reported_call = "", ""
    if formula is not None and formula["reported"]:
        shown = "reported(parameters, state)"
        reported_call = call(formula["reported"], ["value", "*slots", *formula["settings"]], 8, "return ")
    elif native is not None and native.reported:
        of_rule = "state[-1]" if _transformations(config) else "state"
        shown = f"optax.{native.reported}({of_rule}, parameters)"
    if config.averaging != "none":
        # Before its first update it is the parameters that the run began with.
        shown = "average if averaged else parameters" if config.averaging == "swa" else "average"
    noise, dropout, batch_norm = config.gradient_noise > 0, config.dropout, config.batch_norm
    transformations = _transformations(config)
    # Its place: returned by the inner function or by make_optimizer, or before a comma in the list of a chain.
    indent, before = (8, "return ") if reaction else (8, ",") if transformations else (4, "return ")
    expression = call(function, [rate, *arguments], indent, before)
    transformations.append("rule(LEARNING_RATE)" if reaction else expression)
    arguments = [*(["n_rows"] if scheduled else []), *(["key"] if noise else [])]
    noise_key = "noise_key" if dropout else "key"
    state = ["parameters", "statistics"] if batch_norm else ["parameters"]
    train_arguments = [
        "parameters",
        *(["make_statistics()"] if batch_norm else []),
        *["X", "y", "orders"],
        *(["X_watched", "y_watched"] if config.reacts else []),
        *(["training_key"] if noise or dropout else []),
        "devices=devices",
    ]
    counted = dropout > 0 or (config.weight_decay > 0 and scheduled)
    update_arguments = [
        *[*state, "state", "*split(X[rows], y[rows])"],
        *(["rates[index]"] if reaction else []),
        *(["index"] if counted else []),
    ]
    text = program.render(
        "optax.py.jinja",
        imports=program.imports(
            "import json", "import math", *["from typing import NamedTuple"] * (formula is not None)
        ),
        formula=formula,
        in_jax=formula is not None and formula["pure"],
        rule_name=rule.identifier,
        rule_expression=expression,
        transformations=transformations,
        optimizer_arguments=", ".join(arguments),
        optimizer_call=", ".join({"n_rows": "len(X)", "key": noise_key}[argument] for argument in arguments),
        scheduled=scheduled,
        scheduler=scheduler,
        shown=shown,
        reported_call=reported_call,
        joined=program.warmup > 0 and not schedule.constant,
        needs_rates=needs_rates,
        noise=noise,
        dropout=dropout,
        batch_norm=batch_norm,
        random=noise or dropout > 0,
        counted=counted,
        layer_loop="layer, running in zip(parameters[:-1], statistics, strict=True)"
        if batch_norm
        else "layer in parameters[:-1]",
        initial=_initial(program),
        update_call=call("update", update_arguments, 12, f"{', '.join(state)}, state, loss = "),
        main_call=call("train", train_arguments, 4, f"{', '.join(state)}, losses = "),
    )
    return Exported(text, program.remarks)


def _transformations(config: TrainConfig) -> list[str]:
    """The transformations of the gradient before the rule, in order."""
    transformations = []
    if config.clip_norm is not None:
        transformations.append(f"optax.clip_by_global_norm({literal(config.clip_norm)})")
    if config.gradient_noise:
        variance, decay = literal(config.gradient_noise), literal(config.gradient_noise_decay)
        transformations.append(f"optax.add_noise({variance}, {decay}, key)")
    if config.l2:
        transformations.append(f"optax.add_decayed_weights({literal(config.l2)})")
    return transformations


def _initial(program: Program) -> dict[str, str]:
    """The initializers of the hidden layers and of the output layer."""
    drawn = {
        # jax.nn.initializers.he_normal is truncated.
        "he": 'variance_scaling(2.0, "fan_in", "normal")',
        "glorot": "glorot_uniform()",
        "poor": "normal(0.01)",
        "large": "normal(1.0)",
        "zero": "zeros",
        "normal_0.1": "normal(0.1)",
    }
    return program.initial(drawn)


optax = ConfigFormat("optax", ".py", "a JAX training script with optax that does not need Cooldown", write, "python")
