"""`Arm`: what one search may choose from, parsed from its text; and the arms that the catalog's entries declare."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cooldown.objectives import asynchronous, optimizers, schedules
from cooldown.objectives.errors import InputError
from cooldown.objectives.hyperparameters import Declared
from cooldown.objectives.relations import KnownArm
from cooldown.search.spec.arm_settings import RUN, Settings, given_in, read, split, written
from cooldown.search.spec.values import STRATEGY, flatten

LONGEST = 40
"""Characters of a name that fit into a legend, a row of a chart or a cell of a table."""


NO_ANNEALING = "constant"
"""The schedule of an arm that names none."""


LONGEST_TEXT = 400
"""Characters of the name of an arm with settings, as many as the ledger keeps."""

MOST_CHARACTERS = 4000
"""Of a text that is read as an arm."""

LABEL = "label"
CHOICES = "is"
"""The keys of a table that are no settings of the arm."""


@dataclass(frozen=True)
class Arm:
    """What one search may choose from: optimizers × schedules, and the settings that belong to this arm alone.

    label: the user's name for it, which distinguishes it from another arm with the same choices; "" for none.
    asynchronous: the method whose workers are simulated; "" for updates one after another.
    settings: strategies, `batch_size`, `epochs`, hyperparameters and the method's, as `arm_settings.read` gives
        them.
    """

    optimizers: tuple[str, ...]
    schedules: tuple[str, ...]
    label: str = ""
    settings: Settings = ()
    asynchronous: str = ""

    @classmethod
    @lru_cache(maxsize=1024)
    def parse(cls, text: str) -> "Arm":
        """`"momentum,nag+cosine,sgdr"`: optimizers, then schedules; no `+` means `constant`. `"mine=adam"` has a label,
        `"adam[batch_size=64]"` a setting, and `"adagrad@downpour"` an asynchronous method.

        Raises InputError with one line per problem, and the closest match for an unknown name.
        """
        label, choices, given, problems = _parts(text)
        return cls._read(text, label, choices, given, problems)

    @classmethod
    def from_table(cls, table: Mapping[str, Any], label: str | None = None) -> "Arm":
        """The arm of a table such as `{"is": "momentum+cosine", "batch_norm": True, "dropout": [0, 0.5]}`.

        The keys are `is`, the text of an arm; optionally `label`, unless it is given; and settings, whose values are
        those of a spec's `ranges`. Raises InputError as `parse` does.
        """
        shown = f"arm {label!r:.80}" if label is not None else f"arm {dict(table)!r:.80}"
        text = table.get(CHOICES)
        if not isinstance(text, str):
            wrong = f"got {text!r:.80}" if CHOICES in table else "it is missing"
            raise InputError(f'{shown}: needs its choices, such as {CHOICES} = "momentum+cosine"; {wrong}')
        labels = [each for each in (label, table.get(LABEL)) if each is not None]
        written_label, choices, given, problems = _parts(text)
        labels += [] if written_label is None else [written_label]
        if not all(isinstance(each, str) for each in labels) or len(labels) > 1:
            raise InputError(f"{shown}: must have one text as its label, got {', '.join(map(repr, labels)):.80}")
        beside = flatten({key: value for key, value in table.items() if key not in (CHOICES, LABEL)})
        if given and beside:
            problems = [*problems, f"has settings in {text!r:.120} and beside it; write all of them beside it"]
        only = labels[0] if labels else None
        return cls._read(only or text, only, choices, {**given, **beside}, problems)

    @classmethod
    def _read(
        cls, text: str, label: str | None, choices: str, given: Mapping[str, Any], problems: Sequence[str]
    ) -> "Arm":
        """The arm of these parts, which are still to be checked. problems: those of the settings' syntax."""
        synchronous, at, method = (part.strip() for part in choices.partition("@"))
        first, plus, second = synchronous.partition("+")
        optimizer_names = tuple(name.strip() for name in first.split(","))
        schedule_names = tuple(name.strip() for name in second.split(",")) if plus else (NO_ANNEALING,)
        shown = f"arm {text!r:.120}"
        told = [f"{shown}: {problem}" for problem in problems]
        if label is not None and not re.fullmatch(r"[\w.-]{1,40}", label):
            told.append(f"{shown}: the label before = must be 1 to 40 letters, digits, dots, dashes or underscores")
        entries: dict[str, Sequence[Declared]] = {}
        complete = True
        parts: list[tuple[tuple[str, ...], Any]] = [(optimizer_names, optimizers), (schedule_names, schedules)]
        if at:
            parts.append(((method,), asynchronous))
        for names, catalog in parts:
            for name in names:
                if not name:
                    told.append(f"{shown}: a name is missing; write it like momentum,nag+cosine,sgdr")
                    complete = False
                    continue
                try:
                    entries[name] = catalog.get(name).hyperparameters
                except InputError as error:
                    told.append(str(error))
                    complete = False
            told += [f"{shown} contains {name!r} twice" for name, count in Counter(names).items() if name and count > 1]
        told += [
            f"{shown} contains {name!r} both as an optimizer and as a schedule"
            for name in optimizer_names
            if name and name in schedule_names
        ]
        if method and complete:
            told += [
                f"{shown}: {name} reacts at the end of an epoch, which asynchronous workers do not wait for"
                for name in schedule_names
                if schedules.get(name).reaction
            ]
        settings, wrong = read(given, entries, complete=complete)
        told += [f"{shown}: {problem}" for problem in wrong]
        arm = cls(optimizer_names, schedule_names, label or "", settings, method)
        if not told and settings and len(arm.name) > LONGEST_TEXT:
            told.append(
                f"arm {text[:40]!r}… has {len(arm.name)} characters; an arm with settings has at most {LONGEST_TEXT}"
            )
        if told:
            raise InputError("\n".join(dict.fromkeys(told)))
        return arm

    @property
    def name(self) -> str:
        """The arm's text in its shortest form: `momentum` for `momentum+constant`, settings in the declared order."""
        return f"{self.label}={self.unlabelled}" if self.label else self.unlabelled

    @property
    def unlabelled(self) -> str:
        """The name without its label."""
        return f"{self.choices}[{written(self.settings, self.hyperparameters)}]" if self.settings else self.choices

    @property
    def choices(self) -> str:
        """The name without its label and its settings."""
        first = ",".join(self.optimizers)
        synchronous = first if self.schedules == (NO_ANNEALING,) else f"{first}+{','.join(self.schedules)}"
        return f"{synchronous}@{self.asynchronous}" if self.asynchronous else synchronous

    @property
    def batch_size(self) -> int | None:
        """Its own batch size; None for that of the experiment."""
        return dict(self.settings).get("batch_size")

    @property
    def epochs(self) -> int | None:
        """Its own number of epochs; None for that of the experiment."""
        return dict(self.settings).get("epochs")

    @property
    def ranges(self) -> dict[str, Any]:
        """Its settings that a spec's `ranges` could have too, by parameter name; None for what is off in this arm."""
        return {name: value for name, value in self.settings if name not in RUN}

    @property
    def around(self) -> dict[str, Any]:
        """What it has around the update rule, as any arm could: batch size, epochs, strategies, workers."""
        of_any = (f"{STRATEGY}.", f"{self.asynchronous or STRATEGY}.")
        around = {name: value for name, value in self.settings if name in RUN or name.startswith(of_any)}
        return around | ({"asynchronous": self.asynchronous} if self.asynchronous else {})

    @property
    def hyperparameters(self) -> dict[str, tuple[Declared, ...]]:
        """The hyperparameters of each catalog entry that it can choose, by the entry's name."""
        of_optimizers: dict[str, tuple[Declared, ...]] = {
            name: optimizers.get(name).hyperparameters for name in self.optimizers
        }
        of_method = (self.asynchronous,) if self.asynchronous else ()
        return (
            of_optimizers
            | {name: schedules.get(name).hyperparameters for name in self.schedules}
            | {name: asynchronous.get(name).hyperparameters for name in of_method}
        )

    @property
    def is_single(self) -> bool:
        """Whether it is one optimizer with one schedule, and so has a default config."""
        return len(self.optimizers) == len(self.schedules) == 1

    @property
    def is_constant(self) -> bool:
        """Whether it can choose nothing but a constant rate."""
        return all(schedules.get(name).constant for name in self.schedules)

    @property
    def is_annealed(self) -> bool:
        """Whether it can choose nothing but annealing."""
        return not any(schedules.get(name).constant for name in self.schedules)

    @property
    def peak(self) -> float:
        """The highest multiplier of its schedules; 1 if they differ in it."""
        peaks = {schedules.get(name).peak for name in self.schedules}
        return peaks.pop() if len(peaks) == 1 else 1.0

    @property
    def presets(self) -> Mapping[str, Any]:
        """The arm's default values and ranges by parameter name; a spec can override them."""
        known = _declared(self.optimizers, self.schedules)
        return next((arm.presets for arm in known if arm.name == self.choices), {})


def _parts(text: str) -> tuple[str | None, str, dict[str, Any], list[str]]:
    """The label of an arm's text, None for none; its choices; its settings, and what is wrong with their syntax."""
    if len(text) > MOST_CHARACTERS:
        raise InputError(f"arm {text[:40]!r}… has {len(text):,} characters; that is too long")
    try:
        before, inside = split(text)
    except InputError as error:
        raise InputError(f"arm {text!r:.120}: {error}") from None
    label, equals, choices = before.rpartition("=")
    given, problems = ({}, []) if inside is None else given_in(inside)
    return label.strip() if equals else None, choices, given, problems


def known_arms() -> dict[str, KnownArm]:
    """The arms that the survey or a paper makes a claim about, as the catalog's entries declare them, by name."""
    declared = _declared(optimizers.names(), schedules.names())
    return {arm.name: arm for arm in sorted(declared, key=lambda arm: arm.name)}


def _declared(of_optimizers: Iterable[str], of_schedules: Iterable[str]) -> Iterator[KnownArm]:
    """The arms that these entries declare."""
    for optimizer in of_optimizers:
        yield from optimizers.get(optimizer).arms
    for schedule in of_schedules:
        yield from schedules.get(schedule).arms


def joint_arm() -> str:
    """The arm that contains all optimizers and schedules."""
    return f"{','.join(optimizers.names())}+{','.join(schedules.names())}"


def chooses(arm: str) -> bool:
    """Whether the arm of this name chooses among several optimizers or schedules."""
    return "," in arm.partition("[")[0]


def spaced(arm: str) -> str:
    """An arm's name with spaces at which a line can be broken."""
    choices, bracket, settings = arm.partition("[")
    return choices.replace(",", ", ").replace("+", " + ") + bracket + settings


def spoken(arm: str) -> str:
    """An arm's name in a sentence: the label of an arm with a label and settings, else the whole name."""
    return short(arm) if "[" in arm and arm.partition("[")[0].count("=") else arm


def short(arm: str) -> str:
    """An arm's name as it is shown where there is little room: that of an arm with a label and settings is its label. A
    name longer than LONGEST is the label too, or the numbers of optimizers, schedules and settings.
    """
    if len(arm) <= LONGEST and "[" not in arm:
        return arm
    try:
        parsed = Arm.parse(arm)
    except InputError:
        return arm
    if parsed.label:
        return parsed.label
    if len(arm) <= LONGEST:
        return arm
    count = len(parsed.settings)
    behind = f"[{count} settings]" if count > 1 else f"[{count} setting]" if count else ""
    if len(parsed.choices) + len(behind) <= LONGEST:
        return f"{parsed.choices}{behind}"
    parts = ((parsed.optimizers, "optimizer"), (parsed.schedules, "schedule"))
    texts = [names[0] if len(names) == 1 else f"{len(names)} {kind}s" for names, kind in parts]
    return f"{texts[0] if parsed.schedules == (NO_ANNEALING,) else ' + '.join(texts)}{behind}"
