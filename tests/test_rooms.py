"""Modules are small, and no package reaches into another's private names."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("objectives", "storage", "search", "dashboard")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MOST_LINES = 400
EVERYTHING = sorted(path for part in (*PACKAGES, "tests", "benchmarks", "docs") for path in (ROOT / part).rglob("*.py"))


def imported(path: Path) -> list[tuple[str, str]]:
    """(module, name) of everything that a module imports from ours."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    return [(node.module or "", alias.name) for node in nodes for alias in node.names]


def room(module: str) -> str:
    """The folder that a module of ours lies in."""
    return module.rpartition(".")[0]


def test_no_file_is_long() -> None:
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in EVERYTHING}
    assert not {name: count for name, count in lines.items() if count > MOST_LINES}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_keeps_to_public_names(path: Path) -> None:
    here = "cooldown." + ".".join(path.relative_to(ROOT).with_suffix("").parts)
    own = here.removesuffix(".__init__") if path.name == "__init__.py" else room(here)
    for module, name in imported(path):
        if module.split(".")[0] != "cooldown":
            assert module.split(".")[0] not in PACKAGES, f"{module}: ours are imported as cooldown.{module}"
            continue
        private = [part for part in (*module.split("."), name) if part.startswith("_")]
        if private:
            assert own in (module, room(module)), f"{private[0]} of {module} is private"


@pytest.mark.parametrize("package", PACKAGES)
def test_the_list_of_modules_names_all_of_a_package(package: str) -> None:
    modules = (ROOT / "ARCHITECTURE.md").read_text().partition("## Modules")[2].partition("\n## ")[0]
    part = re.search(rf"^    {package}/.*?(?=^    \w|\Z)", modules, re.M | re.S)
    assert part, f"ARCHITECTURE.md has no list of the modules of {package}/"
    files = {path.name for path in (ROOT / package).glob("*.py")} - {"__init__.py"}
    folders = {f"{path.parent.name}/" for path in (ROOT / package).glob("*/*.py")}
    missing = sorted(name for name in files | folders if not re.search(rf"(?<![\w./]){re.escape(name)}", part.group()))
    assert not missing, f"ARCHITECTURE.md, Modules, {package}/: name {', '.join(missing)}"


def test_the_links_lead_to_the_packages() -> None:
    for package in PACKAGES:
        assert (ROOT / "cooldown" / package).resolve() == ROOT / package
