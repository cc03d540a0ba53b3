"""scikit-learn: the configuration as an estimator in a pipeline: scikit-learn's multilayer perceptron if it is exact.

Otherwise it is an estimator with a training loop in NumPy, and the export says why.
"""

import numpy as np

from cooldown.objectives.strategies import STRATEGIES
from cooldown.search.export.format import Chosen, ConfigFormat, Exported
from cooldown.search.export.literals import call, literal
from cooldown.search.export.program import Program

DIFFERENT = {
    "l2": "its alpha leaves out the biases and is divided by the rows of a batch",
    "early_stopping": "its early_stopping uses the score, not the loss",
}
"""Why scikit-learn's version of a strategy is not the same."""

EXPRESSED = (
    *("shuffle", "initialization", "curriculum"),
    *(name for name, strategy in STRATEGIES.items() if strategy.needs is not None),
)
"""The strategies that the script expresses, that `Program` refuses, or that do nothing by themselves."""


def write(chosen: Chosen) -> Exported:
    """The script."""
    program = Program(chosen, "sklearn")
    reasons = _reasons(program)
    if not reasons:
        return Exported(_built_in(program), program.remarks)
    why = f"scikit-learn's {_name(program)} cannot express this exactly: {'; '.join(reasons)}"
    instead = "the program defines an exact estimator in NumPy instead"
    return Exported(_estimator(program, why), (f"{why}; {instead}", *program.remarks))


def _name(program: Program) -> str:
    return "MLPClassifier" if program.task.kind == "classification" else "MLPRegressor"


def _reasons(program: Program) -> list[str]:
    """Why scikit-learn's multilayer perceptron cannot express the configuration exactly; empty if it can."""
    config, rule, schedule = program.config, program.optimizer, program.schedule
    reasons = []
    if program.rule(steady=True) is None:
        reasons.append(rule.differs.get("sklearn", f"it has no optimizer {rule.name}"))
    if not schedule.constant:
        reasons.append(f"it has no schedule {schedule.name}")
    elif program.warmup > 1:
        reasons.append("it has no warm-up")
    others = {name: strategy for name, strategy in STRATEGIES.items() if name not in EXPRESSED}
    used = [name for name, strategy in others.items() if getattr(config, name) != strategy.declared.default]
    reasons += [DIFFERENT.get(name, f"it has no {name}") for name in used]
    if program.task.kind == "classification" and len(np.unique(program.task.data[1])) < 3:
        reasons.append("for two classes it has one logistic output instead of two")
    return reasons


def _built_in(program: Program) -> str:
    """The script with scikit-learn's multilayer perceptron."""
    classifies, name = program.task.kind == "classification", _name(program)
    native = program.rule(steady=True)
    assert native is not None
    solver, solver_arguments = native.function, native.arguments
    arguments = {
        "hidden_layer_sizes": "HIDDEN",
        "activation": literal(program.task.activation),
        "solver": literal(solver),
        "alpha": "0.0",
        "batch_size": "min(BATCH_SIZE, n_rows)",
        "learning_rate_init": "LEARNING_RATE" if classifies else "2 * LEARNING_RATE / n_targets",
        "max_iter": "EPOCHS",
        "shuffle": literal(program.config.shuffle),
        "random_state": "SEED",
        **dict(argument.split("=", 1) for argument in solver_arguments),
    }
    needed = ["sklearn.exceptions ConvergenceWarning", f"sklearn.neural_network {name}"]
    return program.render(
        "sklearn.py.jinja",
        built_in=name,
        settings={},
        arguments=arguments,
        initial=_initial(program, "self._random_state", "fan_in", "(fan_in + fan_out)", "shape"),
        imports=_imports(
            program,
            ["import warnings"],
            [*needed, *(["sklearn.metrics log_loss"] if classifies else [])],
        ),
    )


def _estimator(program: Program, why: str) -> str:
    """The script with an estimator in NumPy. why: a sentence on why it does not use scikit-learn's."""
    config, classifies = program.config, program.task.kind == "classification"
    batch_norm, dropout = config.batch_norm, config.dropout
    formula = program.formula("np")
    needs_rates = not program.schedule.constant or program.warmup > 0
    if needs_rates:
        program.add_rates()
    statistics = ["statistics"] if batch_norm else []
    state = ["theta", *statistics, "widths"]
    attributes = [f"self.{name}_" for name in state]
    rate = "rates[update]" if needs_rates else "LEARNING_RATE"
    settings = ["*SETTINGS.values()"] if formula["names"] else []
    numbers = ["*numbers"] if formula["work_out"] else []
    shared = ["theta", "gradient", "*slots", rate, "t", *settings]
    step_arguments = [*shared, *numbers, *(["direction", "in_matrix"] if formula["matrix"] else [])]
    random = ["rng"] if config.gradient_noise or dropout else []
    masked = ["rng"] if dropout else []
    orders = f"epoch_orders(len({'rows' if config.reacts else 'X'}), rng)"
    if config.reacts:
        train_arguments = [*attributes, "X[rows]", "y[rows]", orders, "X[watched]", "y[watched]", *random]
    else:
        train_arguments = [*attributes, "X", "y", orders, *random]
    watched = ["X_watched", "y_watched"] if config.reacts else []
    shown = ""
    if config.averaging != "none":
        shown = "average if averaged else theta"
    elif formula["reported"]:
        shown = f"{formula['reported']}(theta, {', '.join(['*slots', *settings])})"
    kept = "kept" if shown else "theta"
    saved, saved_now, restored = "theta.copy()", f"{kept}.copy()", "theta[:] = best"
    if batch_norm:
        saved, saved_now = (f"copy.deepcopy(({each}, statistics))" for each in ("theta", kept))
        restored = "theta[:], statistics[:] = copy.deepcopy(best)"
    lost = ["copy.deepcopy(statistics)"] if batch_norm else []
    return program.render(
        "sklearn.py.jinja",
        built_in="",
        why=why,
        name="TunedClassifier" if classifies else "TunedRegressor",
        formula=formula,
        settings={name: program.rule_values[name] for name in formula["names"]},
        settings_argument="".join(f", {argument}" for argument in settings),
        sums=", ".join(f"{term}(*arguments).sum()" for term in formula["terms"]),
        batch_norm=batch_norm,
        dropout=dropout,
        needs_rates=needs_rates,
        rate=rate,
        counts=needs_rates or config.gradient_noise > 0,
        saved=saved,
        saved_now=saved_now,
        shown=shown,
        kept_state=", ".join([kept, *state[1:]]),
        uphill_call=f"loss_and_gradient({', '.join(['uphill', *lost, 'widths', 'X[rows]', 'y[rows]', *masked])})",
        restored=restored,
        state=", ".join(state),
        state_attributes=", ".join(attributes),
        train_arguments=", ".join([*state, "X", "y", "orders", *watched, *random]),
        gradient_arguments=", ".join([*state, "X", "y", *masked]),
        gradient_call=f"loss_and_gradient({', '.join([*state, 'X[rows]', 'y[rows]', *masked])})",
        source_call=f"{formula['source']}({', '.join(shared)})",
        step_call=call(formula["function"], step_arguments, 12, "theta[:], *slots = "),
        train_call=call("train", train_arguments, 8, "self.loss_curve_ = "),
        initial=_initial(program, "rng", "len(weights)", "sum(weights.shape)", "weights.shape"),
        imports=_estimator_imports(program),
    )


def _estimator_imports(program: Program) -> dict[str, list[str]]:
    """The imports of a script with an estimator in NumPy."""
    classifies = program.task.kind == "classification"
    standard = ["import math", "from itertools import pairwise"]
    config = program.config
    if (config.batch_norm and (config.reacts or config.sam)) or (config.sam and config.dropout):
        standard.append("import copy")
    needed = [
        f"sklearn.base BaseEstimator, {'ClassifierMixin' if classifies else 'RegressorMixin'}",
        "sklearn.utils.validation check_is_fitted, validate_data",
    ]
    if classifies:
        needed += ["scipy.special softmax", "sklearn.metrics log_loss"]
        needed.append("sklearn.utils.multiclass check_classification_targets")
    return _imports(program, standard, needed)


def _imports(program: Program, standard: list[str], needed: list[str]) -> dict[str, list[str]]:
    """All imports, sorted: "standard" library and "others". needed: "module names", separated by a space."""
    data = program.data
    scales = program.task.standardize or program.scales_each
    scalers = ["FunctionTransformer", "OneHotEncoder"] * data.categories + ["StandardScaler"] * scales
    needed = [*needed, "sklearn.pipeline make_pipeline", "sklearn.impute SimpleImputer"]
    if program.splits:
        needed.append("sklearn.model_selection train_test_split")
    if scalers:
        needed.append(f"sklearn.preprocessing {', '.join(scalers)}")
    if data.categories:
        needed.append("sklearn.compose ColumnTransformer")
    others = [f"from {module} import {names}" for module, _, names in sorted(line.partition(" ") for line in needed)]
    return {
        "standard": program.imports(*standard),
        "others": ["import joblib", "import numpy as np", *["import pandas as pd"] * data.pandas, *others],
    }


def _initial(program: Program, rng: str, inputs: str, both: str, shape: str) -> dict[str, list[str]]:
    """The lines that draw the weights of the hidden layers and of the output layer; the last line is an expression.

    rng, inputs, both, shape: expressions for the generator, the layer's inputs, its inputs + outputs, and its shape.
    """
    drawn = {
        "he": [f"{rng}.normal(0.0, np.sqrt(2 / {inputs}), {shape})"],
        "glorot": [f"bound = np.sqrt(6 / {both})", f"{rng}.uniform(-bound, bound, {shape})"],
        "poor": [f"{rng}.normal(0.0, 0.01, {shape})"],
        "large": [f"{rng}.normal(0.0, 1.0, {shape})"],
        "zero": [f"np.zeros({shape})"],
        "normal_0.1": [f"{rng}.normal(0.0, 0.1, {shape})"],
    }
    return program.initial(drawn)


sklearn = ConfigFormat(
    "sklearn", ".py", "a scikit-learn estimator in a pipeline that does not need Cooldown", write, "python"
)
