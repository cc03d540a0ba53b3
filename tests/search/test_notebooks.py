"""Cooldown in a notebook, of which IPython runs the cells: progress, results, figures, help, and an interrupt."""

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
from pydantic import TypeAdapter
from report_pages import read, told
from search_runs import TINY, surroundings

import cooldown
from cooldown import Result, compare, dry_run, load, resume, runs, tune
from cooldown.estimators import ScheduledMLPClassifier, ScheduledSearchCV
from cooldown.objectives.errors import InputError
from cooldown.search.experiments import Interrupted
from cooldown.search.experiments.plots import Plots
from cooldown.search.figures import FIGURES
from cooldown.search.figures.named import DRAWN
from cooldown.search.spec.experiment import Experiment
from cooldown.search.spec.settings import OWN, Asked, OneArm, Settings
from cooldown.storage import ExperimentRecord, Status
from cooldown.storage.writer import Ending, Writer

KERNEL = """
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.displaypub import CapturingDisplayPublisher

class ZMQInteractiveShell(InteractiveShell):
    '''The shell of a kernel, by its name; what it displays is kept.'''
    display_pub_class = CapturingDisplayPublisher

shell = ZMQInteractiveShell.instance(colors="nocolor", display_pub_class=CapturingDisplayPublisher)
shell.display_pub = CapturingDisplayPublisher()
shell.init_builtins()
with shell.builtin_trap:
    for cell in CELLS:
        done = shell.run_cell(cell)
        print("RAISED", type(done.error_in_exec).__name__)
for output in shell.display_pub.outputs:
    print("UPDATE" if output["update"] else "SHOWN", sorted(output["data"]), output["data"]["text/plain"])
"""


def run_cells(folder: Path, *cells: str) -> str:
    """What a notebook of these cells shows."""
    code = f"CELLS = {list(cells)!r}\n{KERNEL}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=surroundings({"IPYTHONDIR": str(folder)}),
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return re.sub(r"\x1b\[\d+m", "", done.stdout + done.stderr)


@pytest.mark.processes
def test_a_run_shows_its_progress_and_an_interrupt_is_one_line(tmp_path: Path) -> None:
    settings = {**TINY, "task": "quadratic", "workers": 1}
    shown = run_cells(
        tmp_path,
        "from cooldown import compare, resume",
        f"compare(**{settings!r}, db='x.db'); None",
        "def stop(progress):\n    raise KeyboardInterrupt",
        f"compare(**{settings!r}, seed=1, db='x.db', report=stop)",
        "resume('quadratic-2', db='x.db', workers=1).status.value",
    )
    assert shown.count("SHOWN ['text/html', 'text/plain'] quadratic\n") == 1
    assert shown.count("SHOWN ['text/html', 'text/plain'] quadratic-2\n") == 1
    assert "UPDATE ['text/html', 'text/plain'] quadratic\n" in shown
    assert "8/8" in shown
    assert "Traceback" not in shown
    line = "Interrupted. Finished work is kept; continue with the same call, or with resume('quadratic-2', db='x.db')"
    assert shown.count("Interrupted.") == 1
    assert line in shown
    assert shown.count("RAISED NoneType") == 4
    assert shown.count("RAISED Interrupted") == 1
    assert load("quadratic-2", db=tmp_path / "x.db").status is Status.DONE


def test_a_script_shows_nothing_by_default(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    compare(**{**TINY, "repeats": 1}, db=url)
    assert capsys.readouterr() == ("", "")


def stop(_: Any) -> None:
    raise KeyboardInterrupt


def test_an_interrupt_says_how_to_continue(url: str) -> None:
    with pytest.raises(Interrupted, match="continue with the same call, or with resume\\('iris', db='sqlite:///"):
        compare(**TINY, db=url, report=stop)
    with pytest.raises(Interrupted, match="Finished work is kept"):
        resume("iris", db=url, report=stop)
    assert issubclass(Interrupted, KeyboardInterrupt)
    assert load("iris", db=url).status is Status.INTERRUPTED
    assert resume("iris", db=url).status is Status.DONE


def interrupted(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def stopped(writer: Writer, *_: Any, **__: Any) -> None:
    """As `cooldown stop` does it."""
    writer.outcome = Ending(Status.STOPPED)


@pytest.mark.parametrize("run", [interrupted, stopped])
@pytest.mark.parametrize(("kept", "said"), [(False, "Nothing is kept: with db= "), (True, "Finished work is kept")])
def test_an_interrupted_search_of_the_estimator(
    run: Any, kept: bool, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cooldown.search.tuning.runner.run", run)
    search = ScheduledSearchCV(ScheduledMLPClassifier(), trials=1, repeats=1, db=tmp_path / "x.db" if kept else None)
    X = [[float(row), float(row % 3)] for row in range(30)]
    with pytest.raises(Interrupted, match=f"Interrupted. {said}.*, and the same fit continues it"):
        search.fit(X, [row % 2 for row in range(30)])


def test_a_result_is_shown_with_sentence_tables_and_pairs(small_record: ExperimentRecord) -> None:
    result = Result(small_record)
    shown = result._repr_html_()
    (image,) = re.findall(r"<img [^>]*>", shown)
    assert 'src="data:image/svg+xml;base64,' in image
    page = read(shown.replace(image, ""))
    assert result.answer.sentence in told(page)
    assert {"table", "caption"} <= {tag for tag, _ in page.elements}
    assert {"momentum", "momentum+cosine", "adam", "adam+cosine"} <= set(re.findall(r"<t[dh][^>]*>([^<]*)", shown))
    assert "<script" not in shown


def test_without_matplotlib_it_is_shown_by_plotly(
    small_record: ExperimentRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cooldown.search.experiments.html.is_installed", lambda: False)
    shown = Result(small_record)._repr_html_()
    assert "plotly" in shown
    assert len(shown) < 100_000, "the script itself is not part of it"


def test_a_result_of_one_arm_has_no_figure(url: str) -> None:
    shown = tune("iris", trials=2, repeats=1, epochs=1, seeds=1, finalists=1, finalist_seeds=1, confirm_seeds=1, db=url)
    assert "<table>" in shown._repr_html_()
    assert "<img" not in shown._repr_html_()
    with pytest.raises(InputError, match="nothing to draw yet for figure 'verdict'"):
        shown.plot.verdict()


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_a_method_of_plot(name: str, small_record: ExperimentRecord) -> None:
    made = getattr(Result(small_record).plot, name)()
    assert isinstance(made, go.Figure)
    assert getattr(Plots, name).__doc__ == DRAWN[name].__doc__


def test_plot_has_no_other_figures() -> None:
    assert {name for name in vars(Plots) if not name.startswith("_")} == set(FIGURES)


def test_the_settings_are_the_fields_of_a_spec() -> None:
    # How rows are split is a version's; what was widened, and how far it goes on, an experiment's own record.
    of_the_record = {"task", "protocol", "widened", "until"}
    own = {"until_decided", "max_repeats"}
    assert set(Settings.__annotations__) == set(Experiment.model_fields) - of_the_record | own
    assert set(OWN) <= set(Settings.__annotations__)
    assert set(OneArm.__annotations__) == set(Settings.__annotations__) - {
        "arms", "primary", "margin", "repeats", "until_decided", "max_repeats", "looks"
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(Settings.__annotations__) & set(Experiment.model_fields)))
def test_a_settings_type_takes_none_and_the_default(name: str) -> None:
    hint: Any = inspect.signature(compare).parameters[name].annotation
    adapter = TypeAdapter(hint)
    adapter.validate_python(None)
    default = Experiment.model_fields[name].get_default(call_default_factory=True)
    adapter.validate_python(default)


@pytest.mark.parametrize(
    ("function", "settings"),
    [(compare, Settings), (dry_run, Settings), (tune, OneArm), (runs, Asked)],
    ids=lambda each: each.__name__,
)
def test_help_names_every_setting(function: Any, settings: Any) -> None:
    parameters = inspect.signature(function).parameters
    assert next(iter(parameters)) == ("name" if function is runs else "task")
    assert not [each for each in parameters.values() if each.kind is inspect.Parameter.VAR_KEYWORD]
    text = inspect.getdoc(function) or ""
    for name in settings.__annotations__:
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
        assert parameters[name].default is None
        assert f"\n    {name}: " in text
    assert "trials: configs tried per study [default: 16]\n" in text
    assert "arms" not in inspect.signature(tune).parameters
    assert cooldown.tune is tune


def test_bad_arguments_are_reported_as_before(url: str) -> None:
    options: dict[str, Any] = {"trails": 3}
    with pytest.raises(InputError, match="unknown setting 'trails'; did you mean 'trials'"):
        compare("iris", db=url, **options)
    options = {"arms": ["adam"]}
    with pytest.raises(InputError, match=r"tune\(arms=...\): tune searches one joint arm"):
        tune("iris", db=url, **options)
