"""An optimizer's colour, a schedule's dash and symbol: the same in every picture, and told apart."""

from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from charts import JOINT_ARM, figures_of, named
from verdict_examples import made_verdict

from cooldown.objectives import optimizers, schedules
from cooldown.search.figures import lines
from cooldown.search.figures.layout import GREY
from cooldown.search.figures.lines import JOINT, colour_of_arm, line_of_arm, looks, marker_of_arm
from cooldown.search.figures.schedules import rates
from cooldown.search.figures.trials import WARNING
from cooldown.search.figures.verdict import forest, repeats
from cooldown.search.spec.arms import LONGEST, short
from cooldown.storage import ExperimentRecord


def test_each_optimizer_has_its_colour_and_each_schedule_its_dash_and_symbol() -> None:
    names = schedules.names()
    for optimizer in optimizers.names():
        assert {colour_of_arm(f"{optimizer}+{name}") for name in names} == {line_of_arm(optimizer)["color"]}
    assert len({colour_of_arm(name) for name in optimizers.names()}) == len(optimizers.names())
    for of_arm, part in ((line_of_arm, "dash"), (marker_of_arm, "symbol")):
        assert len({of_arm(f"adam+{name}")[part] for name in names}) == len(names)
        assert all(of_arm(f"adam+{name}")[part] == of_arm(f"sgd+{name}")[part] for name in names)
    assert line_of_arm("adam") == {"color": colour_of_arm("adam+cosine"), "dash": "solid"}
    assert marker_of_arm("adam")["symbol"] == "circle"
    # As plotly has it, and not only as we wrote it, also where arms would look the same.
    for name in names:
        for look in looks(f"{label}=adam+{name}" for label in "abcde").values():
            go.Scatter(line=look.line, marker=look.marker)


def add(monkeypatch: pytest.MonkeyPatch, catalog: Any, entry: Any) -> None:
    """As if the folder of a catalog held this entry too."""
    entries = {name: catalog.get(name) for name in catalog.names()} | {entry.name: entry}
    monkeypatch.setattr(catalog, "_catalog", None)
    monkeypatch.setattr(catalog, "names", lambda: sorted(entries))
    monkeypatch.setattr(catalog, "get", entries.__getitem__)


def test_an_entry_that_is_added_changes_the_look_of_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    arms = [f"{optimizer}+{schedule}" for optimizer in optimizers.names() for schedule in schedules.names()]
    before = {arm: looks([arm])[arm] for arm in arms}
    greys = {name: lines.line_of_schedule(name) for name in schedules.names()}
    for name in ("aaa", "mmm", "zzz"):
        add(monkeypatch, optimizers, replace(optimizers.get("adam"), name=name, colour=""))
        add(monkeypatch, schedules, replace(schedules.get("cosine"), name=f"{name}_schedule", dash="", symbol=""))
    assert {arm: looks([arm])[arm] for arm in arms} == before
    assert {name: lines.line_of_schedule(name) for name in greys} == greys
    added = [looks([arm])[arm] for arm in ("aaa+aaa_schedule", "mmm+mmm_schedule", "zzz+zzz_schedule")]
    for part in ("colour", "dash"):
        assert len({getattr(look, part) for look in [*added, *before.values()]}) == len(added) + len(
            {getattr(look, part) for look in before.values()}
        )
    for look in added:
        go.Scatter(line=look.line, marker=look.marker)


@pytest.mark.parametrize("family", ["sgd", "adaptive"])
def test_a_colour_that_follows_from_a_name_stands_out_on_light_and_dark(
    monkeypatch: pytest.MonkeyPatch, family: Any
) -> None:
    for number in range(100):
        add(monkeypatch, optimizers, replace(optimizers.get("adam"), name=f"rule{number}", colour="", family=family))
        colour = colour_of_arm(f"rule{number}")
        assert min(contrast(colour, "#FFFFFF"), contrast(colour, "#0E1117")) > 2


def contrast(colour: str, other: str) -> float:
    """Source: WCAG 2.2, relative luminance."""

    def luminance(text: str) -> float:
        parts = np.array([int(text[at : at + 2], 16) / 255 for at in (1, 3, 5)])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    dark, light = sorted([luminance(colour), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colour", [*(colour_of_arm(name) for name in optimizers.names()), JOINT, GREY, WARNING])
def test_colours_stand_out_on_light_and_dark(colour: str) -> None:
    assert contrast(colour, "#FFFFFF") > 2
    assert contrast(colour, "#0E1117") > 2


def test_joint_arms_are_grey_with_the_dash_of_a_single_schedule() -> None:
    for arm in ("momentum,nag+cosine", "adam+cosine,sgdr", JOINT_ARM):
        assert colour_of_arm(arm) == JOINT
    assert line_of_arm("momentum,nag+cosine")["dash"] == line_of_arm("adam+cosine")["dash"]


def test_a_label_changes_nothing_but_arms_that_would_look_the_same_are_told_apart() -> None:
    assert line_of_arm("mine=adam+sgdr") == line_of_arm("adam+sgdr")
    twins = ["adam", "first=adam", "second=adam", "momentum,nag", "sgd,adam"]
    found = looks([*twins, "momentum"])
    assert len({(each.colour, each.opacity) for each in found.values()}) == len(found)
    assert len({(each.colour, each.symbol) for each in found.values()}) == len(found)
    assert len({found[arm].colour for arm in twins[:3]}) == 1
    assert found["momentum"].marker == marker_of_arm("momentum")


def test_an_arm_has_its_colour_in_every_picture(record: ExperimentRecord) -> None:
    made = figures_of(record)
    for arm in ("momentum+cosine", "adam", JOINT_ARM):
        colour, dash = colour_of_arm(arm), line_of_arm(arm)["dash"]
        for name in ("learning validation epochs False", "budget trials"):
            drawn = [trace for trace in named(made[name], arm) if trace.line.width]
            assert drawn
            assert {(trace.line.color, trace.line.dash) for trace in drawn} == {(colour, dash)}
        for name in ("repeats", "importance"):
            assert {trace.marker.color for trace in named(made[name], arm)} == {colour}
    won, narrow = forest([made_verdict("adam", "momentum", "a_better")]).data
    assert won.marker.color == won.error_x.color == narrow.line.color == colour_of_arm("adam")


EVERYTHING = f"{','.join(optimizers.names())}+{','.join(schedules.names())}"


def test_a_long_name_is_told_by_how_much_it_may_choose_from_and_stands_whole_beside_the_pointer() -> None:
    count = len(optimizers.names()), len(schedules.names())
    assert short(EVERYTHING) == f"{count[0]} optimizers + {count[1]} schedules"
    assert short(f"mine={EVERYTHING}") == "mine"
    assert short(",".join(optimizers.names())) == f"{count[0]} optimizers"
    assert short(f"adam+{','.join(schedules.names())}") == f"adam + {count[1]} schedules"
    for name in ("adam", JOINT_ARM, "x" * 200, ""):
        assert short(name) == name
    assert lines.whole(EVERYTHING).replace("<br>", "").replace(" ", "") == EVERYTHING
    assert max(map(len, lines.whole(EVERYTHING).split("<br>"))) <= lines.HOVER_WIDTH
    assert lines.whole("<b>") == "&lt;b&gt;"
    row = repeats({EVERYTHING: {0: 1.0}, "adam": {0: 2.0}}, "Test loss")
    assert max(map(len, row.layout.yaxis.ticktext)) <= LONGEST
    assert "yellowfin" in row.data[0].hovertemplate


def test_a_schedule_by_itself_has_its_dash_in_a_grey() -> None:
    for name in schedules.names():
        line = lines.line_of_schedule(name)
        assert line["dash"] == line_of_arm(f"adam+{name}")["dash"]
        assert line["color"] in lines.GREYS
    drawn = rates({"cosine": np.ones(2), "mine": np.ones(2)}, lines={"cosine": lines.line_of_schedule("cosine")})
    assert [trace.line.dash for trace in drawn.data] == [line_of_arm("sgd+cosine")["dash"], "solid"]
    for grey in lines.GREYS:
        assert min(contrast(grey, "#FFFFFF"), contrast(grey, "#0E1117")) > 2
