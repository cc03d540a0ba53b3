"""What entries say of themselves beside their formula: it names what there is, and is written out as it says."""

from collections import Counter
from typing import Any

import pytest

from cooldown.objectives import optimizers, schedules
from cooldown.objectives.relations import Native, Natives
from cooldown.search import export
from cooldown.search.export.native import Call, native_call
from cooldown.search.spec.arms import Arm, known_arms
from cooldown.search.spec.ranges import read_ranges

ENTRIES: list[Any] = [
    *(optimizers.get(name) for name in optimizers.names()),
    *(schedules.get(name) for name in schedules.names()),
]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_relations_name_what_there_is(entry: Any) -> None:
    names = {each.name for each in entry.hyperparameters}
    defaults = entry.complete({})
    assert set(entry.native) <= set(export.names())
    for format, native in entry.native.items():
        if isinstance(native, Native):
            assert set(native.only) <= names
            # Whatever is in braces is a hyperparameter.
            native_call({format: native}, format, defaults | dict(native.only), 10, steady=True)
    for arm in entry.arms:
        parsed = Arm.parse(arm.name)
        assert entry.name in (*parsed.optimizers, *parsed.schedules)
        assert read_ranges(dict(arm.presets), [parsed]).keys() == arm.presets.keys()


def test_what_an_optimizer_contains_is_another_optimizer() -> None:
    for name in optimizers.names():
        for contained in optimizers.get(name).contains:
            assert set(contained.rules) <= set(optimizers.names()) - {name}
            assert contained.hyperparameter in [each.name for each in optimizers.get(name).hyperparameters]
            assert (contained.at_most is None) != (contained.at_least is None)


def test_an_arm_is_declared_once() -> None:
    counts = Counter(arm.name for entry in ENTRIES for arm in entry.arms)
    assert set(counts.values()) == {1}
    assert list(known_arms()) == sorted(counts)


@pytest.mark.parametrize(
    ("arguments", "values", "expected"),
    [
        (("eps={epsilon}",), {"epsilon": 1e-8}, ["eps=1e-08"]),
        (("{every:whole} * n",), {"every": 3.0}, ["3 * n"]),
        (("{every:whole.0} * n",), {"every": 3}, ["3.0 * n"]),
        (("{every:whole}",), {"every": 3.5}, None),
        (("{floor:rate}", "{floor}"), {"floor": 0.1}, ["0.1 * LEARNING_RATE", "0.1"]),
        (("{floor:rate}",), {"floor": 0.0}, ["0.0"]),
    ],
)
def test_arguments(arguments: tuple[str, ...], values: dict[str, Any], expected: list[str] | None) -> None:
    natives: Natives = {"torch": Native("f", arguments)}
    found = native_call(natives, "torch", values, 10, steady=True)
    assert found == (None if expected is None else Call("f", expected))
    assert native_call(natives, "keras", values, 10, steady=True) is None


def test_where_it_is_not_exact_there_is_none() -> None:
    natives: Natives = {"torch": Native("f", only={"floor": 0.0}), "keras": Native("f", steady=True)}
    assert native_call(natives, "torch", {"floor": 0.1}, 10, steady=True) is None
    assert native_call(natives, "torch", {"floor": 0.0}, 10, steady=False) == Call("f", [])
    assert native_call(natives, "keras", {}, 10, steady=False) is None
    assert native_call(natives, "keras", {}, 10, steady=True) == Call("f", [])
    with pytest.raises(ValueError, match="the format must be empty, whole"):
        native_call({"torch": Native("f", ("{floor:half}",))}, "torch", {"floor": 1.0}, 10, steady=True)
