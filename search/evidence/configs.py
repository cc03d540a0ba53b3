"""A training config as rows of settings, to read and to compare."""

from cooldown.objectives import asynchronous, optimizers, schedules
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.hyperparameters import Hyperparameter
from cooldown.objectives.strategies import STRATEGIES
from cooldown.search.evidence.numbers import setting


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
