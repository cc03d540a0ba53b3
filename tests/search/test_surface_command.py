"""`cooldown surface`: a page and a table, nothing written over unasked, and what a mistake gets to see."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from covering import in_short

from cooldown.objectives import optimizers, surfaces
from cooldown.search.evidence.numbers import Form, formatted

Answer = tuple[int, str, str]


@pytest.fixture
def run_here(run_here: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Answer]:
    """The `cooldown` command in this process and an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    return run_here


def test_from_start_to_end(tmp_path: Path, run_here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run_here("surface", "beale")
    assert code == 0
    assert err == "Wrote beale.html. Open it in a browser.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["beale.html"]
    assert "<title>beale · Cooldown</title>" in (tmp_path / "beale.html").read_text(encoding="utf-8")
    lines = out.splitlines()
    assert lines[0] == f"beale: {surfaces.get('beale').formula}"
    said = " ".join(out.split())
    for name in optimizers.names():
        assert optimizers.get(name).note in said
    assert "yellowfin's learning rate multiplies the rate that it tunes itself" in said
    (first,) = (place for place, line in enumerate(lines) if line.startswith("Optimizer "))
    rows = [line.split() for line in lines[first + 1 : first + 1 + len(optimizers.names())]]
    assert sorted(row[0] for row in rows) == optimizers.names()
    # The first to arrive is on top.
    assert rows == sorted(rows, key=lambda row: (row[-1] == "–", 0 if row[-1] == "–" else int(row[-1]), row[0]))


@pytest.mark.parametrize("name", in_short(surfaces.names(), ["himmelblau", "saddle"]))
def test_the_table_says_what_the_document_says_in_80_columns(name: str, run_here: Any, tmp_path: Path) -> None:
    given = ["surface", name, "--optimizer", "momentum", "--optimizer", "adam", "--steps", "60"]
    code, out, err = run_here(*given, "--json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert not list(tmp_path.iterdir())
    assert list(document) == ["surface", "formula", "start", "minima", "steps", "goal", "trajectories"]
    assert (document["surface"], document["steps"]) == (name, 60)
    for row, trajectory in zip(
        document["trajectories"], surfaces.trajectories(name, ["momentum", "adam"], 60), strict=True
    ):
        assert row["optimizer"] == trajectory.name
        assert row["learning_rate"] == trajectory.learning_rate
        assert row["value"] == trajectory.values[-1]
        assert row["steps_to_arrive"] == trajectory.arrival
        if surfaces.get(name).minima:
            assert row["distance"] == surfaces.get(name).nearest(trajectory.path[-1])[1]
        else:
            assert row["distance"] is None
    code, out, _ = run_here(*given)
    assert code == 0
    assert ("Distance to minimum" in out) == bool(document["minima"])
    assert "yellowfin" not in out
    expected = [
        [
            row["optimizer"],
            formatted(row["learning_rate"], Form.READING),
            formatted(row["value"], Form.READING),
            *([] if row["distance"] is None else [formatted(row["distance"], Form.READING)]),
            "–" if row["steps_to_arrive"] is None else str(row["steps_to_arrive"]),
        ]
        for row in document["trajectories"]
    ]
    assert sorted(line.split() for line in out.splitlines()[-2:]) == sorted(expected)


def test_a_document_and_a_file(run_here: Any, tmp_path: Path) -> None:
    code, out, err = run_here("surface", "saddle", "--optimizer", "sgd", "--json", "-o", "a b.html")
    assert (code, err) == (0, "Wrote a b.html. Open it in a browser.\n")
    assert json.loads(out)["minima"] == []
    assert [path.name for path in tmp_path.iterdir()] == ["a b.html"]


def test_numbers_that_json_does_not_have(run_here: Any) -> None:
    code, out, _ = run_here("surface", "saddle", "--optimizer", "sgd", "--steps", "3000", "--json")
    (row,) = json.loads(out)["trajectories"]
    assert (code, row["value"], row["distance"]) == (0, None, None)


def test_a_file_is_written_over_only_with_force(run_here: Any, tmp_path: Path) -> None:
    path = tmp_path / "saddle.html"
    path.write_text("mine")
    for given in ([], ["-o", "saddle.html"], ["--output", str(path), "--json"]):
        code, out, err = run_here("surface", "saddle", *given)
        assert (code, out) == (2, "")
        assert "already exists: choose another file with -o, or overwrite it with --force" in err
        assert path.read_text() == "mine"
    assert run_here("surface", "saddle", "--optimizer", "sgd", "--force")[0] == 0
    assert "Plotly" in path.read_text(encoding="utf-8")


def test_a_file_that_appears_meanwhile_is_not_written_over(
    run_here: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(*arguments: Any) -> Any:
        (tmp_path / "saddle.html").write_text("theirs")
        return found

    found = surfaces.trajectories("saddle", ["sgd"])
    monkeypatch.setattr(surfaces, "trajectories", meanwhile)
    code, out, err = run_here("surface", "saddle")
    assert (code, out) == (2, "")
    assert "'saddle.html' cannot be written: File exists" in err
    assert (tmp_path / "saddle.html").read_text() == "theirs"


def test_a_disk_that_refuses(run_here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write anywhere, so the file system's refusal is played."""

    def refusing(*arguments: Any, **more: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refusing)
    code, out, err = run_here("surface", "saddle", "--optimizer", "sgd")
    assert (code, out) == (2, "")
    assert err == "cooldown: 'saddle.html' cannot be written: Permission denied\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("surface sadle", "unknown surface 'sadle'; did you mean 'saddle'? (choose from: beale, himmelblau,"),
        ("surface ''", "unknown surface '' (choose from: beale, himmelblau,"),
        ("surface beale --optimizer adm", "unknown optimizer 'adm'; did you mean 'adam'?"),
        ("surface beale --optimizer adam --optimizer adam", "adam is named twice"),
        ("surface beale --steps 0", "steps must be a whole number from 1 to 10000, got 0"),
        ("surface beale --steps 10001", "steps must be a whole number from 1 to 10000, got 10001"),
        ("surface beale --steps 1e3", "'1e3' is not a whole number"),
        ("surface beale -o .", "'.' is a folder: give the path of a file with -o"),
        ("surface beale -o ''", "'.' is a folder"),
        (
            "surface beale -o picture.png",
            "'picture.png': a surface is written as an animated web page; use -o picture.html",
        ),
        ("surface beale -o nowhere/at/all.html", "cannot be written: the folder 'nowhere/at' does not exist"),
        (f"surface beale -o {'a' * 300}.html", "cannot be written: File name too long"),
        ("surface", "Missing argument 'NAME'"),
    ],
)
def test_bad_input(arguments: str, said: str, run_here: Any, tmp_path: Path) -> None:
    """One clear message that names the value, exit 2, and no file."""
    code, out, err = run_here(*shlex.split(arguments))
    assert (code, out) == (2, "")
    assert said in err
    assert not list(tmp_path.iterdir())


def test_the_catalog_lists_the_surfaces(run_here: Any) -> None:
    entries = json.loads(run_here("catalog", "surfaces", "--json")[1])
    assert [entry["name"] for entry in entries] == surfaces.names()
    for entry in entries:
        surface = surfaces.get(entry["name"])
        assert entry["formula"] == surface.formula
        assert entry["reference"] == surface.reference
        assert [(tuple(each["point"]), each["value"]) for each in entry["minima"]] == [
            (minimum.point, minimum.value) for minimum in surface.minima
        ]
    code, out, _ = run_here("catalog", "surfaces")
    assert code == 0
    for expected in ("minimum 0 at (3, 0.5)", "and 120 higher ones", "no minimum"):
        assert expected in " ".join(out.split())
