"""Many arms: each against the best one, and every pair in a matrix; the same numbers as the verdicts."""

import numpy as np
import pytest
from search_runs import spec

from cooldown.search.figures.lines import colour_of_arm, folded
from cooldown.search.figures.standings import against_best, matrix
from cooldown.search.statistics.verdict import verdicts

ARMS = ("adam", "sgd", "nag", "momentum+cosine")
LOSSES = {
    "adam": {0: 0.10, 1: 0.11, 2: 0.12, 3: 0.10},
    "sgd": {0: 0.30, 1: 0.31, 2: 0.37, 3: 0.31},
    "nag": {0: 0.11, 1: 0.10, 2: 0.13, 3: 0.11},
    "momentum+cosine": {0: 0.15, 1: 0.19, 2: 0.12, 3: 0.16},
}
PAIRS = verdicts(LOSSES)


def of(a: str, b: str):
    return next(each for verdict in PAIRS for each in (verdict, verdict.flipped) if (each.a, each.b) == (a, b))


def test_a_verdict_the_other_way_round_says_the_same() -> None:
    for verdict in PAIRS:
        turned = verdict.flipped
        assert turned.ratio * verdict.ratio == pytest.approx(1)
        assert turned.low < turned.ratio < turned.high
        assert (turned.leader, turned.winner) == (verdict.leader, verdict.winner)
        assert (turned.wins, turned.b_wins) == (verdict.b_wins, verdict.wins)
        assert turned.low * verdict.high == pytest.approx(1)
    differences = verdicts({"a": {0: 0.0, 1: 1.0, 2: 0.5}, "b": {0: 0.5, 1: 1.5, 2: 0.9}})
    (verdict,) = differences
    assert verdict.flipped.difference == -verdict.difference
    assert (verdict.flipped.low, verdict.flipped.high) == (-verdict.high, -verdict.low)
    assert verdict.leader == verdict.flipped.leader == "a"


def test_each_arm_is_drawn_against_the_best_one() -> None:
    pairs = [of(arm, "adam") for arm in ("nag", "momentum+cosine", "sgd")]
    figure = against_best(pairs)
    assert [trace.x[0] for trace in figure.data] == [pair.ratio for pair in pairs]
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis.title.text == "Loss / loss of<br>adam"
    # All in the colour of the arm that is ahead; full where it is decided.
    assert {trace.marker.color for trace in figure.data} == {colour_of_arm("adam")}
    assert [trace.marker.symbol for trace in figure.data][::2] == ["circle-open", "circle"]
    assert figure.layout.yaxis.ticktext[2] == "sgd<br><i>worse</i>"
    assert figure.layout.yaxis.ticktext[0] == "nag<br><i>undecided</i>"


def test_a_cell_of_the_matrix_is_the_ratio_of_row_and_column() -> None:
    heat, values = matrix(ARMS, PAIRS).data
    text = {(y, x): shown for x, y, shown in zip(values.x, values.y, values.text, strict=True)}
    assert text[0, 0] == ""
    for row, a in enumerate(ARMS):
        for column, b in enumerate(ARMS):
            if a != b:
                assert heat.z[row][column] == np.log(of(a, b).ratio)
                assert f"{of(a, b).ratio:.3f}" in text[row, column]
                assert ("•" in text[row, column]) == (of(a, b).winner is not None)
    assert "adam is better" in heat.hovertext[1][0]


def test_long_names_are_folded_where_they_have_joints() -> None:
    assert folded("adam") == "adam"
    assert folded("momentum+cosine") == "momentum+cosine"
    assert folded("delay_tolerant_adagrad+cosine") == "delay_tolerant_adagrad+<br>cosine"
    assert folded("adam[batch_size=512, dropout=0.5]", 14) == "adam<br>[batch_size=512,<br>dropout=0.5]"


def test_the_arms_of_the_spec_are_all_of_the_figures() -> None:
    assert len(matrix(spec().arms, []).data[0].z) == len(spec().arms)
