"""`cooldown figure`, `cite`, `show --format` and `export --lock`, from the command line."""

import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from covering import in_short
from search_runs import run_in_threads, spec

from cooldown.objectives.errors import InputError
from cooldown.search.cli.papers import AUTHORS, TITLE
from cooldown.search.evidence import SECTIONS
from cooldown.search.evidence.view import View
from cooldown.search.export import requirements
from cooldown.search.figures import FIGURES
from cooldown.search.figures.named import figure
from cooldown.storage import ExperimentRecord

ROOT = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("papers") / "cooldown.db"
    run_in_threads(f"sqlite:///{path}", spec(trials=2), name="two arms")
    run_in_threads(f"sqlite:///{path}", spec(arms=("adam",), trials=2, repeats=1), name="one")
    return str(path)


@pytest.mark.parametrize("name", in_short(list(FIGURES), ["verdict", "credit", "curves"]))
def test_a_figure_as_pdf(name: str, ledger: str, run_here: Run, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, said = run_here("figure", "two arms", name, "--db", ledger)
    if name == "credit":
        # The arms between these two are missing.
        assert (code, "has nothing to draw yet for figure 'credit'" in said) == (2, True)
        return
    assert (code, out, said) == (0, "", f"Wrote two-arms-{name}.pdf.\n")
    assert (tmp_path / f"two-arms-{name}.pdf").read_bytes().startswith(b"%PDF")


def test_pictures_of_asynchronous_workers_need_no_experiment(run_here: Run, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_here("figure", "asynchronous") == (0, "", "Wrote asynchronous-timelines.pdf.\n")
    assert (tmp_path / "asynchronous-timelines.pdf").read_bytes().startswith(b"%PDF")
    assert run_here("figure", "asynchronous", "loss", "-o", "loss.html") == (0, "", "Wrote loss.html.\n")
    assert "16 workers" in (tmp_path / "loss.html").read_text(encoding="utf-8")
    code, _, said = run_here("figure", "digits")
    assert (code, said) == (2, f"cooldown: figure 'digits': give a FIGURE: {', '.join(FIGURES)}\n")
    assert "did you mean 'timelines'?" in run_here("figure", "asynchronous", "timeline")[2]


def test_other_files_and_a_width(ledger: str, run_here: Run, tmp_path: Path) -> None:
    for suffix, begins in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("html", b"<!DOCTYPE html>")):
        path = tmp_path / f"figure.{suffix}"
        assert run_here("figure", "two arms", "curves", "-o", str(path), "--width", "17", "--db", ledger)[0] == 0
        assert path.read_bytes().startswith(begins)
    code, _, said = run_here("figure", "two arms", "curves", "-o", str(path), "--db", ledger)
    assert (code, "already exists" in said) == (2, True)
    assert run_here("figure", "two arms", "budget", "-o", str(path), "--force", "--db", ledger)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["two arms", "verdit"], "unknown figure 'verdit'; did you mean 'verdict'"),
        (["two", "verdict"], "unknown experiment 'two'"),
        (["two arms", "verdict", "-o", "a.eps"], "-o 'a.eps': a figure is written as pdf, svg, png or html, not as"),
        (["two arms", "verdict", "-o", "a"], "-o 'a': a figure is written as pdf, svg, png or html, not as ''"),
        (["two arms", "verdict", "--width", "850"], "width: should be 4 to 50 centimetres, got 850"),
        (["two arms", "verdict", "--width", "nan"], "width: should be 4 to 50 centimetres, got nan"),
        (["one", "verdict"], "'one' has nothing to draw yet for figure 'verdict': Every pair of arms"),
    ],
)
def test_bad_figures_write_nothing(
    arguments: list[str], said: str, ledger: str, run_here: Run, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, error = run_here("figure", *arguments, "--db", ledger)
    assert (code, out) == (2, "")
    assert said in " ".join(error.split())
    assert list(tmp_path.iterdir()) == []


def test_a_figure_without_its_evidence_says_so(ledger: str, small_record: ExperimentRecord) -> None:
    begun = View(replace(small_record, work=(), studies=tuple(replace(s, trials=()) for s in small_record.studies)))
    for name in FIGURES:
        with pytest.raises(InputError, match=f"nothing to draw yet for figure '{name}'"):
            figure(begun, name)


@pytest.mark.parametrize("section", [None, *SECTIONS])
@pytest.mark.parametrize("format", ["latex", "markdown", "csv"])
def test_sections_as_text_to_paste(section: str | None, format: str, ledger: str, run_here: Run) -> None:
    code, out, said = run_here("show", "two arms", *filter(None, [section]), "--format", format, "--db", ledger)
    assert (code, said) == (0, "")
    begins = {"latex": r"\begin{tabular}", "markdown": "| Arm |", "csv": "Arm,"}[format]
    assert begins.replace("Arm", "Pair" if section == "pairs" else "Arm") in out


def test_formats_that_are_none(ledger: str, run_here: Run) -> None:
    code, _, said = run_here("show", "one", "--format", "latx", "--db", ledger)
    assert (code, "unknown format of tables 'latx'; did you mean 'latex'" in said) == (2, True)
    code, _, said = run_here("show", "one", "--format", "csv", "--json", "--db", ledger)
    assert (code, said) == (2, "cooldown: --json and --format cannot be used together\n")


def test_the_lock_has_the_packages_of_the_experiment(ledger: str, run_here: Run, tmp_path: Path) -> None:
    code, out, said = run_here("export", "one", "--lock", "--db", ledger)
    assert (code, said) == (0, "")
    lines = out.splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert f"numpy=={version('numpy')}" in pinned
    # It needs optuna, which needs alembic, which needs mako.
    assert f"mako=={version('mako')}" in pinned
    assert not [line for line in pinned if not re.fullmatch(r"[a-z0-9-]+==\S+", line)]
    assert not [line for line in pinned if line.startswith(("cooldown", "pytest"))]
    assert lines[0] == f"# The packages of experiment one, started with Cooldown {version('cooldown')},"
    path = tmp_path / "requirements.txt"
    assert run_here("export", "one", "--lock", "-o", str(path), "--db", ledger)[0] == 0
    assert path.read_text() == out


def test_a_lock_is_not_of_an_arm_and_not_of_an_old_experiment(
    ledger: str, run_here: Run, small_record: ExperimentRecord
) -> None:
    for option, value in (("--arm", "adam"), ("--repeat", "0"), ("--format", "csv"), ("--curves", None)):
        code, _, said = run_here("export", "one", "--lock", option, *filter(None, [value]), "--db", ledger)
        assert (code, f"{option} and --lock cannot be used together" in said) == (2, True)
    older = {key: value for key, value in small_record.environment.items() if key != "lock"}
    with pytest.raises(InputError, match="'small one' has no list of all packages: it was started by an older"):
        requirements(View(replace(small_record, environment=older)))


def test_how_to_cite(run_here: Run) -> None:
    code, out, said = run_here("cite")
    assert (code, said) == (0, "")
    assert out.startswith("@software{cooldown,\n")
    assert f"version = {{{version('cooldown')}}}," in out
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (citation["title"], [each["name"] for each in citation["authors"]]) == (TITLE, [AUTHORS])
    assert AUTHORS in (ROOT / "LICENSE").read_text()
    assert (citation["version"], citation["abstract"]) == (project["version"], project["description"])
    assert citation["license"] == project["license"]
    assert TITLE in out
    assert AUTHORS in out
