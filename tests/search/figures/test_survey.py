"""The survey's pictures: what their captions say is in them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cooldown.objectives import surfaces
from cooldown.objectives.errors import InputError
from cooldown.search.figures.relief import relief
from cooldown.search.figures.schedules import EPOCHS, UPDATES, of_schedules
from cooldown.search.figures.survey import (
    PICTURES,
    fluctuation,
    fluctuation_losses,
    nesterov_vectors,
    survey_picture,
    vectors,
)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_losses_fluctuate_the_less_the_larger_the_batch() -> None:
    losses = fluctuation_losses()
    single, some, whole = losses.values()
    # As a share of the loss at that time.
    jumps = [np.abs(np.diff(loss)).mean() / loss.mean() for _, loss in (single, some, whole)]
    assert jumps[0] > 3 * jumps[1] > 9 * jumps[2]
    assert single[0][-1] == some[0][-1] == whole[0][-1], "all have seen the same rows"
    assert [trace.name for trace in fluctuation(losses).data] == [f"batches of {label}" for label in losses]


@pytest.mark.parametrize(("number", "said"), [(2, "60 times in 60 steps"), (3, "29 crossings in place of 60")])
def test_the_ravine_without_and_with_momentum(number: int, said: str) -> None:
    picture = survey_picture(f"survey/{number}")
    assert said in picture.caption
    assert "= 0.018 for all" in picture.figure.layout.title.subtitle.text


def test_nesterovs_correction_begins_at_the_look_ahead_and_turns_earlier() -> None:
    arrows = nesterov_vectors()
    start, ahead = arrows["momentum μv"]
    begin, end = arrows["correction: the gradient at the look-ahead"]
    assert np.array_equal(begin, ahead)
    assert np.array_equal(end, arrows["Nesterov's step"][1])
    by_momentum, by_nesterov = arrows["momentum's step"][1], arrows["Nesterov's step"][1]
    assert abs(by_nesterov[1]) < abs(by_momentum[1]), "closer to the bottom of the ravine"
    assert np.array_equal(start, arrows["Nesterov's step"][0])
    assert len(vectors(arrows).data) == 5
    assert "turns earlier" in survey_picture("survey/4").caption


def test_a_relief_has_the_surface_and_paths_on_it() -> None:
    saddle = surfaces.get("saddle")
    paths = surfaces.trajectories(saddle, ["sgd", "adam"])
    ground, *drawn = relief(saddle, paths).data
    assert ground.type == "surface"
    for trace, path in zip(drawn, paths, strict=True):
        assert trace.type == "scatter3d"
        assert (trace.x[0], trace.y[0]) == saddle.start
        assert np.abs(trace.x).max() <= 1.5
        on_surface = saddle.value(np.stack([trace.x, trace.y], axis=-1))
        assert np.all(trace.z > on_surface), "not half inside"
        assert path.name in trace.name


def test_a_name_that_is_no_picture() -> None:
    assert len(PICTURES) == 6
    with pytest.raises(InputError, match="unknown picture of the survey 'survey/7'"):
        survey_picture("survey/7")


def test_schedules_are_drawn_as_shares_of_their_highest_rate() -> None:
    figure = of_schedules(["sgdr", "noam", "wsd"])
    assert [trace.name for trace in figure.data] == ["sgdr", "noam", "wsd"]
    for trace in figure.data:
        assert len(trace.y) == EPOCHS * UPDATES
        assert max(trace.y) == 1
    # SGDR begins again after 10 and after 30 epochs, Noam rises for a fifth of the run.
    sgdr, noam, _ = (np.asarray(trace.y) for trace in figure.data)
    assert np.flatnonzero(np.diff(sgdr) > 0.5).tolist() == [10 * UPDATES - 1, 30 * UPDATES - 1]
    assert noam.argmax() == EPOCHS * UPDATES // 5 - 1
    with pytest.raises(InputError, match="unknown schedule 'nom'"):
        of_schedules(["nom"])


def test_the_command(run_here: Any, tmp_path: Path) -> None:
    code, out, err = run_here("figure", "survey/4")
    assert (code, err) == (0, "Wrote survey-4.html.\n")
    assert "Nesterov" in out
    assert "it turns earlier" in " ".join((tmp_path / "survey-4.html").read_text(encoding="utf-8").split())
    assert run_here("figure", "schedule", "sgdr", "wsd", "-o", "s.html")[0] == 0
    for given, said in (
        (("survey/4", "-o", "x.pdf"), "a picture of the survey is a web page; use -o x.html"),
        (("survey/4", "verdict"), "survey/4 takes no FIGURE"),
        (("schedule", "nom"), "unknown schedule 'nom'"),
        (("mine",), "give a FIGURE"),
        (("mine", "verdict", "curves"), "give one FIGURE"),
    ):
        code, _, err = run_here("figure", *given)
        assert (code, said in err) == (2, True), err


def test_surface_at_a_common_rate(run_here: Any) -> None:
    given = ["surface", "ravine", "--rate", "0.018", "--steps", "60", "--optimizer", "sgd", "--optimizer", "momentum"]
    code, out, _ = run_here(*given, "-o", "ravine.html")
    assert code == 0
    rows = {line.split()[0]: line.split()[-1] for line in out.splitlines() if line.startswith(("sgd", "momentum"))}
    assert rows == {"sgd": "60", "momentum": "29"}
    assert run_here("surface", "ravine", "--rate", "0")[0] == 2
    assert run_here("surface", "saddle", "--3d", "--optimizer", "sgd", "--steps", "5")[0] == 0
