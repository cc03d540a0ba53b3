"""Entries of an installed package, by its entry points."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from own_module import BOTH, MODULE, SMALL, modules_of, write_modules
from search_runs import one_by_one

from cooldown.objectives import catalog, optimizers

INSTALLED = (
    MODULE
    + """

from cooldown.objectives.surface import Minimum, Surface
from cooldown.search.export.format import ConfigFormat, Exported

bowl = Surface(
    "bowl", lambda x, y: x * x + y * y, lambda x, y: (2 * x, 2 * y), (Minimum((0.0, 0.0), 0.0),), (1.0, 1.0),
    ((-2.0, 2.0), (-2.0, 2.0)), 50, "x² + y²", "mine", tolerance=0.1,
)
name = ConfigFormat("anything", ".txt", "the arm's name", lambda chosen: Exported(chosen.study.arm), "text")
stable, guess = wsd(), Guess()
"""
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_modules(tmp_path)


def install(folder: Path, entry_points: str, module: str = INSTALLED) -> dict[str, str]:
    """A distribution `plugin-of-mine` in a folder on the path; the environment that has it."""
    site = folder / "site"
    (site / "plugin_of_mine-1.0.dist-info").mkdir(parents=True)
    (site / "plugin_of_mine.py").write_text(module)
    (site / "plugin_of_mine-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: plugin-of-mine\nVersion: 1.0\n"
    )
    (site / "plugin_of_mine-1.0.dist-info" / "entry_points.txt").write_text(f"[cooldown.catalog]\n{entry_points}\n")
    return {"PYTHONPATH": os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])}


def test_entries_of_an_installed_package_join_the_catalogs(folder: Path) -> None:
    points = [
        "squashed = plugin_of_mine:Lion",
        "stable-rate = plugin_of_mine:stable",
        "flowers = plugin_of_mine:flowers",
        "bowl = plugin_of_mine:bowl",
        "guess = plugin_of_mine:guess",
        "arm-name = plugin_of_mine:name",
    ]
    environment = install(folder, "\n".join(points))
    arm = "squashed+stable-rate"
    # Beside them, entries of a module in the working folder.
    searched = ["--arm", arm, "--arm", BOTH, "--sampler", "guess", "--repeats", "1", "--name", "p", *SMALL]
    (entries, *_), _ = one_by_one(
        folder,
        environment,
        ["catalog", "--json"],
        # In a worker process, too.
        ["compare", "flowers", *searched, "--executor", "local", "--workers", "1"],
        ["export", "p", "--arm", arm, "-f", "arm-name", "-o", "arm.txt", "--trust"],
        ["export", "p", "--arm", arm, "-f", "sklearn", "-o", "best.py", "--trust"],
        ["surface", "bowl", "--optimizer", "squashed", "--json"],
        ["check", "squashed"],
    )
    names = {section: [entry["name"] for entry in of_section] for section, of_section in json.loads(entries).items()}
    assert "squashed" in names["optimizers"]
    assert "stable-rate" in names["schedules"]
    assert "flowers" in names["tasks"]
    assert "bowl" in names["surfaces"]
    assert (folder / "arm.txt").read_text() == arm
    assert "def squashed_update(" in (folder / "best.py").read_text()
    assert "def stable_rate_factor(" in (folder / "best.py").read_text()


@pytest.mark.parametrize(
    ("point", "message"),
    [
        (
            "adam = plugin_of_mine:Lion",
            "adds the optimizer 'adam' in the entry-point group cooldown.catalog, but",
        ),
        (
            "mine = plugin_of_mine:number",
            "must be an Optimizer, Schedule, Task, Surface, Sampler or export format",
        ),
        ("mine = plugin_of_mine:nothing", "cannot be loaded: AttributeError"),
        ("mine = plugin_of_nobody:Lion", "cannot be loaded: ModuleNotFoundError"),
        ("a+b = plugin_of_mine:Lion", "a name may hold letters, digits, dashes and underscores"),
    ],
)
def test_a_package_that_adds_what_cannot_be_is_named(
    folder: Path,
    point: str,
    message: str,
    run_here: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(folder, point)
    # They are looked up once in a process.
    monkeypatch.setattr(catalog, "_of_distributions", catalog._of_distributions.__wrapped__)
    monkeypatch.delitem(vars(optimizers._catalog), "_installed", raising=False)
    with modules_of(folder):
        sys.path.insert(0, str(folder / "site"))
        code, out, err = run_here("catalog", "optimizers")
    assert (code, out) == (2, "")
    assert "the distribution 'plugin-of-mine'" in err
    assert message in err


def test_help_loads_no_entry(folder: Path) -> None:
    environment = install(folder, "mine = plugin_of_mine:Lion", "raise SystemExit('loaded')")
    (of_all, of_compare), _ = one_by_one(folder, environment, ["--help"], ["compare", "--help"])
    assert "compare" in of_all
    assert "tpe" in of_compare
