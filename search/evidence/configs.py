"""A training config as rows of settings, to read and to compare."""

from collections.abc import Mapping

from cooldown.objectives import asynchronous, optimizers, schedules
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.hyperparameters import Hyperparameter
from cooldown.objectives.strategies import STRATEGIES
from cooldown.search.evidence.numbers import setting
from cooldown.search.evidence.table import Column, Table


def settings_of(config: TrainConfig) -> list[tuple[str, str]]:
    """A config as rows of setting and value; strategies only where they are on."""
    rows: list[tuple[str, str]] = []
    catalogs = (("Optimizer", optimizers), ("Schedule", schedules), ("Asynchronous", asynchronous))
    for (title, catalog), choice in zip(catalogs, config.entries, strict=False):
        rows.append((title, choice.name))
        units = {
            declared.name: f" {declared.unit.value}"
            for declared in catalog.get(choice.name).hyperparameters
            if isinstance(declared, Hyperparameter) and declared.unit.value
        }
        rows += [(name, f"{setting(value)}{units.get(name, '')}") for name, value in choice.hyperparameters.items()]
    rows += [("batch_size", str(config.batch_size)), ("epochs", str(config.epochs))]
    for name, strategy in STRATEGIES.items():
        value = getattr(config, name)
        if value != strategy.declared.default:
            rows.append((name, setting(value)))
    return rows


def configs_table(configs: Mapping[str, TrainConfig]) -> Table:
    """Every setting of these configs, which are given by heading; of several, those that differ are marked."""
    by_heading = {heading: dict(settings_of(config)) for heading, config in configs.items()}
    names = list(dict.fromkeys(name for settings in by_heading.values() for name in settings))
    rows = [(name, *(settings.get(name) for settings in by_heading.values())) for name in names]
    caption = (
        "Every setting of these configs; those that differ are bold."
        if len(configs) > 1
        else "Every setting of the config."
    )
    return Table(
        (Column("Setting"), *(Column(heading) for heading in configs)),
        rows,
        caption,
        frozenset(place for place, (_, *values) in enumerate(rows) if len(set(values)) > 1),
    )
