"""scikit-learn: the configuration as an estimator in a pipeline: its own multilayer perceptron where that is exact.

Elsewhere, and the export says why, it is an estimator whose training is a loop in plain NumPy.
"""

import numpy as np

from cooldown.search.export.format import Chosen, ConfigFormat, Exported
from cooldown.search.export.literals import call, literal
from cooldown.search.export.program import Program

LACKING = {
    "l2": "its alpha spares the biases and is divided by the rows of a batch",
    "early_stopping": "its early_stopping goes by the score and not by the loss",
}
"""Why a strategy that it seems to have is another thing."""

STRATEGIES = ("clip_norm", "l2", "weight_decay", "gradient_noise", "dropout", "batch_norm", "early_stopping")


def write(chosen: Chosen) -> Exported:
    """The script."""
    program = Program(chosen, "sklearn")
    reasons = _reasons(program)
    if not reasons:
        return Exported(_built_in(program), program.remarks)
    own = f"scikit-learn's {_name(program)} cannot express this exactly: {'; '.join(reasons)}"
    instead = "the program has an estimator of its own instead, in NumPy, which is exact"
    return Exported(_estimator(program, own), (f"{own}; {instead}", *program.remarks))


def _name(program: Program) -> str:
    return "MLPClassifier" if program.task.kind == "classification" else "MLPRegressor"


def _reasons(program: Program) -> list[str]:
    """Why scikit-learn's own multilayer perceptron is not exactly this one; empty where it is."""
    config, rule, schedule = program.config, program.optimizer, program.schedule.name
    reasons = []
    if program.rule(steady=True) is None:
        reasons.append(rule.differs.get("sklearn", f"it has no optimizer {rule.name}"))
    if schedule != "constant":
        reasons.append(f"it has no schedule {schedule}")
    elif program.warmup > 1:
        reasons.append("it has no warm-up")
    used = [name for name in STRATEGIES if getattr(config, name)]
    reasons += [LACKING.get(name, f"it has no {name}") for name in used]
    if program.task.kind == "classification" and len(np.unique(program.task.data[1])) < 3:
        reasons.append("for two classes it has one logistic output and not two")
    return reasons


def _built_in(program: Program) -> str:
    """The script with scikit-learn's own multilayer perceptron."""
    classifies, name = program.task.kind == "classification", _name(program)
    native = program.rule(steady=True)
    assert native is not None
    solver, given = native
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
        **dict(argument.split("=", 1) for argument in given),
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
            {"import sys", "import warnings"},
            [*needed, *(["sklearn.metrics log_loss"] if classifies else [])],
        ),
    )


def _estimator(program: Program, why: str) -> str:
    """The script with an estimator of its own. why: it has none of scikit-learn's, in words."""
    config, classifies = program.config, program.task.kind == "classification"
    batch_norm, dropout = config.batch_norm, config.dropout
    formula = program.formula("np")
    needs_rates = program.schedule.name != "constant" or program.warmup > 0
    if needs_rates:
        program.add_rates()
    statistics = ["statistics"] if batch_norm else []
    state = ["theta", *statistics, "widths"]
    own = [f"self.{each}_" for each in state]
    rate = "rates[update]" if needs_rates else "LEARNING_RATE"
    settings = ["*SETTINGS.values()"] if formula["names"] else []
    numbers = ["*numbers"] if formula["memory"] else []
    stepped = ["theta", "gradient", "*slots", rate, "t", *settings, *numbers]
    random = ["rng"] if config.gradient_noise or dropout else []
    masked = ["rng"] if dropout else []
    orders = f"epoch_orders(len({'rows' if config.reacts else 'X'}), rng)"
    if config.reacts:
        trained = [*own, "X[rows]", "y[rows]", orders, "X[watched]", "y[watched]", *random]
    else:
        trained = [*own, "X", "y", orders, *random]
    watched = ["X_watched", "y_watched"] if config.reacts else []
    saved, restored = "theta.copy()", "theta[:] = best"
    if batch_norm:
        saved, restored = "copy.deepcopy((theta, statistics))", "theta[:], statistics[:] = copy.deepcopy(best)"
    standard = {"import math", "import sys", "from itertools import pairwise"}
    if batch_norm and config.reacts:
        standard.add("import copy")
    needed = [
        f"sklearn.base BaseEstimator, {'ClassifierMixin' if classifies else 'RegressorMixin'}",
        "sklearn.utils.validation check_is_fitted, validate_data",
    ]
    if classifies:
        needed += ["scipy.special softmax", "sklearn.metrics log_loss"]
        needed.append("sklearn.utils.multiclass check_classification_targets")
    return program.render(
        "sklearn.py.jinja",
        built_in="",
        why=why,
        name="TunedClassifier" if classifies else "TunedRegressor",
        formula=formula,
        settings={name: program.own[name] for name in formula["names"]},
        settings_argument="".join(f", {each}" for each in settings),
        sums=", ".join(f"{term}(*own).sum()" for term in formula["terms"]),
        batch_norm=batch_norm,
        dropout=dropout,
        needs_rates=needs_rates,
        rate=rate,
        counts=needs_rates or config.gradient_noise > 0,
        saved=saved,
        restored=restored,
        state=", ".join(state),
        own_state=", ".join(own),
        train_arguments=", ".join([*state, "X", "y", "orders", *watched, *random]),
        gradient_arguments=", ".join([*state, "X", "y", *masked]),
        gradient_call=f"loss_and_gradient({', '.join([*state, 'X[rows]', 'y[rows]', *masked])})",
        step_call=call(formula["function"], stepped, 12, "theta[:], *slots = "),
        train_call=call("train", trained, 8, "self.loss_curve_ = "),
        initial=_initial(program, "rng", "len(weights)", "sum(weights.shape)", "weights.shape"),
        imports=_imports(program, standard, needed),
    )


def _imports(program: Program, standard: set[str], needed: list[str]) -> dict[str, list[str]]:
    """The imports of the standard library and of others, in the order in which they are written."""
    data = program.data
    scalers = ["OneHotEncoder"] * data.columns + ["StandardScaler"] * program.task.standardize
    needed = [*needed, "sklearn.model_selection train_test_split", "sklearn.pipeline make_pipeline"]
    if scalers:
        needed.append(f"sklearn.preprocessing {', '.join(scalers)}")
    if data.columns:
        needed += ["sklearn.compose ColumnTransformer", "sklearn.impute SimpleImputer"]
    others = [f"from {module} import {names}" for module, _, names in sorted(each.partition(" ") for each in needed)]
    own = sorted({*standard, *program.source.standard_imports}, key=lambda line: (line.startswith("from"), line))
    return {"standard": own, "others": ["import numpy as np", *["import pandas as pd"] * data.pandas, *others]}


def _initial(program: Program, rng: str, inputs: str, both: str, shape: str) -> dict[str, list[str]]:
    """The lines that draw the weights of the hidden layers and of the output layer; the last is an expression."""
    drawn = {
        "he": [f"{rng}.normal(0.0, np.sqrt(2 / {inputs}), {shape})"],
        "glorot": [f"bound = np.sqrt(6 / {both})", f"{rng}.uniform(-bound, bound, {shape})"],
        "poor": [f"{rng}.normal(0.0, 0.01, {shape})"],
        "large": [f"{rng}.normal(0.0, 1.0, {shape})"],
    }
    return program.initial(drawn)


sklearn = ConfigFormat(
    "sklearn", ".py", "a scikit-learn estimator in a pipeline, nothing of Cooldown in it", write, "python"
)
