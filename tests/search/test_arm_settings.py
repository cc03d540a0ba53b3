"""The settings of an arm: text and table, both ways; what cannot be read; and what of a name is shown."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cooldown.objectives import optimizers, schedules
from cooldown.objectives.errors import InputError
from cooldown.objectives.hyperparameters import Categorical, Declared, Scale
from cooldown.objectives.strategies import STRATEGIES
from cooldown.search.spec.arms import Arm, chooses, short, spaced, spoken
from cooldown.search.spec.experiment import read_spec


def values(declared: Declared) -> st.SearchStrategy[Any]:
    """What a table may give for it: one value, a range, or several choices."""
    if isinstance(declared, Categorical):
        several = st.lists(st.sampled_from(declared.choices), min_size=2, unique=True)
        return st.sampled_from(declared.choices) | several
    low = declared.minimum + (1 if declared.integer else 1e-6)
    high = min(declared.maximum - 1e-6, 1e6)
    number = st.integers(int(low), 10**6) if declared.integer else st.floats(low, high)
    ranges = st.lists(number, min_size=2, max_size=2, unique=True).map(sorted)
    off = st.just("off") if declared.default is None else st.nothing()
    return number | off | ranges


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """Arms as tables, by full names in any order."""
    chosen = draw(st.lists(st.sampled_from(optimizers.names()), min_size=1, max_size=2, unique=True))
    planned = draw(st.lists(st.sampled_from(schedules.names()), min_size=1, max_size=2, unique=True))
    declared: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(("batch_size", "epochs"), st.integers(1, 50_000))
    declared |= {f"strategy.{name}": values(strategy.declared) for name, strategy in STRATEGIES.items()}
    for name in chosen:
        declared |= {f"{name}.{each.name}": values(each) for each in optimizers.get(name).hyperparameters}
    for name in planned:
        declared |= {f"{name}.{each.name}": values(each) for each in schedules.get(name).hyperparameters}
    names = draw(st.lists(st.sampled_from(sorted(declared)), max_size=5, unique=True))
    if "strategy.averaging" in names:
        # Without an average it would be a mistake.
        names = [name for name in names if name != "strategy.averaging_decay"]
    label = draw(st.just({}) | st.from_regex(r"[\w.-]{1,40}", fullmatch=True).map(lambda text: {"label": text}))
    return {"is": f"{','.join(chosen)}+{','.join(planned)}", **label, **{name: draw(declared[name]) for name in names}}


@given(tables(), st.randoms())
def test_an_arm_has_one_text(table: dict[str, Any], random: Any) -> None:
    arm = Arm.from_table(table)
    assert Arm.parse(arm.name) == arm, "what is written is read back"
    assert Arm.parse(arm.name).name == arm.name
    names = list(table)
    random.shuffle(names)
    assert Arm.from_table({name: table[name] for name in names}).name == arm.name, "in whatever order it is given"
    needed = {"strategy.gradient_noise": 0.1, "strategy.averaging": ["ema", "swa"]}
    made = read_spec(task="iris", arms=[table], ranges=needed)
    assert made.arms == read_spec(**made.to_json()).arms == (arm.name,)
    assert len(dict(arm.settings)) == len(table) - 1 - ("label" in table)


@given(st.text(max_size=60) | st.text(alphabet="adm+cosine,[]=|:.@01 -", max_size=40).map(lambda text: f"adam[{text}"))
def test_any_text_is_an_arm_or_an_input_error(text: str) -> None:
    with suppress(InputError):
        arm = Arm.parse(text)
        assert Arm.parse(arm.name) == arm


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("bn = momentum + cosine [ batch_norm = true ]", "bn=momentum+cosine[batch_norm=true]"),
        ("adam[dropout=0:0.5,batch_norm=True]", "adam[dropout=0:0.5, batch_norm=true]"),
        ("momentum+step[batch_size=512]", "momentum+step[batch_size=512]"),
        ("adam[adam.beta2=0.99]", "adam[beta2=0.99]"),
        ("adam[strategy.dropout=0.50]", "adam[dropout=0.5]"),
        ("adam[learning_rate=1e-3:1]", "adam[learning_rate=0.001:1]"),
        ("adam[initialization=he | poor]", "adam[initialization=he|poor]"),
        ("adam[early_stopping=off]", "adam[early_stopping=off]"),
        ("adamw[adamw.weight_decay=0.1]", "adamw[adamw.weight_decay=0.1]"),
        ("adamw[strategy.weight_decay=0.1]", "adamw[strategy.weight_decay=0.1]"),
        ("adam[weight_decay=0.1]", "adam[weight_decay=0.1]"),
        ("momentum[momentum=0.9]", "momentum[momentum=0.9]"),
        ("adam+cosine,sgdr[sgdr.warmup_steps=3, epochs=5]", "adam+cosine,sgdr[epochs=5, sgdr.warmup_steps=3]"),
    ],
)
def test_settings_have_one_text(text: str, name: str) -> None:
    assert Arm.parse(text).name == name


MANY = f"adam+{','.join(schedules.names())}[{', '.join(f'{name}.warmup_steps=2:99' for name in schedules.names())}]"
"""An arm whose name is longer than what the ledger keeps."""

BRACKETS = "the settings must stand at the end, in one pair of brackets, as in [batch_norm=true, dropout=0:0.5]"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("adam[", BRACKETS),
        ("adam]", BRACKETS),
        ("]adam[", BRACKETS),
        ("adam[[dropout=0.1]]", BRACKETS),
        ("adam[dropout=0.1]]", BRACKETS),
        ("adam[dropout=0.1][l2=0.1]", BRACKETS),
        ("adam[dropout=0.1]+cosine", BRACKETS),
        ("adam[]", "the brackets are empty"),
        ("adam[ ]", "the brackets are empty"),
        ("adam[dropout]", "the setting 'dropout' must be NAME=VALUE"),
        ("adam[=1]", "the setting '=1' must be NAME=VALUE"),
        ("adam[dropout=]", "the setting 'dropout=' must be NAME=VALUE"),
        ("adam[dropout=0.1,]", "the setting '' must be NAME=VALUE"),
        ("adam[dropout=0.1, dropout=0.2]", "'dropout' is set twice"),
        ("adam[dropout=0.1, strategy.dropout=0.2]", "dropout is set twice"),
        ("adam[beta2=0.9, adam.beta2=0.9]", "beta2 is set twice"),
        ("adam[drop=0.1]", "unknown setting 'drop'; did you mean 'dropout'?"),
        ("adam[momentum.momentum=0.1]", "unknown setting 'momentum.momentum'"),
        ("adam[dröpout=0.1]", "unknown setting 'dröpout'; did you mean 'dropout'?"),
        ("adam[dropout=1]", "strategy(dropout=1): dropout must be less than 1, got 1"),
        ("adam[dropout=nan]", "dropout must be a finite number, got nan"),
        ("adam[l2=0.1:inf]", "l2 must be a finite number, got inf"),
        ("adam[l2=1e999]", "l2 must be a finite number, got inf"),
        ("adam[dropout=0.5:0.1]", "strategy.dropout = [0.5, 0.1] is empty"),
        ("adam[dropout=0:0.1:0.2]", "strategy.dropout should be a number or [low, high]"),
        ("adam[dropout=0:]", "dropout='0:': write a range as LOW:HIGH, and values to choose from as A|B"),
        ("adam[dropout=0.1|0.2]", "dropout='0.1|0.2': write a range of numbers as LOW:HIGH"),
        ("adam[initialization=he:poor]", "initialization='he:poor': write values to choose from as A|B"),
        ("adam[initialization=he|he]", "should be one value, or several different ones"),
        (
            "adam[initialization=hé]",
            "initialization must be auto or he or glorot or poor or large or zero or normal_0.1, got 'hé'",
        ),
        ("adam[batch_norm=1]", "batch_norm must be true or false, got 1"),
        ("adam[dropout=off]", "strategy.dropout should be a number or [low, high], got 'off'"),
        ("adam[batch_size=0]", "batch_size must be one whole number from 1 to 1,000,000, got 0"),
        ("adam[batch_size=8|16]", "batch_size='8|16': write a range of numbers as LOW:HIGH"),
        ("adam[batch_size=8:16]", "batch_size must be one whole number from 1 to 1,000,000, got [8, 16]"),
        ("adam[epochs=1.5]", "epochs must be one whole number from 1 to 50,000, got 1.5"),
        ("adam[epochs=true]", "epochs must be one whole number from 1 to 50,000, got True"),
        (f"adam[epochs={10**30}]", f"epochs must be one whole number from 1 to 50,000, got {10**30}"),
        pytest.param(f"adam[epochs={'9' * 3900}]", "epochs must be one whole number from 1 to 50,000", id="digits"),
        ("adamw[weight_decay=0.1]", "'weight_decay' is ambiguous in this arm; write strategy.weight_decay or adamw.we"),
        ("adagrad@downpur", "unknown asynchronous method 'downpur'; did you mean 'downpour'"),
        ("adagrad@", "a name is missing"),
        ("adagrad@downpour[workers=0]", "workers must be at least 1"),
        ("adagrad@hogwild[push_every=4]", "unknown setting 'push_every'"),
        ("=adam[dropout=0.1]", "the label before = must be 1 to 40 letters"),
        pytest.param("a" * 5000, "5,000 characters; that is too long", id="long"),
        pytest.param(MANY, "characters; an arm with settings has at most 400", id="many"),
    ],
)
def test_settings_that_are_none(text: str, said: str) -> None:
    with pytest.raises(InputError) as raised:
        Arm.parse(text)
    (line,) = str(raised.value).splitlines()
    assert said in line
    assert len(line) < 800
    with pytest.raises(InputError):
        read_spec(task="iris", arms=[text])


def test_all_mistakes_of_an_arm_are_named() -> None:
    with pytest.raises(InputError) as raised:
        Arm.parse("adm+cosine[drop=1, dropout=2, floor=-1, batch_norm]")
    lines = str(raised.value).splitlines()
    assert "the setting 'batch_norm' must be NAME=VALUE" in lines[0]
    assert "unknown optimizer 'adm'; did you mean 'adam'?" in lines[1]
    assert "dropout must be less than 1, got 2" in lines[2]
    assert "floor must be at least 0, got -1" in lines[3]
    assert len(lines) == 4, "what 'drop' is cannot be said before the optimizer is known"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, 'needs its choices, such as is = "momentum+cosine"; it is missing'),
        ({"is": 3}, 'needs its choices, such as is = "momentum+cosine"; got 3'),
        ({"is": "adam", "label": 3}, "must have one text as its label, got 3"),
        ({"is": "a=adam", "label": "b"}, "must have one text as its label, got 'b', 'a'"),
        ({"is": "adam[dropout=0.1]", "l2": 0.1}, "has settings in 'adam[dropout=0.1]' and beside it"),
        ({"is": "adam", "dropout": "0:0.5"}, "strategy.dropout should be a number or [low, high], got '0:0.5'"),
        ({"is": "adam", "epochs": [10, 20]}, "epochs must be one whole number from 1 to 50,000, got [10, 20]"),
        ({"is": "adam", "adam": {"beta3": 1}}, "unknown setting 'adam.beta3'"),
        ({"is": "adam", "adam": {"beta2": {"a": 1}}}, "adam.beta2 should be a number or [low, high], got {'a': 1}"),
        ({"is": "adam", "adam.beta2": 0.9, "adam": {"beta2": 0.9}}, "adam.beta2 is set twice"),
        ({"is": "adam", 5: 1}, "unknown setting '5'"),
        ({"is": "adam", "dropout": None}, "strategy.dropout should be a number or [low, high], got None"),
    ],
)
def test_tables_that_are_no_arm(table: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as raised:
        read_spec(task="iris", arms=[table])
    (line,) = str(raised.value).splitlines()
    assert said in line


def test_a_range_is_told_from_choices_as_in_ranges() -> None:
    arm = Arm.from_table({"is": "adam", "dropout": [0, 0.5], "batch_norm": [True, False], "adam": {"beta2": 0.99}})
    assert arm.ranges == {
        "strategy.dropout": (0.0, 0.5),
        "strategy.batch_norm": (True, False),
        "adam.beta2": 0.99,
    }
    assert list(arm.around) == ["strategy.dropout", "strategy.batch_norm"]
    assert (arm.batch_size, arm.epochs) == (None, None)


LONG = "momentum+cosine[dropout=0:0.5, batch_norm=true]"


@pytest.mark.parametrize(
    ("arm", "in_tables", "in_sentences"),
    [
        ("first=adam", "first=adam", "first=adam"),
        ("adam[dropout=0.1]", "adam[dropout=0.1]", "adam[dropout=0.1]"),
        ("bn=adam[batch_norm=true]", "bn", "bn"),
        (f"bn={LONG}", "bn", "bn"),
        (LONG, "momentum+cosine[2 settings]", LONG),
        ("adadelta+inverse_sqrt[initialization=glorot]", "adadelta+inverse_sqrt[1 setting]", None),
    ],
)
def test_names_are_short_where_there_is_little_room(arm: str, in_tables: str, in_sentences: str | None) -> None:
    assert Arm.parse(arm).name == arm
    assert short(arm) == in_tables
    assert spoken(arm) == (in_sentences or arm)


def test_a_comma_in_brackets_is_no_choice() -> None:
    assert chooses("momentum,nag")
    assert chooses("x=adam+cosine,sgdr[l2=0.1]")
    assert not chooses(LONG)
    assert spaced("momentum,nag+cosine[l2=1e-05, dropout=0.1]") == "momentum, nag + cosine[l2=1e-05, dropout=0.1]"


def test_a_range_on_a_log_scale_is_above_0() -> None:
    log = [name for name, each in STRATEGIES.items() if getattr(each.declared, "scale", None) is Scale.LOG]
    assert "l2" in log
    for name in log:
        with pytest.raises(InputError, match=r"must be greater than 0|a log scale needs a range above 0"):
            Arm.parse(f"adam[{name}=0:1]")
