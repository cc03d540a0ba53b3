"""PyTorch: the configuration as a training script, with torch's own optimizer and scheduler where they are exact."""

from collections.abc import Callable

from cooldown.search.export.format import Chosen, ConfigFormat, Exported
from cooldown.search.export.literals import call, literal
from cooldown.search.export.program import Own, Program, end_rate, given


def _moments(own: Own) -> list[str]:
    return [f"betas=({literal(own['beta1'])}, {literal(own['beta2'])})", given(own, "epsilon", "eps")]


OPTIMIZERS: dict[str, Callable[[Own], tuple[str, list[str]]]] = {
    "sgd": lambda _: ("SGD", []),
    "momentum": lambda own: ("SGD", [given(own, "momentum")]),
    "nag": lambda own: ("SGD", [given(own, "momentum"), "nesterov=True"]),
    "adagrad": lambda own: ("Adagrad", [given(own, "epsilon", "eps")]),
    "adadelta": lambda own: ("Adadelta", [given(own, "rho"), given(own, "epsilon", "eps")]),
    "rmsprop": lambda own: ("RMSprop", [given(own, "rho", "alpha"), given(own, "epsilon", "eps")]),
    "adam": lambda own: ("Adam", _moments(own)),
    "amsgrad": lambda own: ("Adam", [*_moments(own), "amsgrad=True"]),
    "adamax": lambda own: ("Adamax", _moments(own)),
    "nadam": lambda own: ("NAdam", [*_moments(own), given(own, "momentum_decay")]),
    "adamw": lambda own: ("AdamW", [*_moments(own), given(own, "weight_decay")]),
}
"""torch.optim's own classes and arguments, where they are exactly the rule of that name."""


def _whole(*values: float) -> bool:
    return all(float(value).is_integer() for value in values)


def _sgdr(lengths: Own) -> str | None:
    period, mult = lengths["period"], lengths["period_mult"]
    if not _whole(period, mult):
        return None
    lasting = f"{int(period)} * updates_per_epoch"
    return f"CosineAnnealingWarmRestarts(optimizer, {lasting}, {int(mult)}, eta_min={end_rate(lengths)})"


def _step(lengths: Own) -> str | None:
    if not _whole(lengths["every"]):
        return None
    return f"StepLR(optimizer, {int(lengths['every'])} * updates_per_epoch, gamma={literal(lengths['gamma'])})"


def _polynomial(lengths: Own) -> str | None:
    if lengths["floor"]:
        return None
    return f"PolynomialLR(optimizer, total, power={literal(lengths['power'])})"


SCHEDULERS: dict[str, Callable[[Own], str | None]] = {
    "cosine": lambda lengths: f"CosineAnnealingLR(optimizer, total, eta_min={end_rate(lengths)})",
    "sgdr": _sgdr,
    "exponential": lambda lengths: f"ExponentialLR(optimizer, {literal(lengths['gamma'])} ** (1 / total))",
    "step": _step,
    "linear": lambda lengths: f"LinearLR(optimizer, 1.0, {literal(lengths['floor'])}, total)",
    "polynomial": _polynomial,
}
"""torch.optim.lr_scheduler's own, where they are exactly the schedule of that name."""


def write(chosen: Chosen) -> Exported:
    """The script."""
    program = Program(chosen, "torch")
    config, name = program.config, program.optimizer.name
    formula = None
    if name in OPTIMIZERS:
        rule, arguments = OPTIMIZERS[name](program.own)
        rule = f"torch.optim.{rule}"
    else:
        formula = program.formula("torch")
        rule, arguments = formula["class_name"], []
    # AdamW's weight_decay is the decoupled one, and a rule of our own has none.
    by_hand = config.l2 > 0 and (formula is not None or name == "adamw")
    if config.l2 and not by_hand:
        arguments.append(f"weight_decay={literal(config.l2)}")
    reacts_by_rate = program.schedule.reaction is not None
    constant = program.schedule.name == "constant" and not program.warmup
    scheduler = program.scheduler(SCHEDULERS)
    needs_rates = scheduler is None and not constant
    if needs_rates:
        program.add_rates()
    text = program.render(
        "torch.py.jinja",
        formula=formula,
        optimizer_expression=call(rule, ["model.parameters()", "lr=LEARNING_RATE", *arguments], 4, "return "),
        scheduled=not constant and not reacts_by_rate,
        scheduler=scheduler,
        needs_rates=needs_rates,
        l2_by_hand=by_hand,
        initial=_initial(program),
    )
    return Exported(text, program.remarks)


def _initial(program: Program) -> dict[str, str]:
    """How the weights of the hidden layers and of the output layer are drawn."""
    drawn = {
        "he": 'torch.nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")',
        "glorot": "torch.nn.init.xavier_uniform_(linear.weight)",
        "poor": "torch.nn.init.normal_(linear.weight, std=0.01)",
        "large": "torch.nn.init.normal_(linear.weight)",
    }
    return program.initial(drawn)


torch = ConfigFormat("torch", ".py", "a PyTorch training script, with nothing of Cooldown in it", write, "python")
