"""optax: the configuration as a training script in plain JAX, with optax's own rules and schedules where exact."""

from collections.abc import Callable

from cooldown.search.export.format import Chosen, ConfigFormat, Exported
from cooldown.search.export.literals import call, literal
from cooldown.search.export.program import Own, Program, Scheduler, end_rate, given
from cooldown.search.export.source import Source


def _moments(own: Own) -> list[str]:
    return [given(own, "beta1", "b1"), given(own, "beta2", "b2"), given(own, "epsilon", "eps")]


OPTIMIZERS: dict[str, Callable[[Own], tuple[str, list[str]]]] = {
    "sgd": lambda _: ("sgd", []),
    "momentum": lambda own: ("sgd", [given(own, "momentum")]),
    "nag": lambda own: ("sgd", [given(own, "momentum"), "nesterov=True"]),
    "adadelta": lambda own: ("adadelta", [given(own, "rho"), given(own, "epsilon", "eps")]),
    "rmsprop": lambda own: (
        "rmsprop",
        [given(own, "rho", "decay"), given(own, "epsilon", "eps"), "eps_in_sqrt=False"],
    ),
    "adam": lambda own: ("adam", _moments(own)),
    "adamax": lambda own: ("adamax", _moments(own)),
    "adamw": lambda own: ("adamw", [*_moments(own), given(own, "weight_decay")]),
}
"""optax's own rules and arguments, where they are exactly the rule of that name.

Its adagrad has ε under the root, its amsgrad takes the maximum of the corrected second moments, and its nadam has no
schedule of the momentum.
"""

IN_JAX = {
    "nadam": '''\
def momenta(memory, t, beta1, beta2, epsilon, momentum_decay):
    """μ_t = β₁(1 − ½·0.96^(ψt)), the next one, and the product of all so far, which is the memory (1,)."""
    now = beta1 * (1 - 0.5 * 0.96 ** (momentum_decay * t))
    following = beta1 * (1 - 0.5 * 0.96 ** (momentum_decay * (t + 1)))
    memory = jnp.where(t == 1, now, memory * now)
    return (now, following, memory[0]), memory''',
}
"""What a rule works out for all parameters together, as JAX can compile it; that of any other the host computes."""


MOST_PERIODS = 6
"""Restarts beyond these are a table: optax evaluates the schedules of all periods in every update."""


def _sgdr(lengths: Own, epochs: int) -> str | None:
    period, mult = lengths["period"], lengths["period_mult"]
    if not (float(period).is_integer() and float(mult).is_integer()):
        return None
    lasting = [int(period)]
    while sum(lasting) < epochs and len(lasting) <= MOST_PERIODS:
        lasting.append(int(lasting[-1] * mult))
    if len(lasting) > MOST_PERIODS:
        return None
    each = f"optax.cosine_decay_schedule(LEARNING_RATE, {{}} * updates_per_epoch, {literal(lengths['floor'])})"
    if len(lasting) == 1:
        return each.format(period)
    starts = [sum(lasting[:i]) for i in range(1, len(lasting))]
    arguments = [
        f"[{each.format('epochs')} for epochs in {literal(tuple(lasting))}]",
        f"[start * updates_per_epoch for start in {literal(tuple(starts))}]",
    ]
    return call("optax.join_schedules", arguments, 4, "return ")


def _step(lengths: Own) -> str | None:
    if not float(lengths["every"]).is_integer():
        return None
    every = f"{literal(float(lengths['every']))} * updates_per_epoch"
    return f"optax.exponential_decay(LEARNING_RATE, {every}, {literal(lengths['gamma'])}, staircase=True)"


SCHEDULES: dict[str, Callable[[Own, int], str | None]] = {
    "constant": lambda *_: (
        "optax.warmup_constant_schedule(LEARNING_RATE / WARMUP_STEPS, LEARNING_RATE, WARMUP_STEPS - 1.0)"
    ),
    "cosine": lambda own, _: f"optax.cosine_decay_schedule(LEARNING_RATE, total, alpha={literal(own['floor'])})",
    "sgdr": _sgdr,
    "exponential": lambda own, _: f"optax.exponential_decay(LEARNING_RATE, total, {literal(own['gamma'])})",
    "step": lambda own, _: _step(own),
    "linear": lambda own, _: f"optax.linear_schedule(LEARNING_RATE, {end_rate(own)}, total)",
    "polynomial": lambda own, _: (
        f"optax.polynomial_schedule(LEARNING_RATE, {end_rate(own)}, {literal(own['power'])}, total)"
    ),
}
"""optax's own schedules, where they are exactly the schedule of that name, from its hyperparameters and the epochs.

Its cosine_onecycle_schedule has its peak at a whole update, and cannot end at 0.
"""


def _scheduler(program: Program) -> Scheduler | None:
    epochs = program.config.epochs

    def with_epochs(made: Callable[[Own, int], str | None]) -> Callable[[Own], str | None]:
        return lambda lengths: made(lengths, epochs)

    return program.scheduler({name: with_epochs(made) for name, made in SCHEDULES.items()})


def write(chosen: Chosen) -> Exported:
    """The script."""
    program = Program(chosen, "optax")
    config, rule, schedule = program.config, program.optimizer, program.schedule
    reaction = schedule.reaction is not None
    constant = schedule.name == "constant" and program.warmup < 2
    scheduled = not constant and not reaction
    scheduler = _scheduler(program) if scheduled else None
    needs_rates = not constant and scheduler is None
    if needs_rates:
        program.add_rates()
    rate = "learning_rate" if reaction else "make_schedule(n_rows)" if scheduled else "LEARNING_RATE"
    formula, name = None, rule.name
    if name in OPTIMIZERS:
        function, arguments = OPTIMIZERS[name](program.own)
        function = f"optax.{function}"
    else:
        formula = program.formula("jnp")
        function, arguments = name, []
        if name in IN_JAX:
            program.source.functions[formula["work_out"]] = IN_JAX[name]
    noise, dropout, batch_norm = config.gradient_noise > 0, config.dropout, config.batch_norm
    transformations = []
    if config.clip_norm is not None:
        transformations.append(f"optax.clip_by_global_norm({literal(config.clip_norm)})")
    if noise:
        variance, decay = literal(config.gradient_noise), literal(config.gradient_noise_decay)
        transformations.append(f"optax.add_noise({variance}, {decay}, key)")
    if config.l2:
        transformations.append(f"optax.add_decayed_weights({literal(config.l2)})")
    # Where it stands: returned by the inner function or by make_optimizer, or in the list of a chain before a comma.
    indent, before = (8, "return ") if reaction else (8, ",") if transformations else (4, "return ")
    expression = call(function, [rate, *arguments], indent, before)
    transformations.append("rule(LEARNING_RATE)" if reaction else expression)
    arguments = [*(["n_rows"] if scheduled else []), *(["key"] if noise else [])]
    noise_key = "noise_key" if dropout else "key"
    state = ["parameters", "statistics"] if batch_norm else ["parameters"]
    trained = [
        "parameters",
        *(["make_statistics()"] if batch_norm else []),
        *["X", "y", "orders"],
        *(["X_watched", "y_watched"] if config.reacts else []),
        *(["training_key"] if noise or dropout else []),
    ]
    counted = dropout > 0 or (config.weight_decay > 0 and scheduled)
    updated = [
        *[*state, "state", "X[rows]", "y[rows]"],
        *(["rates[index]"] if reaction else []),
        *(["index"] if counted else []),
    ]
    text = program.render(
        "optax.py.jinja",
        imports=_imports(program.source, formula is not None),
        formula=formula,
        in_jax=name in IN_JAX,
        rule_name=name,
        rule_expression=expression,
        transformations=transformations,
        optimizer_arguments=", ".join(arguments),
        optimizer_call=", ".join({"n_rows": "len(X)", "key": noise_key}[each] for each in arguments),
        scheduled=scheduled,
        scheduler=scheduler,
        joined=program.warmup > 0 and schedule.name != "constant",
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
        update_call=call("update", updated, 12, f"{', '.join(state)}, state, loss = "),
        main_call=call("train", trained, 4, f"{', '.join(state)}, losses = "),
    )
    return Exported(text, program.remarks)


def _imports(source: Source, typed: bool) -> list[str]:
    """Of the standard library, in the order in which they are written."""
    lines = {"import math", "import sys", *source.standard_imports}
    if typed:
        lines.add("from typing import NamedTuple")
    return sorted(lines, key=lambda line: (line.startswith("from"), line))


def _initial(program: Program) -> dict[str, str]:
    """How the weights of the hidden layers and of the output layer are drawn."""
    drawn = {
        # jax.nn.initializers.he_normal is truncated.
        "he": 'variance_scaling(2.0, "fan_in", "normal")',
        "glorot": "glorot_uniform()",
        "poor": "normal(0.01)",
        "large": "normal(1.0)",
    }
    return program.initial(drawn)


optax = ConfigFormat("optax", ".py", "a JAX training script with optax, nothing of Cooldown in it", write, "python")
