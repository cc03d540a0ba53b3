"""Write the catalog's pages from the catalog: `make docs`. A test checks that they are up to date.

Every entry is shown with its formula, source, hyperparameters and an example; the tests run all examples.
"""

import inspect
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cooldown import optimizers, schedules, surfaces, tasks
from cooldown.objectives.hyperparameters import Categorical, Declared, Scale, Unit
from cooldown.objectives.strategies import STRATEGIES
from cooldown.search.experiments.catalog import contents
from cooldown.search.spec.arms import known_arms
from cooldown.search.spec.experiment import DEFAULT_ARMS
from docs.claims import claims_page

HERE = Path(__file__).parent
NOT_BY_DEFAULT = " (not searched by default)"
NOTE = "<!-- Written by docs/generate.py: `make docs`. -->"

CATALOG = """# The catalog

`cooldown catalog` lists all entries; `cooldown catalog --json` prints every hyperparameter with its default and
range.

- [Optimizers](optimizers.md): {optimizers}
- [Schedules](schedules.md): {schedules}
- [Strategies](strategies.md): {strategies}
- [Tasks](#tasks): {tasks}
- [Surfaces](#surfaces): {surfaces}
- Samplers of a search, `--sampler NAME`: {samplers}
- [Arms](#arms) that the literature makes claims about

*The survey* in these pages is an overview of gradient-descent optimization as of 2017, after S. Ruder, *An overview of
gradient descent optimization algorithms* (2016), and his *Optimization for deep learning: highlights in 2017*; its
figures 5 and 6 show optimizers on Beale's function and at a saddle point.
"""

OPTIMIZERS = """# Optimizers

`θ` are the parameters, `g` the gradient, `η` the learning rate of the update, `t` = 1, 2, … its number. All operations
are elementwise. Conventions are those of torch and optax; a section says where the survey or the paper differs. `β`,
`ρ` and momentum are searched as their distance to 1 on a log scale.

L2 and decoupled weight decay, clipping and noise work with any rule: they are [strategies](strategies.md).
"""

SCHEDULES = """# Schedules

`s` = 0, 1, … is the index of the update after the warm-up, `T` the number of updates after it; a schedule gives a
multiplier of η. During the warm-up, update s has (s+1)/`warmup_steps` times the schedule's first multiplier. A formula
with `W = warmup_steps` contains the ramp, and its `s` counts from the start. In a config and in a search, `period`,
`every` and `patience` are in epochs (`patience` is a whole number), and `warmup_steps` is in updates; search ranges of
lengths are fractions of the run. Called as a function, as in the examples, a schedule has all lengths in updates.
"""

STRATEGIES_PAGE = """# Strategies

Options beside the update rule: fields of `TrainConfig`, off by default. In an experiment they apply to all arms, with a
fixed value or a search range, from `[ranges]` in a [spec file](cli.md) or from `--set`:

    cooldown compare wine --set strategy.batch_norm=true --set strategy.dropout=0:0.5

An [arm](arms.md) can have them for itself, so that it is compared with others that do not:

    cooldown compare wine --arm momentum+cosine --arm 'bn=momentum+cosine[batch_norm=true]'

The order within an update is: gradient of the mini-batch (with dropout and batch normalization), `clip_norm`,
`gradient_noise`, `weight_decay` of the parameters, then `l2` and the rule. `sam` takes the gradient again, a step
uphill, before `clip_norm`: an update costs two gradients, and budgets count both.

What is **reported** may differ from what is **trained**: with `averaging`, and with the schedule-free
[optimizers](optimizers.md), the held-out loss, the best parameters of `early_stopping` and `plateau`, and the model
that is kept, exported or predicts are the average; gradients and training losses are those of the trained parameters.
Running statistics of batch normalization are those of the trained network.

A run that depends on its validation loss, by `early_stopping` or the schedule `plateau`, needs rows to watch. In a
search these are the validation rows. A winner's evaluation trains on training + validation rows and measures the test
rows only at the end; a run that depends on its validation loss then sets aside the validation rows of repeat 0, and so
trains on fewer rows than other runs.

`dropout`, `batch_norm` and `initialization` need an MLP; the others work with any model. With `batch_norm`, a last
batch of a single row has no variance: it trains only what comes after the normalization, and does not change the
running statistics.
"""


def _example(code: str) -> str:
    return f"```python\n{code.strip()}\n```\n"


def _assigned(name: str, table: dict[str, Any]) -> str:
    """`name = {...}` as the formatter writes it."""
    line = f"{name} = {json.dumps(table)}"
    if len(line) <= 120:
        return line
    return "\n".join(
        [f"{name} = {{", *[f"    {json.dumps(key)}: {json.dumps(value)}," for key, value in table.items()], "}"]
    )


def _text(value: Any) -> str:
    if value is None:
        return "off"
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else f"{value:g}"


def _python(value: Any) -> str:
    return json.dumps(value) if isinstance(value, str) else repr(value)


def _range(declared: Declared) -> str:
    if isinstance(declared, Categorical):
        return ", ".join(map(_text, declared.choices)) + ("" if declared.searched else NOT_BY_DEFAULT)
    scale = {Scale.LINEAR: "", Scale.LOG: ", log", Scale.ONE_MINUS_LOG: ", 1 − x log"}[declared.scale]
    share = "" if declared.unit is Unit.NONE else " of the run"
    note = "" if declared.searched else NOT_BY_DEFAULT
    return f"{declared.low:g} … {declared.high:g}{share}{scale}{note}"


def _hyperparameters(declared: Iterable[Declared]) -> str:
    rows = ["| hyperparameter | default | search range | meaning |", "|---|---|---|---|"]
    for one in declared:
        unit = "" if isinstance(one, Categorical) or not one.unit.value else f" {one.unit.value}"
        meaning = one.meaning.replace("|", "\\|")
        rows.append(f"| `{one.name}` | {_text(one.default)}{unit} | {_range(one)} | {meaning} |")
    return "\n".join(rows) + "\n"


def _section(name: str, about: str, formula: str, reference: str, *more: str) -> str:
    source = f"Source: {reference}\n" if reference else ""
    return "\n".join([f"## `{name}`\n", f"{about}\n", f"    {formula}\n", source, *more])


def _docstring(thing: Any) -> str:
    """A docstring with one line per paragraph."""
    paragraphs = (inspect.getdoc(thing) or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _notes(formula: Any) -> str:
    """The notes on conventions in a formula's docstring: everything after its first sentence, the formula."""
    return "".join(re.split(r"\.\s+", _docstring(formula), maxsplit=1)[1:])


def _of_module(package: str, name: str) -> str:
    return _docstring(sys.modules[f"cooldown.objectives.{package}.{name}"])


def optimizers_page() -> str:
    """docs/optimizers.md."""
    parts = [OPTIMIZERS]
    for name in optimizers.names():
        rule = optimizers.get(name)
        optimizer = _assigned("optimizer", {"name": name, **rule.complete({})})
        code = f"""
from cooldown import TrainConfig, tasks, train

{optimizer}
config = TrainConfig.from_json({{"optimizer": optimizer, "epochs": 2}})
curves = train(tasks.get("iris"), [config], seeds=[0])
print(curves[0][0].held_out_loss)
"""
        notes = _notes(rule.update)
        parts.append(
            _section(
                name,
                _of_module("optimizers", name),
                rule.formula,
                rule.reference,
                *([f"{notes}\n"] if notes else []),
                _hyperparameters(rule.hyperparameters),
                _example(code),
                f"    cooldown compare iris --arm {name} --arm {name}+cosine\n",
            )
        )
    return "\n".join(parts)


def schedules_page() -> str:
    """docs/schedules.md."""
    parts = [SCHEDULES]
    for name in schedules.names():
        schedule = schedules.get(name)
        lengths = {"period": 4, "every": 3, "patience": 1}
        settings = {declared.name: lengths[declared.name] for declared in schedule.own if declared.name in lengths}
        if not schedule.ramped:
            settings["warmup_steps"] = 3
        if schedule.batch is not None:
            settings["gamma"] = 0.5
        arguments = "".join(f", {key}={value}" for key, value in settings.items())
        other = "momentum" if name != "constant" else "momentum+cosine"
        chosen = _assigned("schedule", {"name": name, **settings})
        code = f"""
import numpy as np
from cooldown import TrainConfig, schedules, tasks, train

print(schedules.get("{name}")(np.arange(12), 12{arguments}))  # multipliers of 12 updates

{chosen}
optimizer = {{"name": "momentum", "learning_rate": 0.2}}
config = TrainConfig.from_json({{"optimizer": optimizer, "schedule": schedule, "epochs": 12}})
curves = train(tasks.get("wine"), [config], seeds=[0])
print(curves[0][0].learning_rate, curves[0][0].updates)  # as executed, at the end of each epoch
"""
        notes = _notes(schedule.reaction or schedule.batch or schedule.multiplier)
        parts.append(
            _section(
                name,
                _of_module("schedules", name),
                schedule.formula,
                schedule.reference,
                *([f"{notes}\n"] if notes else []),
                _hyperparameters(schedule.hyperparameters),
                _example(code),
                f"    cooldown compare iris --arm momentum+{name} --arm {other}\n",
            )
        )
    return "\n".join(parts)


def strategies_page() -> str:
    """docs/strategies.md."""
    parts = [STRATEGIES_PAGE]
    for name, strategy in STRATEGIES.items():
        declared = strategy.declared
        if isinstance(declared, Categorical):
            value = next(choice for choice in reversed(declared.choices) if choice != declared.default)
        else:
            middle = (declared.low * declared.high) ** 0.5 if declared.scale is Scale.LOG else declared.high / 2
            value = int(declared.low) if declared.integer else float(f"{middle:.1g}")
        needs = [strategy.needs] if strategy.needs else []
        beside = "".join(f'"{needed}": {_python(example)}, ' for needed, example in needs)
        needed_too = "".join(f" --set strategy.{needed}={_text(example)}" for needed, example in needs)
        code = f"""
from cooldown import TrainConfig, tasks, train

optimizer = {{"name": "adam", "learning_rate": 0.02}}
strategies = {{{beside}"{name}": {_python(value)}}}
plain = TrainConfig.from_json({{"optimizer": optimizer, "epochs": 40}})
changed = TrainConfig.from_json({{"optimizer": optimizer, "epochs": 40, **strategies}})
for (curve,) in train(tasks.get("wine"), [plain, changed], seeds=[0]):
    print(curve.outcome.value, len(curve.train_loss), curve.final_loss)
"""
        about = f"{declared.meaning[0].upper()}{declared.meaning[1:]}."
        parts.append(
            _section(
                name,
                about,
                strategy.formula,
                strategy.reference,
                _hyperparameters([declared]),
                _example(code),
                f"    cooldown compare iris{needed_too} --set strategy.{name}={_text(value)}\n",
            )
        )
    return "\n".join(parts)


def catalog_page() -> str:
    """docs/catalog.md."""
    catalog = contents()
    names = {kind: ", ".join(f"`{entry['name']}`" for entry in entries) for kind, entries in catalog.items()}
    parts = [CATALOG.format(**names), "## Tasks\n"]
    rows = [f"| `{name}` | {' '.join(_of_module('tasks', name).split())} |" for name in tasks.names()]
    parts += [
        "\n".join(["| name | what it is |", "|---|---|", *rows]) + "\n",
        "Built-in tasks, files, `openml:NAME` and your own are used alike; `--hidden` sets the widths of an MLP:\n",
        "    cooldown compare quadratic\n    cooldown compare digits --hidden 64,32\n"
        "    cooldown compare openml:credit-g\n",
        "## Surfaces\n",
        "Test functions of two variables; `cooldown surface NAME` draws the paths of all optimizers, each at its tuned "
        "learning rate.\n",
    ]
    for name in surfaces.names():
        code = f"""
from cooldown import descend, surfaces

surface = surfaces.get("{name}")
rate = surfaces.tune(surface, "adam", steps=50)
path = descend(surface.gradient, surface.start, "adam", {{}}, [rate] * 50)
print(rate, path[-1], surface.value(path)[-1])
"""
        surface = surfaces.get(name)
        section = _section(name, _of_module("surfaces", name), surface.formula, surface.reference, _example(code))
        parts.append(section.replace("## ", "### ", 1) + f"\n    cooldown surface {name} -o {name}.html\n")
    parts += [
        "## Arms\n",
        "An arm is any optimizer, or optimizers `+` schedules. The literature makes claims about these; C1 to C18 are "
        "claims of the survey. Presets apply unless a spec gives other values.\n",
    ]
    rows = []
    for name, known in known_arms().items():
        presets = ", ".join(
            f"`{key}` {value[0]:g} … {value[1]:g}" if isinstance(value, tuple) else f"`{key}` {value:g}"
            for key, value in known.presets.items()
        )
        rows.append(f"| `{name}` | {known.about}{' (default)' if name in DEFAULT_ARMS else ''} | {presets} |")
    parts += [
        "\n".join(["| arm | what it is for | presets |", "|---|---|---|", *rows]) + "\n",
        "    cooldown compare digits --arm momentum+batch_growth --arm momentum+step\n",
        "`cooldown claims` checks what the survey claims of them: [the claims](claims.md).\n",
    ]
    return "\n".join(parts)


def survey_page() -> str:
    """docs/survey.md: the text of the dashboard's page, which has to be there where Cooldown is installed."""
    return (HERE.parent / "dashboard" / "walk.md").read_text(encoding="utf-8")


PAGES = {
    "claims.md": claims_page,
    "survey.md": survey_page,
    "optimizers.md": optimizers_page,
    "schedules.md": schedules_page,
    "strategies.md": strategies_page,
    "catalog.md": catalog_page,
}


def page(name: str) -> str:
    """The text of the page `name`."""
    text = f"{NOTE}\n\n{PAGES[name]()}"
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.rstrip() + "\n"


if __name__ == "__main__":
    for file_name in PAGES:
        (HERE / file_name).write_text(page(file_name), encoding="utf-8")
