"""Writes the pages of the catalog from the catalog itself: `make docs`. A test holds that they are up to date.

Every entry has its formula, its source, its hyperparameters and an example; the tests run all examples.
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
from cooldown.search.cli.catalog import contents
from cooldown.search.spec.arms import known_arms
from cooldown.search.spec.experiment import DEFAULT_ARMS

HERE = Path(__file__).parent
NOTE = "<!-- Written by docs/generate.py from the catalog: `make docs`. -->"

CATALOG = """# The catalog

One file per entry; `cooldown catalog` lists all, `cooldown catalog --json` has every hyperparameter with its
default and range.

- [Optimizers](optimizers.md): {optimizers}
- [Schedules](schedules.md): {schedules}
- [Strategies](strategies.md): {strategies}
- [Tasks](#tasks): {tasks}
- [Surfaces](#surfaces): {surfaces}
- Samplers of a search, `--sampler NAME`: {samplers}
- [Arms](#arms) that the literature makes claims about

*The survey* of these pages is an overview of gradient-descent optimization as of 2017, after S. Ruder, *An overview of
gradient descent optimization algorithms* (2016), and his *Optimization for deep learning: highlights in 2017*; figures
5 and 6 are its pictures of optimizers on Beale's function and at a saddle point.
"""

CLAIMS = """## Claims to check on your own data

| claim | try |
|---|---|
| C1: SGDR reaches the quality of step annealing in fewer epochs | `--arm momentum+sgdr --arm momentum+step` |
| C2: tuned SGD with annealing is competitive with Adam | `--arm momentum+cosine --arm adam` |
| C3: annealing helps Adam too | `--arm adam+cosine --arm adam+plateau --arm adam` |
| C5: growing the batch matches decaying the rate | `--arm momentum+batch_growth --arm momentum+step` |
| C8: momentum damps the zig-zag in a ravine, NAG corrects earlier | `cooldown surface ravine` |
| C9: Adagrad suits sparse features | `cooldown compare sparse_text --arm adagrad --arm momentum` |
| C10: RMSprop, Adadelta and Adam perform alike | `--arm rmsprop --arm adadelta --arm adam` |
| C11: at a saddle SGD, momentum and NAG linger | `cooldown surface saddle` |
| C12: plain SGD depends more on its start | `--arm sgd --arm adam --set strategy.initialization=poor` |
| C13: a mixed curriculum beats a strict one | `--set strategy.curriculum=mixed`, and `easy_to_hard` |
| C14: batch normalization allows larger rates | `--set strategy.batch_norm=true` |
| C15: early stopping saves work at no loss in quality | `--set strategy.early_stopping=3` |
| C16: gradient noise rescues poor starts | `cooldown compare deep_narrow --set strategy.gradient_noise=0.01:1` |
"""

OPTIMIZERS = """# Optimizers

`θ` parameters, `g` gradient, `η` the learning rate of this update, `t` = 1, 2, … its number. All operations are
elementwise. Conventions are those of torch and optax; where the survey or the paper writes a rule differently, its
section says so. `β`, `ρ` and momentum are searched as their distance to 1 on a log scale.

L2 and decoupled weight decay, clipping, noise and the like go with any rule: they are [strategies](strategies.md).
"""

SCHEDULES = """# Schedules

`s` = 0, 1, … is the update's index after the warm-up, `T` the number of updates after it; each schedule gives a
multiplier of η. During the warm-up update s has multiplier (s+1)/`warmup_steps` of the schedule's first; where a
formula names `W = warmup_steps`, the ramp is in it and `s` counts from the start. In a config and in a search
`period`, `every` and `patience` are in epochs (fractions of one allowed, but for `patience`), `warmup_steps` in
updates; ranges of lengths are fractions of the run. Called as a function, as in the examples, a schedule has all
lengths in updates.
"""

STRATEGIES_PAGE = """# Strategies

What stands around the rule: fields of `TrainConfig`, off unless given. In an experiment they hold for all arms,
fixed or searched, through `[ranges]` in a [spec file](cli.md) or `--set`:

    cooldown compare wine --set strategy.batch_norm=true --set strategy.dropout=0:0.5

Within an update the order is: gradient of the mini-batch (with dropout and batch normalization), `clip_norm`,
`gradient_noise`, `weight_decay` of the parameters, then `l2` and the rule.

A run that reacts to its progress, by `early_stopping` or the schedule `plateau`, needs rows to watch. In a search
these are the validation rows. When a winner is evaluated it is trained on training + validation rows, and measured
on test rows that nothing may look at before: one that reacts then sets the validation rows of repeat 0 aside, and
is trained on fewer rows than one that does not. That is its price.

`dropout`, `batch_norm` and `initialization` are for an MLP; the others go with any model. With `batch_norm` an
epoch's last batch may hold a single row: it has no variance, trains only what comes after the normalization, and
leaves the running statistics as they are.
"""


def _example(code: str) -> str:
    return f"```python\n{code.strip()}\n```\n"


def _assigned(name: str, table: dict[str, Any]) -> str:
    """`name = {...}` as the formatter has it."""
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
        return ", ".join(map(_text, declared.choices)) + ("" if declared.searched else " (if asked for)")
    scale = {Scale.LINEAR: "", Scale.LOG: ", log", Scale.ONE_MINUS_LOG: ", 1 − x log"}[declared.scale]
    share = "" if declared.unit is Unit.NONE else " of the run"
    asked = "" if declared.searched else " (if asked for)"
    return f"{declared.low:g} … {declared.high:g}{share}{scale}{asked}"


def _hyperparameters(declared: Iterable[Declared]) -> str:
    rows = ["| hyperparameter | default | searched in | meaning |", "|---|---|---|---|"]
    for each in declared:
        unit = "" if isinstance(each, Categorical) or not each.unit.value else f" {each.unit.value}"
        meaning = each.meaning.replace("|", "\\|")
        rows.append(f"| `{each.name}` | {_text(each.default)}{unit} | {_range(each)} | {meaning} |")
    return "\n".join(rows) + "\n"


def _section(name: str, about: str, formula: str, reference: str, *more: str) -> str:
    source = f"Source: {reference}\n" if reference else ""
    return "\n".join([f"## `{name}`\n", f"{about}\n", f"    {formula}\n", source, *more])


def _docstring(thing: Any) -> str:
    """A docstring as paragraphs of one line."""
    paragraphs = (inspect.getdoc(thing) or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _notes(formula: Any) -> str:
    """What a formula's docstring says of conventions: all after its first sentence, which is the formula."""
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
        given = {each.name: lengths[each.name] for each in schedule.own if each.name in lengths}
        if not schedule.ramped:
            given["warmup_steps"] = 3
        if schedule.batch is not None:
            given["gamma"] = 0.5
        arguments = "".join(f", {key}={value}" for key, value in given.items())
        other = "momentum" if name != "constant" else "momentum+cosine"
        chosen = _assigned("schedule", {"name": name, **given})
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
        noise = name == "gradient_noise_decay"
        beside = '"gradient_noise": 0.1, ' if noise else ""
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
                f"    cooldown compare iris{' --set strategy.gradient_noise=0.1' if noise else ''} "
                f"--set strategy.{name}={_text(value)}\n",
            )
        )
    return "\n".join(parts)


def catalog_page() -> str:
    """docs/catalog.md."""
    found = contents()
    names = {kind: ", ".join(f"`{entry['name']}`" for entry in entries) for kind, entries in found.items()}
    parts = [CATALOG.format(**names), "## Tasks\n"]
    rows = [f"| `{name}` | {' '.join(_of_module('tasks', name).split())} |" for name in tasks.names()]
    parts += [
        "\n".join(["| name | what it is |", "|---|---|", *rows]) + "\n",
        "Any of them, a file, `openml:NAME` or your own is compared alike; `--hidden` sets the widths of an MLP:\n",
        "    cooldown compare quadratic\n    cooldown compare digits --hidden 64,32\n"
        "    cooldown compare openml:credit-g\n",
        "## Surfaces\n",
        "Functions of two variables to watch optimizers on; `cooldown surface NAME` draws all paths, each at its tuned "
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
        "An arm is any optimizer, or optimizers `+` schedules. These have a name in the literature; C1 to C18 are "
        "claims of the survey. Presets belong to an arm unless a spec gives other values.\n",
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
        CLAIMS,
    ]
    return "\n".join(parts)


PAGES = {
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
    for each in PAGES:
        (HERE / each).write_text(page(each), encoding="utf-8")
